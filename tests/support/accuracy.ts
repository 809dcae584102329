/**
 * What each comparison with the independent capture found, kept for
 * `scripts/accuracy`: one JSON object per line in the file that the variable
 * `TRACEDUMP_ACCURACY` names.
 *
 * @module
 */

import type { Comparison, TruthPacket } from "./compare.ts";

/** One comparison. */
export interface AccuracyRecord {
  /** Name of the test. */
  readonly name: string;
  /** Options of the tool in this variant of the test. */
  readonly variant: readonly string[];
  /** Packets of the program that had to be captured. */
  readonly wanted: number;
  /** Captured packets that are right. */
  readonly right: number;
  /** Packets that had to be captured and were not. */
  readonly missing: number;
  /** Captured packets that are not the program's, or are there too often. */
  readonly wrong: number;
  /** What the tool itself said that it may miss, without numbers. */
  readonly told: readonly string[];
}

const VARIABLE = "TRACEDUMP_ACCURACY";

/** Makes the record of a comparison. */
export function accuracyOf(
  test: Pick<AccuracyRecord, "name" | "variant">,
  truth: readonly TruthPacket[],
  { right, missing, foreign, doubled }: Comparison,
  toolOutput: string,
): AccuracyRecord {
  return {
    ...test,
    wanted: truth.filter((p) => p.isOwned && p.isRequired).length,
    right,
    missing: missing.length,
    wrong: foreign.length + doubled.length,
    told: toldWords(toolOutput),
  };
}

/** Keeps a record if somebody wants it. */
export function keep(record: AccuracyRecord): void {
  const path = Deno.env.get(VARIABLE);
  if (path === undefined) return;
  Deno.writeTextFileSync(path, `${JSON.stringify(record)}\n`, { append: true });
}

/** Environment in which tests keep their records in a file. */
export function keepingIn(path: string): Record<string, string> {
  return { [VARIABLE]: path };
}

/**
 * The tool's warnings, and what it counted as dropped; each once, with `N` for
 * every number.
 */
export function toldWords(text: string): string[] {
  const said = [
    ...text.matchAll(/^tracedump: warning: (.*)$/gm),
    ...text.matchAll(/([1-9][\d,]* dropped by kernel)/g),
  ].map(([, words]) =>
    words!.replaceAll(/(process \d+) \([^)]*\)/g, "$1 (NAME)")
      .replaceAll(/\d[\d,.]*(:\d+)?/g, "N")
  );
  return [...new Set(said)];
}
