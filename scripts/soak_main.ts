/**
 * Has a traced program open very many sockets, and looks whether everything
 * is captured, nothing else is, and memory stays as it is.
 *
 * @module
 */
import { toldWords } from "../tests/support/accuracy.ts";
import { Bench } from "../tests/support/bench.ts";
import { type Child, within } from "../tests/support/processes.ts";
import { TOOL } from "../tests/support/tool.ts";
import { type Memory, memoryOf } from "./bench_procfs.ts";
import { formatMarkdown, formatPlain, type Table } from "./bench_table.ts";
import { runScript, say } from "./script.ts";
import { HELP, parseOptions, type SoakOptions } from "./soak_options.ts";
import {
  type Digest,
  judge,
  parseDigest,
  parseRemains,
  type SoakResult,
} from "./soak_result.ts";
import { versionFacts } from "./versions.ts";

/** Addresses of the program, of others, and of the server of both. */
const OWN = "127.0.0.1";
const FOREIGN = "127.0.0.2";
const SERVER = ["127.0.0.3", "7000"] as const;
const THREADS = "4";
/** Microseconds between two conversations of each thread of others. */
const FOREIGN_PAUSE = "500";
/** Conversations between two messages of the program; see soak.c. */
const STEP = 100_000;
/** MiB of the packet buffer: the machine may be busy with comparing. */
const BUFFER = "256";

const MEBIBYTE = 2 ** 20;
/** Longest time between two messages, and for the end, ms. */
const PATIENCE = 600_000;

/** Memory of the tool after some conversations. */
interface Sample extends Memory {
  readonly after: string;
  readonly seconds: number;
}

if (import.meta.main) {
  Deno.exit(
    await runScript({
      name: "soak",
      help: HELP,
      parse: parseOptions,
      needsRoot: () => true,
      run,
    }),
  );
}

async function run(options: SoakOptions): Promise<number> {
  const facts = await versionFacts({
    tool: [...TOOL, "--version"],
    tcpdump: ["tcpdump", "--version"],
  });
  for (const [name, text] of Object.entries(facts)) {
    say(Deno.stdout, `${name.padEnd(8)} ${text}\n`);
  }
  let isGood = true;
  for (const tracker of options.trackers) {
    await using bench = await Bench.create({ network: "private" });
    const { samples, result } = await soak(bench, tracker, options);
    const table = tableOf(tracker, samples, result);
    const text = options.markdown ? formatMarkdown(table) : formatPlain(table);
    say(Deno.stdout, `\n${text}`);
    isGood &&= judge(result).length === 0;
  }
  return isGood ? 0 : 1;
}

async function soak(
  bench: Bench,
  tracker: string,
  { count, pause, rest }: SoakOptions,
): Promise<
  { readonly samples: readonly Sample[]; readonly result: SoakResult }
> {
  const soaker = await compile(bench, "soak");
  const server = bench.startForeign([soaker, "serve", ...SERVER]);
  await server.seen("stdout", /ready/);
  const truth = await startDigest(bench, "truth");
  const tcpdump = bench.start([
    ...["tcpdump", "-i", "lo", "-n", "-B", "262144", "-s", "2000"],
    ...["-Z", "root", "-w", truth.pipe, "host", OWN],
  ]);
  await tcpdump.seen("stderr", /listening on/);
  const talk = [soaker, "talk"];
  const others = bench.startForeign(
    [...talk, FOREIGN, ...SERVER, "0", THREADS, FOREIGN_PAUSE, "0"],
    { stdin: "piped" },
  );
  const captured = await startDigest(bench, "captured");
  const tool = bench.tool([
    ...["--tracker", tracker, "--debug", "1", "-B", BUFFER, "-o", "-", "--"],
    ...[...talk, OWN, ...SERVER, `${count}`, THREADS, `${pause}`, `${rest}`],
  ], { through: ["sh", "-c", `exec "$@" >${captured.pipe}`, "sh"] });
  const samples = await watch(tool, count);
  const { code, stderr } = await tool.ended(PATIENCE);
  if (code !== 0) throw new Error(`The tool failed: ${stderr.slice(-2000)}`);
  await others.closeInput();
  await others.ended();
  tcpdump.signal("SIGTERM");
  const end = await tcpdump.ended();
  if (!/^0 packets dropped by kernel$/m.test(end.stderr)) {
    throw new Error(`tcpdump lost packets: ${end.stderr.trim()}`);
  }
  return {
    samples,
    result: {
      truth: await truth.ended(),
      captured: await captured.ended(),
      remains: parseRemains(stderr),
      told: toldWords(stderr),
      memory: samples.map(({ anonymous }) => anonymous),
    },
  };
}

/** Takes the tool's memory at each message of the program. */
async function watch(tool: Child, count: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const began = performance.now();
  const take = async (after: string): Promise<void> => {
    const pattern = new RegExp(`conversations: ${after}\n`);
    await tool.seen("stderr", pattern, PATIENCE);
    const seconds = (performance.now() - began) / 1000;
    const memory = memoryOf(tool.pid);
    const sample = { after, seconds, ...memory };
    samples.push(sample);
    say(Deno.stderr, `${after}: ${rowOf(sample).slice(1).join(" ")}\n`);
  };
  for (let done = STEP; done <= count; done += STEP) await take(`${done}`);
  await take("over");
  return samples;
}

/** Starts a program that reads a capture from a named pipe. */
async function startDigest(
  bench: Bench,
  name: string,
): Promise<{ readonly pipe: string; readonly ended: () => Promise<Digest> }> {
  const program = await compile(bench, "soak_digest");
  const pipe = `${bench.folder}/${name}`;
  await within(bench.start(["mkfifo", pipe]).status, "mkfifo");
  const reader = bench.start(["sh", "-c", `exec ${program} ${OWN} <${pipe}`]);
  return {
    pipe,
    ended: async () => parseDigest((await reader.ended()).stdout),
  };
}

/** Compiles a program of this folder, unless it is there. */
async function compile(bench: Bench, name: string): Promise<string> {
  const target = `${bench.folder}/${name}`;
  const source = new URL(`${name}.c`, import.meta.url).pathname;
  const flags = ["-O2", "-pthread", "-Wall", "-Wextra"];
  const gcc = bench.start(["gcc", ...flags, "-o", target, source]);
  const { code, stderr } = await gcc.ended();
  if (code !== 0) throw new Error(stderr);
  return target;
}

function rowOf({ after, seconds, resident, anonymous }: Sample): string[] {
  return [
    after,
    seconds.toFixed(0),
    (resident / MEBIBYTE).toFixed(0),
    (anonymous / MEBIBYTE).toFixed(0),
  ];
}

function tableOf(
  tracker: string,
  samples: readonly Sample[],
  result: SoakResult,
): Table {
  const { truth, captured, remains } = result;
  const problems = judge(result);
  return {
    title: `Soak test, ${tracker}`,
    columns: [
      { heading: "conversations" },
      { heading: "seconds" },
      { heading: "resident", unit: "MiB" },
      { heading: "of it anonymous", unit: "MiB" },
    ],
    rows: samples.map(rowOf),
    notes: [
      `${truth.own.toLocaleString("en-US")} packets passed, ` +
      `${captured.own.toLocaleString("en-US")} of them were captured, and ` +
      `${captured.others} of others`,
      `At the end ${remains.sockets} sockets were known and ` +
      `${remains.places} places of the socket table in use`,
      ...problems.length === 0 ? ["Nothing is wrong"] : problems,
    ],
  };
}
