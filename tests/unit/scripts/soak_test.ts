import assert from "node:assert/strict";
import { OptionError } from "../../../scripts/script.ts";
import { parseOptions } from "../../../scripts/soak_options.ts";
import {
  judge,
  parseDigest,
  parseRemains,
  type SoakResult,
} from "../../../scripts/soak_result.ts";

const MEBIBYTE = 2 ** 20;
const DIGEST = { own: 100, others: 0, sum: "0123456789abcdef" };
const GOOD: SoakResult = {
  truth: DIGEST,
  captured: DIGEST,
  remains: { sockets: 0, places: 0 },
  told: [],
  memory: [50, 90, 100, 105].map((size) => size * MEBIBYTE),
};

Deno.test("judge() finds nothing wrong with equal captures and flat memory", () => {
  assert.deepEqual(judge(GOOD), []);
});

for (
  const [problem, change] of [
    ["3 packets are missing: not told", {
      captured: { ...DIGEST, own: 97 },
    }],
    ["3 packets are missing: lost; N dropped", {
      captured: { ...DIGEST, own: 97 },
      told: ["lost", "N dropped"],
    }],
    ["1 packets are there twice", { captured: { ...DIGEST, own: 101 } }],
    ["7 packets are foreign", { captured: { ...DIGEST, others: 7 } }],
    ["Some packets differ", { captured: { ...DIGEST, sum: "0".repeat(16) } }],
    ["2 sockets are taken for open", { remains: { sockets: 2, places: 0 } }],
    ["5 places of the socket table are in use", {
      remains: { sockets: 0, places: 5 },
    }],
    ["Memory grew by 30 MiB", {
      memory: [10, 20, 30, 60].map((size) => size * MEBIBYTE),
    }],
  ] as const
) {
  Deno.test(`judge() says: ${problem}`, () => {
    assert.deepEqual(judge({ ...GOOD, ...change }), [problem]);
  });
}

Deno.test("parseDigest() reads three numbers", () => {
  assert.deepEqual(parseDigest("100 0 0123456789abcdef\n"), DIGEST);
  assert.throws(() => parseDigest(""), /No digest/);
});

Deno.test("parseRemains() reads the last debug message", () => {
  const text = "tracedump: at the end 0 sockets are known and 12 places of " +
    "the socket table in use\n";
  assert.deepEqual(parseRemains(text), { sockets: 0, places: 12 });
  assert.throws(() => parseRemains("nothing"), /No end/);
});

Deno.test("soak: parseOptions() has defaults and refuses what it does not know", () => {
  assert.deepEqual(parseOptions([]), {
    trackers: ["ebpf", "ptrace"],
    count: 1_000_000,
    pause: 300,
    rest: 90,
    markdown: false,
  });
  assert.deepEqual(parseOptions(["--tracker", "ptrace"])?.trackers, ["ptrace"]);
  assert.equal(parseOptions(["-h"]), undefined);
  for (const args of [["--count", "x"], ["--tracker", "x"], ["x"]]) {
    assert.throws(() => parseOptions(args), OptionError);
  }
});
