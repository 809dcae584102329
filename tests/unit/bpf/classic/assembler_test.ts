import assert from "node:assert/strict";
import fc from "fast-check";
import { ClassicAssembler } from "../../../../bpf/classic/assembler.ts";
import {
  type Instruction,
  jump,
  statement,
} from "../../../../bpf/classic/instruction.ts";
import { cell, constant, packet } from "../../../../bpf/classic/operands.ts";
import {
  ALLOWED_CODES,
  findViolation,
  validateClassic,
} from "../../../../bpf/classic/validate.ts";
import { ClassicMachine } from "../../../../bpf/classic/vm.ts";
import { LabelError } from "../../../../bpf/labels.ts";
import { JUMPS, RETURNS, STATEMENTS } from "./every_instruction.ts";

Deno.test("ClassicAssembler knows every instruction", () => {
  for (const [emit, instruction, text] of [...STATEMENTS, ...RETURNS]) {
    const assembler = new ClassicAssembler();
    emit(assembler);
    assert.deepEqual(assembler.assemble(), [instruction], text);
  }
  for (const [emit, instruction, text] of JUMPS) {
    const assembler = new ClassicAssembler();
    emit(assembler);
    assembler.txa().label("one").ret("a").label("two").tax().ret(0);
    assert.deepEqual(assembler.assemble()[0], instruction, text);
  }
});

Deno.test("The table of every instruction leaves none out", () => {
  const rows = [...STATEMENTS, ...JUMPS, ...RETURNS];
  assert.deepEqual(
    new Set(rows.map(([, { code }]) => code)),
    ALLOWED_CODES.socket,
  );
});

Deno.test("label() takes any number of names for one place", () => {
  const program = new ClassicAssembler()
    .jeq(1, "a", "b")
    .txa()
    .label("a").label("b").ret(0)
    .assemble();
  assert.deepEqual(program[0], jump(0x15, 1, 1, 1));
});

Deno.test("unique() never repeats a name", () => {
  const assembler = new ClassicAssembler().label("leaf.1");
  const names = [assembler.unique("leaf"), assembler.unique("leaf")];
  assert.equal(new Set([...names, "leaf.1"]).size, 3);
});

Deno.test("assemble() leaves out a jump to the next instruction", () => {
  const program = new ClassicAssembler()
    .jeq(1, "first", "end")
    .label("first").ja("end")
    .label("end").ret(0)
    .assemble();
  assert.deepEqual(program, [jump(0x15, 1, 0, 0), statement(0x06, 0)]);
});

Deno.test("assemble() names missing, doubled and backward labels", () => {
  const missing = new ClassicAssembler().ja("end").ret(0);
  assert.throws(() => missing.assemble(), {
    label: "end",
    message: 'Cannot jump from instruction 0 to label "end": it is not defined',
  });
  const doubled = new ClassicAssembler().label("end");
  assert.throws(() => doubled.label("end"), LabelError);
  const backward = new ClassicAssembler().label("loop").txa().ja("loop");
  assert.throws(() => backward.ret(0).assemble(), { label: "loop" });
  const past = new ClassicAssembler().jeq(1, "end").ret(0).label("end");
  assert.throws(() => past.assemble(), { label: "end" });
});

Deno.test("assemble() without trampolines names a label out of reach", () => {
  const build = (gap: number): Instruction[] => {
    const assembler = new ClassicAssembler({ trampolines: false });
    assembler.jeq(1, "accept");
    for (let index = 0; index < gap; index++) assembler.txa();
    return assembler.label("accept").ret(0).assemble();
  };
  assert.deepEqual(build(255)[0], jump(0x15, 1, 255, 0));
  assert.throws(() => build(256), {
    label: "accept",
    message: 'Cannot jump from instruction 0 to label "accept": ' +
      "distance 256 is outside 0 to 255",
  });
});

Deno.test("assemble() copies a ret that is out of reach", () => {
  const assembler = new ClassicAssembler().jeq(1, undefined, "drop");
  for (let index = 0; index < 256; index++) assembler.txa();
  const program = assembler.label("drop").ret(9).assemble();
  assert.deepEqual(program.slice(0, 2), [
    jump(0x15, 1, 1, 0),
    statement(0x06, 9),
  ]);
  assert.equal(program.length, 259);
});

Deno.test("assemble() jumps in steps to what it cannot copy", () => {
  const assembler = new ClassicAssembler().jeq(1, "far", "drop");
  for (let index = 0; index < 300; index++) assembler.txa();
  const program = assembler
    .label("far").ld(packet(0)).ret("a")
    .label("drop").ret(0)
    .assemble();
  assert.deepEqual(program.slice(0, 3), [
    jump(0x15, 1, 1, 0),
    statement(0x06, 0),
    statement(0x05, 300),
  ]);
});

Deno.test("assemble() keeps cells valid across a copied ret", () => {
  // A ret copied before the cell load would be reached from a place where
  // the cell is not set, and make the kernel refuse the load after it.
  const assembler = new ClassicAssembler()
    .jeq(1, "drop")
    .ld(constant(5)).st(0)
    .jeq(2, "drop")
    .ld(cell(0));
  for (let index = 0; index < 300; index++) assembler.add(0);
  const program = assembler.ret("a").label("drop").ret(0).assemble();
  assert.equal(findViolation(program), undefined);
});

/** A line of a random program; targets count lines ahead. */
type Line =
  | { readonly kind: "add"; readonly value: number; readonly repeat: number }
  | { readonly kind: "store" | "load"; readonly cell: number }
  | { readonly kind: "always"; readonly ahead: number }
  | { readonly kind: "ret"; readonly value: number }
  | {
    readonly kind: "jeq" | "jgt" | "jge" | "jset";
    readonly value: number;
    readonly then: number;
    readonly otherwise: number;
  };

const ahead = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 0, max: 80 }),
);
const value = fc.integer({ min: 0, max: 40 });
const lines: fc.Arbitrary<Line[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("add" as const),
      value,
      repeat: fc.constantFrom(1, 1, 2, 60, 253, 254, 255, 256, 257, 300),
    }),
    fc.record({ kind: fc.constant("store" as const), cell: fc.nat(3) }),
    fc.record({ kind: fc.constant("load" as const), cell: fc.nat(3) }),
    fc.record({ kind: fc.constant("always" as const), ahead }),
    fc.record({ kind: fc.constant("ret" as const), value }),
    fc.record({
      kind: fc.constantFrom("jeq", "jgt", "jge", "jset"),
      value,
      then: ahead,
      otherwise: ahead,
    }),
  ),
  { maxLength: 60 },
);

/** Assembles lines; cells 0 to 3 are set first, the end returns A. */
function build(all: readonly Line[]): Instruction[] {
  const assembler = new ClassicAssembler();
  const target = (index: number, distance: number): string | undefined =>
    distance === 0
      ? undefined
      : `line ${Math.min(all.length, index + 1 + distance)}`;
  for (let index = 0; index < 4; index++) assembler.st(index);
  assembler.ldb(packet(0));
  for (const [index, line] of all.entries()) {
    assembler.label(`line ${index}`);
    switch (line.kind) {
      case "add":
        for (let n = 0; n < line.repeat; n++) assembler.add(line.value);
        break;
      case "store":
        assembler.st(line.cell);
        break;
      case "load":
        assembler.ld(cell(line.cell));
        break;
      case "always":
        assembler.ja(`line ${Math.min(all.length, index + 1 + line.ahead)}`);
        break;
      case "ret":
        assembler.ret(line.value);
        break;
      default:
        assembler[line.kind](
          line.value,
          target(index, line.then),
          target(index, line.otherwise),
        );
    }
  }
  return assembler.label(`line ${all.length}`).ret("a").assemble();
}

/** What the lines mean, without any layout. */
function interpret(all: readonly Line[], input: number): number {
  const cells = [0, 0, 0, 0];
  let a = input;
  for (let at = 0; at < all.length; at++) {
    const line = all[at]!;
    switch (line.kind) {
      case "add":
        a += line.value * line.repeat;
        break;
      case "store":
        cells[line.cell] = a;
        break;
      case "load":
        a = cells[line.cell]!;
        break;
      case "always":
        at += line.ahead;
        break;
      case "ret":
        return line.value;
      default: {
        const holds = {
          jeq: a === line.value,
          jgt: a > line.value,
          jge: a >= line.value,
          jset: (a & line.value) !== 0,
        }[line.kind];
        at += holds ? line.then : line.otherwise;
      }
    }
  }
  return a;
}

Deno.test("assemble() keeps the meaning at any distance", () => {
  let trampolines = 0;
  fc.assert(
    fc.property(lines, fc.uint8Array({ minLength: 5, maxLength: 5 }), (
      all,
      inputs,
    ) => {
      const program = build(all);
      if (program.length > 4096) return;
      validateClassic(program);
      const emitted = all.reduce(
        (sum, line) => sum + (line.kind === "add" ? line.repeat : 1),
        6,
      );
      if (program.length > emitted) trampolines++;
      const machine = new ClassicMachine(program);
      for (const input of inputs) {
        assert.equal(
          machine.run({ bytes: Uint8Array.of(input) }),
          interpret(all, input),
        );
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(trampolines > 20, `${trampolines} programs with trampolines`);
});
