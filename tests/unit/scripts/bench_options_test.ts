import { deepEqual, equal, throws } from "node:assert/strict";
import { GROUPS, parseOptions } from "../../../scripts/bench_options.ts";
import { OptionError } from "../../../scripts/script.ts";

Deno.test("parseOptions() measures everything unless told", () => {
  deepEqual(parseOptions([]), {
    groups: GROUPS,
    seconds: 3,
    rounds: 5,
    markdown: false,
    json: undefined,
    tool: undefined,
  });
});

Deno.test("parseOptions() takes options beside groups in any order", () => {
  deepEqual(
    parseOptions([
      ...["start", "--rounds", "7", "nginx", "--markdown"],
      ...["--seconds=10", "--json", "out.json", "--tool", "./tracedump"],
    ]),
    {
      groups: ["nginx", "start"],
      seconds: 10,
      rounds: 7,
      markdown: true,
      json: "out.json",
      tool: "./tracedump",
    },
  );
});

Deno.test("parseOptions() gives way to help", () => {
  equal(parseOptions(["--help"]), undefined);
  equal(parseOptions(["nginx", "-h"]), undefined);
});

for (
  const args of [
    ["ngix"],
    ["--seconds", "0"],
    ["--seconds", "1.5"],
    ["--rounds", "abc"],
    ["--rounds"],
    ["--fast"],
  ]
) {
  Deno.test(`parseOptions() refuses ${args.join(" ")}`, () => {
    throws(() => parseOptions(args), OptionError);
  });
}
