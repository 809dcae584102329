/**
 * Filters judged by libpcap and tcpdump: on every sample capture each
 * expression of the table must pick the packets that they pick, with a program
 * that is not much longer.
 *
 * libpcap's own compiler and filter are called for all pairs of expression and
 * capture; `tcpdump -r FILE EXPRESSION` is run for every expression on one
 * capture, in turn.
 *
 * @module
 */
import assert from "node:assert/strict";
import { compileFilter, type Filter } from "../../bpf/filter/compile.ts";
import { FilterSyntaxError } from "../../bpf/filter/errors.ts";
import { resolverFromFiles } from "../../bpf/filter/names.ts";
import { EXPRESSIONS } from "../unit/bpf/filter/expressions.ts";
import {
  readCapture,
  SAMPLE_LINK_TYPES,
  sampleName,
} from "../unit/bpf/filter/samples.ts";
import { isContinuousIntegration, missing } from "../support/requires.ts";
import { judgeWithLibpcap, LIBPCAP, type Verdict } from "./libpcap_judge.ts";

const FOLDER = new URL("../golden/data/", import.meta.url).pathname;
/** Our programs may be this much longer than those of libpcap. */
const MAX_GROWTH = 1.2;
const NAMES = resolverFromFiles({
  services: Deno.readTextFileSync("/etc/services"),
  protocols: Deno.readTextFileSync("/etc/protocols"),
});

/** A test that is skipped, and says so, when a judge is missing. */
function judged(
  name: string,
  reason: string | undefined,
  run: () => void | Promise<void>,
): void {
  const isSkipped = reason !== undefined && !isContinuousIntegration();
  Deno.test({
    name: reason === undefined ? name : `${name} (needs ${reason})`,
    ignore: isSkipped,
    fn: run,
  });
}

function compile(linkType: number, text: string): Filter | undefined {
  try {
    return compileFilter(text, { linkType, resolve: NAMES });
  } catch (error) {
    if (error instanceof FilterSyntaxError) return undefined;
    throw error;
  }
}

/** Numbers of the packets that the filter picks. */
function pick(
  filter: Filter,
  packets: ReturnType<typeof readCapture>,
): number[] {
  return packets
    .filter(({ bytes, length: wireLength }) =>
      filter.matches(bytes, { wireLength })
    )
    .map(({ second }) => second);
}

function compare(
  text: string,
  filter: Filter | undefined,
  verdict: Verdict,
  packets: ReturnType<typeof readCapture>,
): string[] {
  if (filter === undefined || verdict.packets === undefined) {
    if ((filter === undefined) === (verdict.packets === undefined)) return [];
    return [`${text}: ${filter === undefined ? "we" : "only they"} refuse`];
  }
  const problems = [];
  const ours = pick(filter, packets);
  if (ours.join() !== verdict.packets.join()) {
    problems.push(`${text}: ${ours} instead of ${verdict.packets}`);
  }
  const { length } = filter.program;
  if (length > Math.max(1, Math.floor(verdict.length * MAX_GROWTH))) {
    problems.push(`${text}: ${length} steps instead of ${verdict.length}`);
  }
  return problems;
}

for (const linkType of SAMPLE_LINK_TYPES) {
  judged(
    `filters pick what libpcap picks from link type ${linkType}`,
    LIBPCAP === undefined ? "libpcap" : undefined,
    () => {
      const path = FOLDER + sampleName(linkType);
      const packets = readCapture(Deno.readFileSync(path));
      const verdicts = judgeWithLibpcap(path, EXPRESSIONS, packets);
      const problems = EXPRESSIONS.flatMap((text, index) =>
        compare(text, compile(linkType, text), verdicts[index]!, packets)
      );
      assert.deepEqual(problems, []);
    },
  );
}

judged(
  "filters pick what tcpdump picks",
  missing(["program tcpdump"]),
  async () => {
    const problems: string[] = [];
    for (const [index, text] of EXPRESSIONS.entries()) {
      const linkType = SAMPLE_LINK_TYPES[index % SAMPLE_LINK_TYPES.length]!;
      const path = FOLDER + sampleName(linkType);
      const filter = compile(linkType, text);
      if (filter === undefined || filter.rejectsAll) continue;
      const { success, stdout } = await new Deno.Command("tcpdump", {
        args: ["-r", path, "-w", "-", "--", text],
        stderr: "null",
      }).output();
      const theirs = readCapture(stdout).map(({ second }) => second);
      const ours = pick(filter, readCapture(Deno.readFileSync(path)));
      if (!success || ours.join() !== theirs.join()) {
        problems.push(`${text} on ${linkType}: ${ours} instead of ${theirs}`);
      }
    }
    assert.deepEqual(problems, []);
  },
);

Deno.test("the table of expressions is large enough", () => {
  assert(EXPRESSIONS.length >= 400);
  assert.equal(new Set(EXPRESSIONS).size, EXPRESSIONS.length);
});
