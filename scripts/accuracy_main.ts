/**
 * Runs the capture tests with each tracker and shows how exact they were.
 *
 * @module
 */
import { type AccuracyRecord, keepingIn } from "../tests/support/accuracy.ts";
import { TOOL } from "../tests/support/tool.ts";
import {
  type AccuracyOptions,
  HELP,
  parseOptions,
} from "./accuracy_options.ts";
import { type AccuracyRun, accuracyTable, isHonest } from "./accuracy_table.ts";
import { formatMarkdown, formatPlain } from "./bench_table.ts";
import { failedTests, parseSummary } from "./gate_summary.ts";
import { runScript, say } from "./script.ts";
import { versionFacts } from "./versions.ts";

const TESTS = "tests/integration";

if (import.meta.main) {
  Deno.exit(
    await runScript({
      name: "accuracy",
      help: HELP,
      parse: parseOptions,
      needsRoot: ({ show }) => show === undefined,
      run: report,
    }),
  );
}

async function report(options: AccuracyOptions): Promise<number> {
  const { show, save, groups, markdown } = options;
  const run: AccuracyRun = show === undefined
    ? await measure(options)
    : JSON.parse(await Deno.readTextFile(show));
  if (save !== undefined) {
    await Deno.writeTextFile(save, `${JSON.stringify(run)}\n`);
  }
  const facts = Object.entries(run.facts).map(([name, text]) =>
    markdown ? `- ${name}: ${text}\n` : `${name.padEnd(8)} ${text}\n`
  ).join("");
  const table = accuracyTable(run, groups);
  const text = markdown ? formatMarkdown(table) : formatPlain(table);
  say(Deno.stdout, `${facts}\n${text}`);
  return isHonest(run) ? 0 : 1;
}

/** Runs the tests, one way after the other. */
async function measure(
  { filter, ways }: AccuracyOptions,
): Promise<AccuracyRun> {
  const facts = await versionFacts({
    tool: [...TOOL, "--version"],
    tcpdump: ["tcpdump", "--version"],
  });
  const folder = await Deno.makeTempDir({ prefix: "tracedump-accuracy-" });
  const records: AccuracyRecord[] = [];
  const failed: string[] = [];
  let skipped = 0;
  try {
    for (const way of ways) {
      const path = `${folder}/${way.tracker}-${way.filter}`;
      const options = `--tracker ${way.tracker} --kernel-filter ${way.filter}`;
      const output = await runTests(options, path, filter);
      const own = await readRecords(path);
      records.push(...own);
      const compared = own.map(({ name, variant }) =>
        [name, ...variant].join(" ")
      );
      failed.push(
        ...failedTests(output).filter((name) => !compared.includes(name)),
      );
      skipped = Math.max(skipped, parseSummary(output)?.ignored ?? 0);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { facts, ways, records, failed, skipped };
}

/** Runs the tests that compare, and returns what they printed. */
async function runTests(
  variants: string,
  records: string,
  filter: string | undefined,
): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "--allow-all", "--no-check", "--frozen", ...comparingTests()],
      ...(filter === undefined ? [] : [`--filter=${filter}`]),
    ],
    stdin: "null",
    stdout: "piped",
    env: {
      NO_COLOR: "1",
      TRACEDUMP_VARIANTS: variants,
      ...keepingIn(records),
    },
  }).spawn();
  let output = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += part;
    say(Deno.stderr, part);
  }
  await child.status;
  return output;
}

/** Files of capture tests that compare packets. */
function comparingTests(): string[] {
  return [...Deno.readDirSync(TESTS)].map(({ name }) => `${TESTS}/${name}`)
    .filter((path) =>
      path.endsWith("_capture_test.ts") &&
      Deno.readTextFileSync(path).includes(".verify(")
    ).sort();
}

async function readRecords(path: string): Promise<AccuracyRecord[]> {
  try {
    const text = await Deno.readTextFile(path);
    return text.trimEnd().split("\n").map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
