import assert from "node:assert/strict";
import { statement } from "../../../../bpf/classic/instruction.ts";
import {
  ALLOWED_CODES,
  findViolation,
  validateClassic,
} from "../../../../bpf/classic/validate.ts";
import { RULE_CASES } from "./rule_cases.ts";

Deno.test("findViolation() applies each rule", async (t) => {
  for (const [name, program, kind, message] of RULE_CASES) {
    await t.step(name, () => {
      assert.equal(findViolation(program, kind)?.message, message);
    });
  }
});

Deno.test("validateClassic() throws what findViolation() finds", () => {
  assert.throws(() => validateClassic([]), RangeError);
  validateClassic([statement(0x06, 0)]);
});

Deno.test("Seccomp allows no packet loads but words, and no mod", () => {
  const refused = [...ALLOWED_CODES.socket].filter((code) =>
    !ALLOWED_CODES.seccomp.has(code)
  );
  // MOD with K and X; H and B of ABS; W, H and B of IND; MSH.
  assert.deepEqual(
    refused.sort((a, b) => a - b),
    [0x28, 0x30, 0x40, 0x48, 0x50, 0x94, 0x9c, 0xb1],
  );
});
