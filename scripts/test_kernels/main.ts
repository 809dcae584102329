/**
 * The program behind `scripts/test-kernels`.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runMachine } from "./machine.ts";
import { fetchKernel, type Kernel, KERNELS } from "./packages.ts";
import { readRun, type Run, writeRun } from "./report.ts";
import { scriptOf, type Step, STEPS } from "./steps.ts";

const HELP = `Usage: scripts/test-kernels [OPTIONS] [VERSION...]

Boots Debian's kernels (${KERNELS.map((k) => k.version).join(", ")}) in qemu and
runs the tests of the trackers and of the kernel filters there. The root folder
of this machine is visible there, and writable in memory only. Takes minutes
per kernel: the processor is emulated.

  -o, --output FILE  append the results as Markdown
  --keep FOLDER      where the logs of all steps go
  --only NAME        only steps whose name starts so; may be repeated
  --slowness N       factor on the time that steps may take (default 1)
  -h, --help         show this help and exit

Needs: qemu-system-x86_64, busybox-static, xz, apt of Debian with its keys, and
what the tests need.
`;

const PROJECT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
/** Seconds for the start of the machine. */
const START_LIMIT = 180;
/** An emulated processor needs half a minute to start the program. */
const PATIENCE_FACTOR = "6";

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      output: { type: "string", short: "o" },
      keep: { type: "string" },
      only: { type: "string", multiple: true },
      slowness: { type: "string", default: "1" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    say(HELP);
    return 0;
  }
  const slowness = Number(values.slowness);
  if (!(slowness > 0)) throw new RangeError("--slowness must be a number > 0");
  const steps = STEPS.filter(({ name }) =>
    values.only?.some((start) => name.startsWith(start)) ?? true
  ).map((step) => ({ ...step, limit: Math.ceil(step.limit * slowness) }));
  let isGood = true;
  for (const kernel of kernelsNamed(positionals)) {
    const folder = values.keep === undefined
      ? await Deno.makeTempDir({ prefix: "tracedump-kernel-" })
      : resolve(values.keep, kernel.version);
    try {
      const run = await testKernel(kernel, steps, folder);
      const text = writeRun(run);
      say(`${text}\n`);
      if (values.output !== undefined) {
        await Deno.writeTextFile(values.output, `\n${text}`, { append: true });
      }
      isGood &&= run.steps.every(({ isGood }) => isGood);
    } finally {
      if (values.keep === undefined) {
        await Deno.remove(folder, { recursive: true });
      }
    }
  }
  return isGood ? 0 : 1;
}

function kernelsNamed(versions: readonly string[]): readonly Kernel[] {
  if (versions.length === 0) return KERNELS;
  return versions.map((version) => {
    const kernel = KERNELS.find((kernel) => kernel.version === version);
    if (kernel === undefined) {
      throw new RangeError(`Cannot test kernel ${version}: it is not known`);
    }
    return kernel;
  });
}

async function testKernel(
  kernel: Kernel,
  steps: readonly Step[],
  results: string,
): Promise<Run> {
  const unpacked = await fetchKernel(
    kernel,
    join(cacheFolder(), kernel.suite),
  );
  await Deno.mkdir(results, { recursive: true });
  // Steps of an earlier run would be run again.
  for await (const { name } of Deno.readDir(results)) {
    if (/^\d\d-/.test(name)) await Deno.remove(join(results, name));
  }
  // Seen there, too; what the runtime adds stays in memory.
  const denoFolder = join(results, "deno-dir");
  await fillDenoFolder(denoFolder);
  const env = {
    DENO_DIR: denoFolder,
    DENO_NO_UPDATE_CHECK: "1",
    TRACEDUMP_TEST_PATIENCE: PATIENCE_FACTOR,
  };
  for (const [at, step] of steps.entries()) {
    const file = join(results, `${String(at).padStart(2, "0")}-${step.name}`);
    const script = scriptOf(step, Deno.execPath(), PROJECT, env);
    await Deno.writeTextFile(`${file}.sh`, script);
    await Deno.writeTextFile(`${file}.limit`, `${step.limit}\n`);
  }
  const limit = steps.reduce((sum, step) => sum + step.limit, START_LIMIT);
  const isOver = await runMachine({ kernel: unpacked, results, limit });
  const commit = await describeProject();
  return await readRun({ kernel, unpacked, results, steps, commit, isOver });
}

/** Commit, with a mark if files differ from it. */
async function describeProject(): Promise<string> {
  const { success, stdout } = await new Deno.Command("git", {
    args: ["describe", "--always", "--dirty"],
    cwd: PROJECT,
    stdin: "null",
    stderr: "null",
  }).output();
  return success ? new TextDecoder().decode(stdout).trim() : "unknown";
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

function cacheFolder(): string {
  const folder = Deno.env.get("TEST_KERNELS_CACHE");
  if (folder === undefined) {
    throw new Error("Start this through scripts/test-kernels");
  }
  return folder;
}

/** The runtime compiles here, not in the slow machine. */
async function fillDenoFolder(folder: string): Promise<void> {
  const tests = [...Deno.readDirSync(join(PROJECT, "tests/integration"))]
    .map(({ name }) => join("tests/integration", name))
    .filter((path) => path.endsWith("_test.ts"));
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["cache", "--quiet", "--frozen", "--no-check", "main.ts"],
      ...["scripts/test_kernels/probe.ts", ...tests],
      ...["lib/session/tracer_worker.ts", "lib/session/sniffer_worker.ts"],
    ],
    cwd: PROJECT,
    env: { DENO_DIR: folder },
    stdin: "null",
  }).output();
  if (!success) throw new Error("Cannot compile the tests");
}
