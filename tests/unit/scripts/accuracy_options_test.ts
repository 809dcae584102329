import assert from "node:assert/strict";
import { parseOptions } from "../../../scripts/accuracy_options.ts";
import { OptionError } from "../../../scripts/script.ts";

Deno.test("accuracy: parseOptions() without arguments runs everything", () => {
  assert.deepEqual(parseOptions([]), {
    filter: undefined,
    ways: [
      { tracker: "ebpf", filter: "map" },
      { tracker: "ebpf", filter: "classic" },
      { tracker: "ptrace", filter: "map" },
      { tracker: "ptrace", filter: "classic" },
    ],
    groups: false,
    markdown: false,
    save: undefined,
    show: undefined,
  });
});

Deno.test("accuracy: parseOptions() takes words as one filter", () => {
  const options = parseOptions([
    ...["--tracker", "ptrace", "--kernel-filter", "map", "UDP", "client"],
  ]);
  assert.deepEqual(options?.ways, [{ tracker: "ptrace", filter: "map" }]);
  assert.equal(options?.filter, "UDP client");
});

Deno.test("accuracy: parseOptions() leaves nothing to run with --help", () => {
  assert.equal(parseOptions(["--help", "--tracker", "?"]), undefined);
});

for (
  const args of [
    ["--tracker", "none"],
    ["--kernel-filter", "none"],
    ["--nonsense"],
  ]
) {
  Deno.test(`accuracy: parseOptions() refuses ${args.join(" ")}`, () => {
    assert.throws(() => parseOptions(args), OptionError);
  });
}
