/**
 * Programs that just keep, and programs that just break, a rule of Linux.
 *
 * @module
 */
import {
  type Instruction,
  jump,
  statement,
} from "../../../../bpf/classic/instruction.ts";
import type { ProgramKind } from "../../../../bpf/classic/validate.ts";

const RET = statement(0x06, 0);

/** A program, where it is to run, and what is wrong with it, if anything. */
export type RuleCase = readonly [
  name: string,
  program: readonly Instruction[],
  kind: ProgramKind,
  message?: string,
];

/** Programs on both sides of each rule. */
export const RULE_CASES: readonly RuleCase[] = [
  ["the shortest program", [RET], "socket"],
  ["4096 instructions", Array(4096).fill(RET), "socket"],
  [
    "no instructions",
    [],
    "socket",
    "Cannot use a program of 0 instructions: 1 to 4096 are allowed",
  ],
  [
    "4097 instructions",
    Array(4097).fill(RET),
    "socket",
    "Cannot use a program of 4097 instructions: 1 to 4096 are allowed",
  ],
  [
    "an end without ret",
    [RET, statement(0x87)],
    "socket",
    'Cannot use instruction 1, "txa": the program does not end in a ret',
  ],
  [
    "an unknown operation",
    [statement(0x18), RET],
    "socket",
    'Cannot use instruction 0, "unimp 0x18": the operation is not allowed',
  ],
  [
    "ret x, which BSD has",
    [statement(0x0e)],
    "socket",
    'Cannot use instruction 0, "unimp 0xe": the operation is not allowed',
  ],
  [
    "division by zero",
    [statement(0x34, 0), RET],
    "socket",
    'Cannot use instruction 0, "div #0": it divides by zero',
  ],
  [
    "remainder of zero",
    [statement(0x94, 0), RET],
    "socket",
    'Cannot use instruction 0, "mod #0": it divides by zero',
  ],
  ["a shift by 31", [statement(0x64, 31), RET], "socket"],
  [
    "a shift by 32",
    [statement(0x74, 32), RET],
    "socket",
    'Cannot use instruction 0, "rsh #32": it shifts by 32 bits or more',
  ],
  ["cell 15", [statement(0x02, 15), statement(0x61, 15), RET], "socket"],
  [
    "cell 16",
    [statement(0x03, 16), RET],
    "socket",
    'Cannot use instruction 0, "stx M[16]": there are 16 scratch cells',
  ],
  [
    "a load of cell 16",
    [statement(0x60, 16), RET],
    "socket",
    'Cannot use instruction 0, "ld M[16]": there are 16 scratch cells',
  ],
  ["a jump to the end", [statement(0x05, 1), RET, RET], "socket"],
  [
    "a jump past the end",
    [statement(0x05, 2), RET, RET],
    "socket",
    'Cannot use instruction 0, "ja 3": the jump leaves the program',
  ],
  [
    "a jump around the world",
    [statement(0x05, 0xffffffff), RET],
    "socket",
    'Cannot use instruction 0, "ja 4294967296": the jump leaves the program',
  ],
  ["branches to the end", [jump(0x15, 6, 1, 1), RET, RET], "socket"],
  [
    "a branch past the end on true",
    [jump(0x15, 6, 2, 0), RET, RET],
    "socket",
    'Cannot use instruction 0, "jeq #0x6 jt 3 jf 1": ' +
    "the jump on true leaves the program",
  ],
  [
    "a branch past the end on false",
    [jump(0x15, 6, 0, 2), RET, RET],
    "socket",
    'Cannot use instruction 0, "jeq #0x6 jt 1 jf 3": ' +
    "the jump on false leaves the program",
  ],
  ["the last metadata", [statement(0x20, -0x1000 + 60), RET], "socket"],
  [
    "metadata that does not exist",
    [statement(0x30, -0x1000 + 64), RET],
    "socket",
    'Cannot use instruction 0, "ldb [-4032]": ' +
    "there is no metadata at this offset",
  ],
  [
    "metadata at an odd offset",
    [statement(0x28, -0x1000 + 1), RET],
    "socket",
    'Cannot use instruction 0, "ldh [-4095]": ' +
    "there is no metadata at this offset",
  ],
  ["the highest offset at X", [statement(0x40, -1), RET], "socket"],
  ["a load below the metadata", [statement(0x20, -0x1001), RET], "socket"],
  [
    "a cell that was not set",
    [statement(0x60, 2), RET],
    "socket",
    'Cannot use instruction 0, "ld M[2]": the cell may not have been set',
  ],
  [
    "a cell that was set",
    [statement(0x02, 2), statement(0x61, 2), RET],
    "socket",
  ],
  [
    "a cell set on one way only",
    [jump(0x15, 6, 0, 1), statement(0x02, 2), statement(0x60, 2), RET],
    "socket",
    'Cannot use instruction 2, "ld M[2]": the cell may not have been set',
  ],
  [
    "a cell set on both ways",
    [
      jump(0x15, 6, 0, 2),
      statement(0x02, 2),
      statement(0x05, 1),
      statement(0x03, 2),
      statement(0x60, 2),
      RET,
    ],
    "socket",
  ],
  [
    "a cell that only a ret before it, reached unset, seems to reach",
    [jump(0x15, 6, 1, 0), statement(0x02, 2), RET, statement(0x60, 2), RET],
    "socket",
    'Cannot use instruction 3, "ld M[2]": the cell may not have been set',
  ],
  ["a word of the call", [statement(0x20, 60), RET], "seccomp"],
  [
    "a word past the call",
    [statement(0x20, 64), RET],
    "seccomp",
    'Cannot use instruction 0, "ld [64]": ' +
    "the offset is not that of a word in struct seccomp_data",
  ],
  [
    "half a word of the call",
    [statement(0x20, 2), RET],
    "seccomp",
    'Cannot use instruction 0, "ld [2]": ' +
    "the offset is not that of a word in struct seccomp_data",
  ],
];
