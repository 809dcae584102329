/**
 * Reads what `deno test` says at its end.
 *
 * @module
 */

/** How many tests ended in which way. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** No tests at all. */
export const NONE: Counts = { passed: 0, failed: 0, ignored: 0 };

/**
 * Finds the last summary line, such as
 * `FAILED | 12 passed (3 steps) | 1 failed | 2 ignored (4s)`.
 *
 * @param output Everything that was printed, without colors.
 * @returns `undefined` when there is no such line: the run died.
 */
export function parseSummary(output: string): Counts | undefined {
  const line = output.split("\n").findLast((line) =>
    /^(?:ok|FAILED) \| \d+ passed\b/.test(line)
  );
  if (line === undefined) return undefined;
  const count = (what: string): number =>
    Number(new RegExp(`\\| (\\d+) ${what}\\b`).exec(line)?.[1] ?? 0);
  return {
    passed: count("passed"),
    failed: count("failed"),
    ignored: count("ignored"),
  };
}

/**
 * Judges one run of tests.
 *
 * A run that ended badly without counting a failure is one failure: it died,
 * or its leaks were found after the last test.
 *
 * @param success Whether the exit status was 0.
 * @param strict Whether an ignored test is a failure.
 */
export function judge(
  output: string,
  success: boolean,
  strict: boolean,
): Counts {
  const counts = parseSummary(output) ?? NONE;
  const bad = counts.failed + (strict ? counts.ignored : 0);
  const silent = bad === 0 && (!success || counts.passed === 0) ? 1 : 0;
  return { ...counts, failed: bad + silent };
}

/**
 * Names of the tests that failed, as listed at the end of a run:
 * `some test => ./tests/some_test.ts:12:6`.
 */
export function failedTests(output: string): string[] {
  const list = output.slice(output.lastIndexOf("\n FAILURES "));
  const names = list.matchAll(/^(.+) => \.\/\S+:\d+:\d+$/gm);
  return [...new Set([...names].map(([, name]) => name!))];
}

/** Adds counts up. */
export function sum(all: readonly Counts[]): Counts {
  return all.reduce((a, b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    ignored: a.ignored + b.ignored,
  }), NONE);
}
