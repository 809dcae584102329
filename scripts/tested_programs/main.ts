/**
 * Tries real programs and shows what came of it.
 *
 * @module
 */
import { Bench } from "../../tests/support/bench.ts";
import { missing, type Requirement } from "../../tests/support/requires.ts";
import { TOOL } from "../../tests/support/tool.ts";
import { shortVersion } from "../bench_machine.ts";
import { formatMarkdown, formatPlain } from "../bench_table.ts";
import { runScript, say } from "../script.ts";
import { firstLine, versionFacts } from "../versions.ts";
import { HELP, parseOptions, type TrialOptions } from "./options.ts";
import { type Program, PROGRAMS } from "./programs.ts";
import {
  isHarmless,
  merge,
  type ProgramReport,
  programTable,
  WAYS,
} from "./report.ts";
import { tryProgram } from "./trial.ts";

/** How often a program is timed. */
const RUNS = 3;

/** Beginning of the document. */
const INTRODUCTION = `# Programs that were tried

\`scripts/tested-programs --markdown\` wrote this page. Each program runs in a
network namespace of its own: without tracedump, launched by it, and attached to
again and again at random moments while it works without pause. Every third time
tracedump is killed with SIGKILL, sometimes before it has attached. "same" means
that output and exit status are those of a run without tracedump, that no thread
stayed traced or stopped, and no zombie was left.

The times are those of the program alone, the shortest of ${RUNS} runs in turns
with runs without tracedump. On a busy machine they tell little.

`;

/** Everything that was found. */
interface Kept {
  readonly facts: Readonly<Record<string, string>>;
  readonly reports: readonly ProgramReport[];
}

if (import.meta.main) {
  Deno.exit(
    await runScript({
      name: "tested-programs",
      help: HELP,
      parse: parseOptions,
      needsRoot: ({ show }) => show === undefined,
      run,
    }),
  );
}

async function run(options: TrialOptions): Promise<number> {
  const { show, save, markdown } = options;
  let kept: Kept = show === undefined ? await tryAll(options) : read(show);
  if (save !== undefined) {
    kept = { ...kept, reports: merge(readOr(save).reports, kept.reports) };
    await Deno.writeTextFile(save, `${JSON.stringify(kept)}\n`);
  }
  const facts = Object.entries(kept.facts).map(([name, text]) =>
    markdown ? `- ${name}: ${text}\n` : `${name.padEnd(8)} ${text}\n`
  ).join("");
  const table = programTable(inOrder(kept.reports));
  const text = markdown ? formatMarkdown(table) : formatPlain(table);
  say(Deno.stdout, `${markdown ? INTRODUCTION : ""}${facts}\n${text}`);
  return isHarmless(kept.reports) ? 0 : 1;
}

async function tryAll({ names, times }: TrialOptions): Promise<Kept> {
  const facts = await versionFacts({ tool: [...TOOL, "--version"] });
  const reports: ProgramReport[] = [];
  for (const program of PROGRAMS) {
    const { name, version } = program;
    const isWanted = names.length === 0 ||
      names.some((word) => name.toLowerCase().includes(word.toLowerCase()));
    if (!isWanted) continue;
    const reason = missing(needsOf(program));
    if (reason !== undefined) {
      say(Deno.stderr, `${name}: left out: ${reason}\n`);
      continue;
    }
    say(Deno.stderr, `${name}\n`);
    await using bench = await Bench.create({ network: "private" });
    const results = await tryProgram(bench, program, WAYS, {
      runs: RUNS,
      attachments: times,
    });
    for (const { way, tracker, failure } of results) {
      say(Deno.stderr, `  ${way}, ${tracker}: ${failure ?? "same"}\n`);
    }
    reports.push({
      name,
      version: shortVersion(await firstLine(version)),
      date: facts.date!,
      times,
      results,
    });
  }
  return { facts, reports };
}

function needsOf({ version, needs = [] }: Program): Requirement[] {
  return [
    "network namespaces",
    ...["nginx", version[0]!, ...needs].map((name) =>
      `program ${name}` as const
    ),
  ];
}

function inOrder(reports: readonly ProgramReport[]): ProgramReport[] {
  return PROGRAMS.flatMap(({ name }) =>
    reports.filter((report) => report.name === name)
  );
}

function read(path: string): Kept {
  return JSON.parse(Deno.readTextFileSync(path));
}

function readOr(path: string): Kept {
  try {
    return read(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { facts: {}, reports: [] };
    }
    throw error;
  }
}
