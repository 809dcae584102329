/**
 * The gate behind `scripts/test`, which says how it is called.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { dirname, join } from "node:path";
import { writeAll } from "../lib/cli/deno_files.ts";
import { installPackages, missingPackages } from "./gate_packages.ts";
import { type Counts, failedTests, judge, NONE, sum } from "./gate_summary.ts";

/** Version that the product must still run on. */
const OLDEST = "2.4.2";
const PRODUCT = ["main.ts", "mod.ts", "lib", "bpf", "ffi"];
const SURFACE = ["mod.ts", "bpf/mod.ts", "lib/pcap/mod.ts", "lib/text/mod.ts"];
const INTEGRATION = "tests/integration";
const EXAMPLES = "examples";
/** Its code runs, and needs root. */
const TUTORIAL = "docs/library.md";
/** Longest time for one run of tests, in milliseconds. */
const RUN_TIME = 1_500_000;

/** Mode bit: everybody may enter the folder, or execute the file. */
const OTHERS_EXECUTE = 0o001;

const DENO = Deno.execPath();
/** Nothing may be skipped. */
const STRICT = Deno.env.get("CI") === "true";

type Part = (filter: readonly string[]) => Promise<Counts>;

/** What needs nothing but a processor; these parts run at the same time. */
const QUIET_PARTS: Readonly<Record<string, Part>> = {
  static: staticChecks,
  unit: unitTests,
  oldest: oldestTests,
};

const PARTS: Readonly<Record<string, Part>> = {
  ...QUIET_PARTS,
  integration: integrationTests,
};

/** What a part says while others run. */
const transcript = new AsyncLocalStorage<Uint8Array[]>();

/** Ways to follow a program beside the default one, and what they must do. */
const MATRIX: readonly (readonly [string, readonly string[]])[] = [
  ["--tracker ptrace", [
    "attach_capture_test.ts",
    "burst_capture_test.ts",
    "client_capture_test.ts",
    "exit_status_capture_test.ts",
    "harmless_capture_test.ts",
    "linger_capture_test.ts",
    "lookalike_capture_test.ts",
    "process_tree_capture_test.ts",
    "server_capture_test.ts",
    "udp_capture_test.ts",
  ]],
  ["--tracker ptrace --kernel-filter classic", [
    "client_capture_test.ts",
    "server_capture_test.ts",
    "udp_capture_test.ts",
  ]],
  // UDP is not exact with tracepoints alone, which the tool says.
  ["--tracker tp", ["client_capture_test.ts"]],
  ["--tracker ebpf --kernel-filter classic", [
    "server_capture_test.ts",
    "udp_capture_test.ts",
  ]],
];

/** More tests than this fail for a reason. */
const MOST_RETRIED = 5;

const FAILURE: Counts = { ...NONE, failed: 1 };

async function staticChecks(): Promise<Counts> {
  const checks: readonly (readonly [string, ...string[]])[] = [
    ["format", "fmt", "--check"],
    ["lint", "lint"],
    // By itself: the types that tests and scripts use hide nothing.
    ["types of the product", "check", "--quiet", "--frozen", ...PRODUCT],
    [
      "types of everything",
      "check",
      "--frozen",
      ...PRODUCT,
      EXAMPLES,
      "scripts",
      "tests",
    ],
    ["documentation", "doc", "--lint", ...SURFACE],
    ["publishing", "publish", "--dry-run", "--allow-dirty"],
    ["generated files", "run", "-A", "scripts/generate.ts", "--check"],
  ];
  const results: Counts[] = [];
  for (const [name, ...args] of checks) {
    const { success, stdout, stderr } = await new Deno.Command(DENO, {
      args,
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    say(`${success ? "ok" : "FAILED"}: ${name}`);
    if (success) continue;
    write(stdout);
    write(stderr);
    results.push(FAILURE);
  }
  return sum(results);
}

let preparation: Promise<void> | undefined;

/** Has the programs ready that tests use, as far as that is possible. */
function prepare(): Promise<void> {
  return preparation ??= installMissing();
}

async function installMissing(): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (Deno.uid() === 0 && await installPackages(missing)) return;
  say(`missing: ${missing.join(" ")}; tests that need them are skipped`);
}

async function unitTests(filter: readonly string[]): Promise<Counts> {
  await prepare();
  const ignore = `--ignore=${INTEGRATION}`;
  const tests = await runTests(DENO, [ignore, ...selection("tests", filter)]);
  if (filter.length > 0) return tests;
  const examples = ["--doc", "--permit-no-files", ...PRODUCT];
  return sum([tests, await runTests(DENO, examples, { mayBeNone: true })]);
}

async function oldestTests(filter: readonly string[]): Promise<Counts> {
  const deno = await exactDeno(OLDEST);
  if (deno === undefined) return skip(`Deno ${OLDEST} cannot be fetched`);
  await prepare();
  const ignore = `--ignore=${INTEGRATION}`;
  return await runTests(deno, [ignore, ...selection("tests", filter)]);
}

async function integrationTests(filter: readonly string[]): Promise<Counts> {
  if (Deno.uid() !== 0) return skip("integration tests need root");
  await prepare();
  const folder = await Deno.makeTempDir({ prefix: "tracedump-deno-" });
  try {
    const deno = await publicDeno(folder);
    const tests = await runTwice(deno, selection(INTEGRATION, filter));
    if (filter.length > 0) return tests;
    const results = [tests, await runTests(deno, ["--doc", TUTORIAL])];
    for (const [variants, files] of MATRIX) {
      const paths = files.map((name) => `${INTEGRATION}/${name}`);
      results.push(await runTwice(deno, paths, variants));
    }
    return sum(results);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Some tests run the program as another user, who must reach Deno, too. */
async function publicDeno(folder: string): Promise<string> {
  for (let path = DENO; path !== "/"; path = dirname(path)) {
    const { mode } = await Deno.stat(path);
    if (((mode ?? 0) & OTHERS_EXECUTE) !== 0) continue;
    const copy = join(folder, "deno");
    await Deno.chmod(folder, 0o755);
    await Deno.copyFile(DENO, copy);
    return copy;
  }
  return DENO;
}

/** Notes that something is left out, which is a failure where all must run. */
function skip(reason: string): Counts {
  say(`${STRICT ? "FAILED" : "skipped"}: ${reason}`);
  return STRICT ? FAILURE : NONE;
}

/** A filter that names a file selects it, any other selects tests by name. */
function selection(folder: string, filter: readonly string[]): string[] {
  if (filter.length === 0) return [folder];
  if (filter.every((word) => word.endsWith(".ts"))) return [...filter];
  return [folder, `--filter=${filter.join(" ")}`];
}

/** Asks the shell functions that all scripts share. */
async function exactDeno(version: string): Promise<string | undefined> {
  const { success, stdout } = await new Deno.Command("sh", {
    args: [
      "-eu",
      "-c",
      '. scripts/deno.sh; find_exact_deno "$1"; echo "$deno"',
      "sh",
      version,
    ],
    stdin: "null",
    stderr: "inherit",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

/**
 * Runs tests with the kernel. Some of them compare with tcpdump, which loses
 * packets on a machine that is busy otherwise: a few that fail get a second
 * try, and are named.
 */
async function runTwice(
  deno: string,
  args: readonly string[],
  variants?: string,
): Promise<Counts> {
  const options = variants === undefined ? {} : { variants };
  const names: string[] = [];
  const first = await runTests(deno, args, { ...options, names });
  if (first.failed !== names.length || names.length > MOST_RETRIED) {
    return first;
  }
  if (names.length === 0) return first;
  const filter = names.map((name) =>
    name.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&")
  );
  const paths = args.filter((word) => !word.startsWith("--filter="));
  const again = [`--filter=/^(?:${filter.join("|")})$/`, ...paths];
  const second = await runTests(deno, again, options);
  if (second.failed > 0) return first;
  for (const name of names) say(`passed at the second try: ${name}`);
  return { ...first, passed: first.passed + names.length, failed: 0 };
}

/** Runs tests, shows what they say and counts them. */
async function runTests(
  deno: string,
  args: readonly string[],
  { mayBeNone = false, variants, names }: {
    readonly mayBeNone?: boolean;
    readonly variants?: string;
    /** Takes the names of tests that failed. */
    readonly names?: string[];
  } = {},
): Promise<Counts> {
  const which = variants === undefined
    ? ""
    : `TRACEDUMP_VARIANTS="${variants}" `;
  say(`${which}${deno === DENO ? "" : `${deno}: `}deno test ${args.join(" ")}`);
  const child = new Deno.Command(deno, {
    args: ["test", "--allow-all", "--no-check", "--frozen", ...args],
    stdin: "null",
    stdout: "piped",
    env: {
      NO_COLOR: "1",
      ...(variants === undefined ? {} : { TRACEDUMP_VARIANTS: variants }),
    },
  }).spawn();
  const timer = setTimeout(() => {
    say(`FAILED: still running after ${RUN_TIME / 1000} seconds`);
    child.kill("SIGKILL");
  }, RUN_TIME);
  let output = "";
  const text = child.stdout.pipeThrough(new TextDecoderStream());
  for await (const part of text) {
    output += part;
    write(new TextEncoder().encode(part));
  }
  const { success } = await child.status;
  clearTimeout(timer);
  if (mayBeNone && success && judge(output, success, STRICT).passed === 0) {
    return NONE;
  }
  const counts = judge(output, success, STRICT);
  names?.push(...failedTests(output));
  if (STRICT && counts.ignored > 0) {
    say(`FAILED: ${counts.ignored} tests were ignored`);
  }
  return counts;
}

function say(text: string): void {
  write(new TextEncoder().encode(`${text}\n`));
}

function write(bytes: Uint8Array): void {
  const kept = transcript.getStore();
  if (kept === undefined) writeAll(Deno.stdout, bytes);
  else kept.push(bytes);
}

/** Runs parts at the same time; what they say comes one after the other. */
async function runTogether(parts: readonly Part[]): Promise<Counts> {
  const running = parts.map((part) => {
    const kept: Uint8Array[] = [];
    return { kept, counts: transcript.run(kept, () => part([])) };
  });
  const results: Counts[] = [];
  for (const { kept, counts } of running) {
    results.push(await counts);
    for (const bytes of kept) writeAll(Deno.stdout, bytes);
  }
  return sum(results);
}

async function runPart(
  name: string,
  filter: readonly string[],
): Promise<Counts> {
  const part = PARTS[name];
  if (part === undefined) {
    say(`No such part: ${name}; there are ${Object.keys(PARTS).join(", ")}`);
    Deno.exit(2);
  }
  return await part(filter);
}

async function runAll(): Promise<Counts> {
  const quiet = await runTogether(Object.values(QUIET_PARTS));
  return sum([quiet, await integrationTests([])]);
}

if (import.meta.main) {
  const [name, ...filter] = Deno.args;
  const counts = name === undefined
    ? await runAll()
    : await runPart(name, filter);
  const { passed, failed } = counts;
  say(`${passed} passed, ${failed} failed`);
  Deno.exit(failed === 0 ? 0 : 1);
}
