/**
 * Programs that others wrote, as judges of the files that we write.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isContinuousIntegration, missing } from "./requires.ts";

/** Registers a test that needs a program. */
export function judge(
  program: string,
  name: string,
  run: () => Promise<void>,
): void {
  const reason = missing([`program ${program}`]);
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined && !isContinuousIntegration(),
    async fn(): Promise<void> {
      assert(reason === undefined, reason);
      await run();
    },
  });
}

/** Runs a program on a capture file; the lines of its standard output. */
export async function ask(
  program: string,
  file: Uint8Array,
  args: (path: string) => string[],
): Promise<{ lines: string[]; errors: string }> {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(path, file);
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: args(path),
      env: { TZ: "UTC", LC_ALL: "C" },
    }).output();
    const errors = new TextDecoder().decode(stderr);
    assert(success, `${program}: ${errors}`);
    const lines = new TextDecoder().decode(stdout).split("\n");
    assert.equal(lines.pop(), "");
    return { lines, errors };
  } finally {
    await Deno.remove(path);
  }
}
