import assert from "node:assert/strict";
import fc from "fast-check";
import { ClassicAssembler } from "../../../bpf/classic/assembler.ts";
import { packet } from "../../../bpf/classic/operands.ts";
import { ClassicMachine } from "../../../bpf/classic/vm.ts";
import { type Branch, emitDecision } from "../../../bpf/decision_tree.ts";

/** A tree over a word of the packet: the verdict is the label's number. */
function build(
  branches: readonly Branch[],
  options: { min?: number; max?: number; leafSize?: number },
): ClassicMachine {
  return new ClassicMachine(assemble(branches, options).assemble());
}

function assemble(
  branches: readonly Branch[],
  options: { min?: number; max?: number; leafSize?: number },
): ClassicAssembler {
  const assembler = new ClassicAssembler().ld(packet(0));
  emitDecision(assembler, branches, { ...options, otherwise: "0" });
  for (const label of ["0", "1", "2", "3"]) {
    assembler.label(label).ret(Number(label));
  }
  return assembler;
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Disjoint, sorted branches with gaps and widths, within `min` to `max`. */
const cases = fc.record({
  min: fc.nat(5),
  steps: fc.array(
    fc.record({
      gap: fc.constantFrom(0, 0, 1, 2, 100),
      width: fc.constantFrom(1, 1, 1, 2, 50),
      label: fc.constantFrom("1", "2", "3"),
    }),
    { maxLength: 120 },
  ),
  above: fc.constantFrom(0, 1, 100),
  leafSize: fc.integer({ min: 1, max: 20 }),
}).map(({ min, steps, above, leafSize }) => {
  let at = min;
  const branches = steps.map(({ gap, width, label }): Branch => {
    const low = at + gap;
    at = low + width;
    return { low, high: at - 1, label };
  });
  return { branches, min, max: Math.max(min, at - 1 + above), leafSize };
});

Deno.test("emitDecision() sends every value to its branch", () => {
  fc.assert(fc.property(cases, ({ branches, min, max, leafSize }) => {
    const machine = build(branches, { min, max, leafSize });
    const edges = branches.flatMap(({ low, high }) => [
      ...[low - 1, low, high, high + 1],
    ]);
    for (const value of [min, max, ...edges]) {
      if (value < min || value > max) continue;
      const branch = branches.find(({ low, high }) =>
        low <= value && value <= high
      );
      assert.equal(
        machine.run({ bytes: word(value) }),
        Number(branch?.label ?? 0),
        `value ${value}`,
      );
    }
  }));
});

Deno.test("emitDecision() takes any 32-bit value if not told more", () => {
  const machine = build([
    { low: 0, high: 0, label: "1" },
    { low: 0x80000000, high: 0xfffffffe, label: "2" },
    { low: 0xffffffff, high: 0xffffffff, label: "3" },
  ], {});
  for (
    const [value, verdict] of [
      [0, 1],
      [1, 0],
      [0x7fffffff, 0],
      [0x80000000, 2],
      [0xfffffffe, 2],
      [0xffffffff, 3],
    ] as const
  ) assert.equal(machine.run({ bytes: word(value) }), verdict);
});

Deno.test("emitDecision() asks only what is not known", () => {
  const branches = [
    { low: 10, high: 19, label: "1" },
    { low: 20, high: 29, label: "2" },
  ];
  const program = assemble(branches, { min: 10, max: 29 }).assemble();
  const tests = program.filter(({ code }) => (code & 0x07) === 0x05);
  assert.deepEqual(tests.map(({ code, k }) => [code, k]), [[0x25, 19]]);
  const all = assemble([{ low: 0, high: 9, label: "1" }], { max: 9 });
  assert.equal(all.assemble()[1]!.code, 0x06);
});

Deno.test("emitDecision() splits many branches in halves", () => {
  const branches = Array.from({ length: 1024 }, (_, index): Branch => ({
    low: 3 * index,
    high: 3 * index,
    label: "1",
  }));
  const program = assemble(branches, { leafSize: 4 }).assemble();
  // 1024 tests, 255 nodes, load and returns; a little for long jumps.
  assert.ok(program.length < 1024 + 255 + 5 + 30, `${program.length}`);
});
