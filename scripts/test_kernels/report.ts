/**
 * Reads what a virtual machine left behind and writes it as Markdown.
 *
 * @module
 */

import { join } from "node:path";
import { parseSummary } from "../gate_summary.ts";
import type { Kernel, UnpackedKernel } from "./packages.ts";
import type { Probe } from "./probe.ts";
import type { Step } from "./steps.ts";

/** How a step ended. */
export interface StepResult {
  readonly title: string;
  /** Short, for a cell of the table. */
  readonly outcome: string;
  /** Seconds; `undefined` when it did not end. */
  readonly seconds: number | undefined;
  readonly isGood: boolean;
  /** Names of failed tests and the like. */
  readonly notes: readonly string[];
}

/** One kernel's results. */
export interface Run {
  readonly version: string;
  /** Package of the kernel. */
  readonly source: string;
  /** `uname -r` and `uname -v`. */
  readonly uname: string;
  readonly date: string;
  /** What was tested, as `git describe` names it. */
  readonly commit: string;
  readonly probes: readonly Probe[];
  /** What the program said about its choice. */
  readonly choice: readonly string[];
  readonly steps: readonly StepResult[];
}

/** Where the results are. */
export interface RunSource {
  readonly kernel: Kernel;
  readonly unpacked: UnpackedKernel;
  readonly results: string;
  readonly steps: readonly Step[];
  /** What is tested. */
  readonly commit: string;
  /** Whether the machine ended in time. */
  readonly isOver: boolean;
}

/** Longest part of a verifier's log that is shown. */
const LOG_LINES = 12;

/** Collects the results of all steps. */
export async function readRun(from: RunSource): Promise<Run> {
  const { kernel, unpacked, results, steps, isOver } = from;
  const read = (name: string): Promise<string> => textOf(join(results, name));
  const machine = (await read("machine")).split("\n");
  const outcomes: StepResult[] = [];
  let probes: Probe[] = [];
  let choice: string[] = [];
  for (const [at, step] of steps.entries()) {
    const file = `${String(at).padStart(2, "0")}-${step.name}`;
    const log = await read(`${file}.log`);
    const status = await read(`${file}.status`);
    outcomes.push(judgeStep(step, log, status));
    if (step.name === "probe") {
      probes = log.split("\n").filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line));
    } else if (step.name === "choice") {
      choice = log.split("\n").filter((line) => line.includes(": debug: "));
    }
  }
  if (!isOver) {
    const last = (await read("console")).trim().split("\n").slice(-LOG_LINES);
    outcomes.push({
      title: "Machine",
      outcome: "did not turn itself off in time",
      seconds: undefined,
      isGood: false,
      notes: last,
    });
  }
  return {
    version: kernel.version,
    source: unpacked.source,
    uname: machine.slice(0, 2).join(" ").trim() || "did not start",
    date: new Date().toISOString().slice(0, 10),
    commit: from.commit,
    probes,
    choice,
    steps: outcomes,
  };
}

function judgeStep(step: Step, log: string, status: string): StepResult {
  const [code, seconds] = status.trim().split(" ").map(Number);
  const base = { title: step.title, seconds };
  if (code === undefined || seconds === undefined) {
    return { ...base, outcome: "not run", isGood: false, notes: [] };
  }
  if (step.args[0] !== "test") {
    const outcome = code === 0 ? "ran" : `exit status ${code}`;
    const notes = code === 0 ? [] : log.trim().split("\n").slice(-LOG_LINES);
    return { ...base, outcome, isGood: code === 0, notes };
  }
  const failed = matches(log, /^(.+ => \.\/tests\/.+)$/gm);
  const skipped = matches(log, /(\(skipped: .*?\)) \.\.\. /g);
  const notes = [...new Set([...failed, ...skipped])];
  const counts = parseSummary(log);
  if (counts === undefined) {
    // Slow tests have a line of their own for the result.
    const passed = matches(log, /(\bok) \(\d/g).length;
    const bad = matches(log, /(\bFAILED) \(\d/g).length;
    const end = code === 124 ? "out of time" : `died with ${code}`;
    const outcome = `${passed} passed, ${bad} failed, then ${end}`;
    return { ...base, outcome, isGood: false, notes };
  }
  const outcome = `${counts.passed} passed, ${counts.failed} failed` +
    (counts.ignored > 0 ? `, ${counts.ignored} skipped` : "");
  return { ...base, outcome, isGood: code === 0 && counts.passed > 0, notes };
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Writes one kernel's section. */
export function writeRun(run: Run): string {
  const lines = [
    `## Linux ${run.version} (${run.date})`,
    "",
    `\`${run.uname}\` from \`${run.source}\`; tracedump \`${run.commit}\`.`,
    "",
  ];
  const table = (head: string[], rows: string[][]): void => {
    const row = (cells: readonly string[]): string =>
      `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    lines.push(row(head), row(head.map(() => "---")), ...rows.map(row), "");
  };
  if (run.probes.length > 0) {
    table(
      ["Part", "Loads", "Milliseconds (emulated)"],
      run.probes.map(({ part, without = [], error, milliseconds }) => [
        part,
        error !== undefined
          ? `no: ${error.split("\n")[0]}`
          : ["yes", ...without].join(", without "),
        String(milliseconds),
      ]),
    );
  }
  table(
    ["Step", "Result", "Seconds (emulated)"],
    run.steps.map(({ title, outcome, seconds }) => [
      title,
      outcome,
      seconds === undefined ? "" : String(seconds),
    ]),
  );
  const blocks = [
    ...run.probes.filter(({ log }) => log !== undefined && log !== "")
      .map(({ part, log }) =>
        [`${part}, end of the verifier's log:`, tail(log!)] as const
      ),
    ["What `-V` says:", run.choice.join("\n")] as const,
    ...run.steps.filter(({ notes }) => notes.length > 0)
      .map(({ title, notes }) => [`${title}:`, notes.join("\n")] as const),
  ];
  for (const [title, text] of blocks) {
    if (text !== "") lines.push(title, "", "```text", text, "```", "");
  }
  return lines.join("\n");
}

function tail(log: string): string {
  return log.trim().split("\n").slice(-LOG_LINES).join("\n");
}
