import assert from "node:assert/strict";
import fc from "fast-check";
import {
  assembleClassic,
  disassembleClassic,
  type Instruction,
  jump,
  statement,
} from "../../../../bpf/classic/instruction.ts";

const instructions: fc.Arbitrary<Instruction[]> = fc.array(
  fc.record({
    code: fc.integer({ min: 0, max: 0xffff }),
    jt: fc.integer({ min: 0, max: 0xff }),
    jf: fc.integer({ min: 0, max: 0xff }),
    k: fc.integer({ min: 0, max: 0xffffffff }),
  }, { noNullPrototype: true }),
);

Deno.test("assembleClassic() lays out struct sock_filter", () => {
  assert.deepEqual(
    assembleClassic([jump(0x15, 0x11223344, 1, 2), statement(0x06, -1)]),
    Uint8Array.of(
      ...[0x15, 0, 1, 2, 0x44, 0x33, 0x22, 0x11],
      ...[0x06, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
    ),
  );
});

Deno.test("disassembleClassic() undoes assembleClassic()", () => {
  fc.assert(fc.property(instructions, (program) => {
    assert.deepEqual(disassembleClassic(assembleClassic(program)), program);
  }));
});

Deno.test("disassembleClassic() takes any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    const program = disassembleClassic(bytes);
    const whole = bytes.length - bytes.length % 8;
    assert.equal(program.length, whole / 8);
    assert.deepEqual(assembleClassic(program), bytes.slice(0, whole));
  }));
});

Deno.test("disassembleClassic() reads a view into a larger buffer", () => {
  const bytes = new Uint8Array(24);
  bytes.set(assembleClassic([statement(0x06, 7)]), 3);
  assert.deepEqual(disassembleClassic(bytes.subarray(3, 11)), [
    statement(0x06, 7),
  ]);
});
