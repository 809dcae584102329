import assert from "node:assert/strict";
import { Child } from "../support/processes.ts";
import {
  exportedNames,
  namesIn,
  ROOT,
  surfaceModules,
} from "../support/surface.ts";

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

/** What a process has open, without what the runtime itself opens. */
function openFiles(folder: string): Set<string> {
  const names = new Set<string>();
  for (const { name } of Deno.readDirSync(folder)) {
    try {
      const target = Deno.readLinkSync(`${folder}/${name}`);
      if (!target.includes("_cache_")) names.add(target.replace(/\d+/g, "N"));
    } catch {
      continue; // closed meanwhile
    }
  }
  return names;
}

Deno.test("mod.ts is imported without permission and opens nothing", async () => {
  const waiting = `
    console.log("ready");
    await Deno.stdin.read(new Uint8Array(1));
  `;
  const open = async (script: string): Promise<Set<string>> => {
    await using child = run(script, `--allow-import`);
    await child.seen("stdout", /ready/);
    const names = openFiles(`/proc/${child.pid}/fd`);
    await child.closeInput();
    assert.equal((await child.ended()).code, 0);
    return names;
  };
  const nothing = await open(waiting);
  const script = `import "${SURFACE}"; ${waiting}`;
  assert.deepEqual((await open(script)).difference(nothing), new Set());
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

/** What a module takes from other modules: names and specifier. */
function* importsOf(source: string): Generator<[string[], string]> {
  const patterns = [
    /^import (?:type )?\{([^}]*)\} from "([^"]+)"/gm,
    /\{([^{}]*)\} = await import\(\s*"([^"]+)",?\s*\)/g,
  ];
  for (const pattern of patterns) {
    for (const [, names, from] of source.matchAll(pattern)) {
      yield [namesIn(names!), from!];
    }
  }
}

function* modulesIn(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* modulesIn(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

/**
 * Starts a command that nobody captures, for the views. What it takes to wait
 * for a terminal's signals is no part of a library.
 */
const NO_SURFACE: ReadonlySet<string> = new Set(["LaunchedCommand"]);

Deno.test("the command line is built on the surface alone", () => {
  const surface = new Set(NO_SURFACE);
  for (const module of surfaceModules()) {
    for (const name of exportedNames(module)) surface.add(name);
  }
  assert(surface.has("startCapture") && surface.has("openTrace"));
  const cli = new URL("lib/cli/", ROOT);
  const missing: string[] = [];
  let checked = 0;
  for (const module of [new URL("main.ts", ROOT), ...modulesIn(cli)]) {
    for (const [names, from] of importsOf(Deno.readTextFileSync(module))) {
      const target = new URL(from, module);
      const isOther = target.protocol === "file:" &&
        !target.href.startsWith(cli.href) &&
        // The operating system behind the host.
        !/\/ffi\/\w+\.ts$/.test(target.pathname);
      if (!isOther) continue;
      checked += names.length;
      for (const name of names) {
        if (surface.has(name)) continue;
        missing.push(
          `${name} of ${target.pathname.slice(ROOT.pathname.length)}`,
        );
      }
    }
  }
  assert.deepEqual(missing, [], "deno.json does not export them");
  assert(checked > 10, `${checked} names`);
});
