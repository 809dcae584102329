import { equal } from "node:assert/strict";
import { scriptOf, STEPS } from "../../../../scripts/test_kernels/steps.ts";

Deno.test("scriptOf() quotes every word", () => {
  const step = {
    name: "one",
    title: "One",
    limit: 1,
    args: ["run", "it's"],
    env: { OPTIONS: "a; b" },
  };
  equal(
    scriptOf(step, "/deno", "/a b", { MORE: "$x" }),
    "cd '/a b'\nexport MORE='$x'\nexport OPTIONS='a; b'\n" +
      "exec '/deno' 'run' 'it'\\''s'\n",
  );
});

Deno.test("STEPS name files that exist", () => {
  const project = new URL("../../../../", import.meta.url);
  for (const { args } of STEPS) {
    for (const file of args.filter((word) => /\.ts$/.test(word))) {
      equal(Deno.statSync(new URL(file, project)).isFile, true);
    }
  }
});
