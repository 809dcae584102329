import assert from "node:assert/strict";
import { Child } from "../support/processes.ts";

const ROOT = new URL("../../", import.meta.url);
const SURFACE = new URL("mod.ts", ROOT);
const SAMPLE = new URL("tests/golden/data/filter_linktype_1.pcap", ROOT);

/** Runs a script with some permissions and no more. */
function run(script: string, ...permissions: string[]): Child {
  const url = `data:text/typescript,${encodeURIComponent(script)}`;
  const flags = ["--quiet", "--no-prompt", "--no-check", ...permissions];
  return new Child([Deno.execPath(), "run", ...flags, url], {
    stdin: "piped",
  });
}

Deno.test("mod.ts is imported without permission and opens nothing", async () => {
  const waiting = `
    console.log("ready");
    await Deno.stdin.read(new Uint8Array(1));
  `;
  const open = async (script: string): Promise<string[]> => {
    await using child = run(script, `--allow-import`);
    await child.seen("stdout", /ready/);
    const folder = `/proc/${child.pid}`;
    const files = [...Deno.readDirSync(`${folder}/fd`)].map(({ name }) =>
      Deno.readLinkSync(`${folder}/fd/${name}`).replace(/\d+/g, "N")
    );
    await child.closeInput();
    assert.equal((await child.ended()).code, 0);
    // The runtime opens its own caches when it loads any module, and pipes to
    // its own threads.
    return files.filter((name) => !/_cache_|^pipe:/.test(name)).sort();
  };
  const nothing = await open(waiting);
  assert.deepEqual(await open(`import "${SURFACE}"; ${waiting}`), nothing);
});

Deno.test("openTrace() reads files with --allow-read alone", async () => {
  const script = `
    import { openTrace } from "${SURFACE}";
    const trace = openTrace(${JSON.stringify(SAMPLE.pathname)});
    let count = 0;
    for await (const packet of trace) if (packet.tcp) count++;
    console.log(count, JSON.stringify(trace.stats()));
  `;
  await using child = run(script, "--allow-read");
  const { stdout, stderr, code } = await child.ended();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^[1-9]\d* \{"accepted":[1-9]/);
});

Deno.test("openTrace() says which permission is missing", async () => {
  const script = `
    import { openTrace } from "${SURFACE}";
    const trace = openTrace(${JSON.stringify(SAMPLE.pathname)});
    await trace.start().catch((error) => console.log(error.message));
  `;
  await using child = run(script);
  const { stdout, stderr } = await child.ended();
  assert.match(stdout, /run it with --allow-read$/m, stderr);
});
