/**
 * Command lines and exactly what the program answers.
 *
 * Each file in `cli/` is a transcript: a line `$ tracedump …`, the text on
 * standard output, the text on standard error with `2| ` before each line, and
 * the exit status. `deno task golden:update` writes them anew.
 */

import assert from "node:assert/strict";
import { run } from "../../lib/cli/run.ts";
import { FakeEngine, FakeHost, settle } from "../unit/lib/cli/fake_host.ts";
import { fakeViewEngine } from "../unit/lib/cli/fake_views.ts";

const FOLDER = new URL("./cli/", import.meta.url);
const PROMPT = "$ tracedump";

/** Marks a transcript whose standard output is a terminal. */
const TERMINAL = " > /dev/tty";

/** Splits words like a shell that knows only double quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? "",
  );
}

async function replay(command: string): Promise<string> {
  const terminal = command.endsWith(TERMINAL);
  const line = terminal ? command.slice(0, -TERMINAL.length) : command;
  const host = new FakeHost(words(line.slice(PROMPT.length)), {
    stdoutTerminal: terminal,
  });
  const engine = new FakeEngine();
  engine.end();
  const running = run(host, engine.startCapture, fakeViewEngine);
  let isOver = false;
  void running.finally(() => isOver = true);
  // Views look at their clock now and then.
  while (!isOver) {
    await settle();
    host.tick();
  }
  const outcome = await running;
  const errors = host.written.stderr.replaceAll(/^(?=.)/gm, "2| ");
  const status = outcome.kind === "code" ? outcome.code : "signal";
  return `${command}\n${host.written.stdout}${errors}[exit ${status}]\n`;
}

for (const entry of [...Deno.readDirSync(FOLDER)].map(({ name }) => name)) {
  Deno.test(`transcript ${entry}`, async () => {
    const file = new URL(entry, FOLDER);
    const expected = await Deno.readTextFile(file);
    const commands = expected.split("\n").filter((line) =>
      line.startsWith(PROMPT)
    );
    assert.ok(commands.length > 0);
    const actual = (await Promise.all(commands.map(replay))).join("\n");
    if (Deno.env.get("UPDATE_GOLDEN") === "1") {
      await Deno.writeTextFile(file, actual);
    } else {
      assert.equal(actual, expected);
    }
  });
}
