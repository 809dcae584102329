/**
 * Random classic programs for tests: valid ones, and ones with a flaw.
 *
 * @module
 */
import fc from "fast-check";
import {
  type Instruction,
  jump,
  statement,
} from "../../../../bpf/classic/instruction.ts";

/** Where random loads go. */
export interface LoadOffsets {
  /** Offsets of direct loads; may hold metadata. */
  readonly direct: fc.Arbitrary<number>;
  /** Offsets of loads at X. */
  readonly atX: fc.Arbitrary<number>;
}

/** One or more instructions; `jt`, `jf` and the `k` of `ja` are bounded later. */
type Piece = readonly Instruction[];

const CELLS = 4;
const constants = fc.oneof(
  fc.nat(40),
  fc.constantFrom(0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff),
  fc.integer({ min: 0, max: 0xffffffff }),
);
const cells = fc.nat(CELLS - 1);
const distances = fc.oneof(fc.nat(3), fc.nat(12), fc.nat(255));

function pieces(offsets: LoadOffsets): fc.Arbitrary<Piece> {
  const one = (
    codes: readonly number[],
    k: fc.Arbitrary<number>,
  ): fc.Arbitrary<Piece> =>
    fc.tuple(fc.constantFrom(...codes), k).map((
      [code, value],
    ) => [statement(code, value)]);
  const nothing = fc.constant(0);
  const branches = [0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d];
  return fc.oneof(
    { weight: 4, arbitrary: one([0x20, 0x28, 0x30], offsets.direct) },
    // An X that is small enough to load at.
    {
      weight: 2,
      arbitrary: fc.tuple(one([0x40, 0x48, 0x50], offsets.atX), fc.nat(63)).map(
        ([load, mask]) => [statement(0x54, mask), statement(0x07), ...load],
      ),
    },
    one([0x40, 0x48, 0x50], offsets.atX),
    one([0xb1], fc.nat(60)),
    one([0x80, 0x81], nothing),
    one([0x00, 0x01], constants),
    one([0x60, 0x61, 0x02, 0x03], cells),
    // add, sub, mul, or, and, xor
    { weight: 4, arbitrary: one([0x04, 0x14, 0x24], constants) },
    { weight: 4, arbitrary: one([0x44, 0x54, 0xa4], constants) },
    {
      weight: 4,
      arbitrary: one([0x0c, 0x1c, 0x2c, 0x4c, 0x5c, 0xac], nothing),
    },
    // div, mod, lsh, rsh, neg
    one([0x34, 0x94], constants.map((value) => value === 0 ? 1 : value)),
    one([0x3c, 0x9c, 0x6c, 0x7c, 0x84], nothing),
    one([0x64, 0x74], fc.nat(31)),
    { weight: 2, arbitrary: one([0x07, 0x87], nothing) },
    one([0x06], fc.nat(300)),
    one([0x05], distances),
    {
      weight: 5,
      arbitrary: fc.tuple(
        fc.constantFrom(...branches),
        constants,
        distances,
        distances,
      ).map(([code, k, jt, jf]) => [
        jump(code, (code & 0x08) === 0 ? k : 0, jt, jf),
      ]),
    },
  );
}

/**
 * Programs that Linux takes. The last instruction returns A, so that a tail
 * may take its place.
 */
export function validPrograms(
  offsets: LoadOffsets,
  maxLength: number,
): fc.Arbitrary<Instruction[]> {
  return fc.tuple(
    fc.tuple(constants, constants),
    fc.array(pieces(offsets), { maxLength }),
  ).map(([[a, x], body]) => {
    const program = [
      statement(0x00, a),
      statement(0x01, x),
      ...Array.from({ length: CELLS }, (_, index) => statement(0x02, index)),
      ...body.flat(),
      statement(0x16),
    ];
    return program.map((instruction, index) =>
      bound(instruction, program.length - index - 2)
    );
  });
}

/** Keeps a jump inside the program; `most` is the furthest it may go. */
function bound(instruction: Instruction, most: number): Instruction {
  const { code, jt, jf, k } = instruction;
  if ((code & 0x07) !== 0x05) return instruction;
  if (code === 0x05) return statement(code, Math.min(k, most));
  return jump(code, k, Math.min(jt, most), Math.min(jf, most));
}

/** Programs that Linux may or may not take. */
export function doubtfulPrograms(
  offsets: LoadOffsets,
  maxLength: number,
): fc.Arbitrary<Instruction[]> {
  const flaw = fc.record({
    at: fc.nat(),
    field: fc.constantFrom("code", "jt", "jf", "k", "remove", "ret"),
    byte: fc.nat(255),
    word: fc.oneof(
      fc.nat(40),
      fc.integer({ min: 0xfffff000 - 2, max: 0xfffff044 }),
      fc.integer({ min: 0, max: 0xffffffff }),
    ),
  });
  return fc.tuple(
    validPrograms(offsets, maxLength),
    fc.array(flaw, { maxLength: 3 }),
  ).map(([program, flaws]) => {
    const changed = [...program];
    for (const { at, field, byte, word } of flaws) {
      const index = at % changed.length;
      const old = changed[index]!;
      if (field === "remove") changed.splice(index, 1);
      else if (field === "ret") changed[index] = statement(0x06, byte);
      else changed[index] = { ...old, [field]: field === "k" ? word : byte };
      if (changed.length === 0) return program;
    }
    return changed;
  });
}
