import { equal } from "node:assert/strict";
import {
  add,
  arsh,
  bigEndian,
  littleEndian,
  mov32,
  neg,
  neg32,
  sub32,
} from "../../../../bpf/extended/alu.ts";
import {
  atomicAdd,
  atomicCompareExchange,
  atomicExchange,
  atomicFetchAdd,
} from "../../../../bpf/extended/atomic.ts";
import {
  type Instruction,
  type Operation,
  R0,
  R1,
  R10,
  R2,
  R6,
  R9,
} from "../../../../bpf/extended/instruction.ts";
import {
  call,
  exit,
  jump,
  jumpIf,
  jumpIf32,
} from "../../../../bpf/extended/jump.ts";
import { loadField, SK_BUFF } from "../../../../bpf/extended/context.ts";
import {
  load,
  loadAbsolute,
  loadConstant,
  loadIndirect,
  loadMap,
  loadMapValue,
  store,
} from "../../../../bpf/extended/load_store.ts";
import { formatInstruction } from "../../../../bpf/extended/text.ts";

// In the form of bpftool 7.1, apart
// from descriptors in place of map ids.
const LINES: readonly (readonly [Operation, string])[] = [
  [add(R1, 5), "(07) r1 += 5"],
  [add(R1, R2), "(0f) r1 += r2"],
  [sub32(R1, -3), "(14) w1 -= -3"],
  [mov32(R1, R2), "(bc) w1 = w2"],
  [arsh(R9, 63), "(c7) r9 s>>= 63"],
  [neg(R1), "(87) r1 = -r1"],
  [neg32(R1), "(84) w1 = -w1"],
  [bigEndian(R1, 16), "(dc) r1 = be16 r1"],
  [littleEndian(R1, 32), "(d4) r1 = le32 r1"],
  [load("u8", R1, R6, 16), "(71) r1 = *(u8 *)(r6 +16)"],
  [load("u64", R1, R10, -8), "(79) r1 = *(u64 *)(r10 -8)"],
  [loadField(R1, R6, SK_BUFF.ifindex), "(61) r1 = *(u32 *)(r6 +40)"],
  [store("u16", R10, -2, R1), "(6b) *(u16 *)(r10 -2) = r1"],
  [store("u8", R10, -1, 255), "(72) *(u8 *)(r10 -1) = 255"],
  [loadAbsolute("u16", 12), "(28) r0 = *(u16 *)skb[12]"],
  [loadIndirect("u8", R9, 0), "(50) r0 = *(u8 *)skb[r9 + 0]"],
  [loadConstant(R1, 0x1_0000_0002n), "(18) r1 = 0x100000002"],
  [loadConstant(R1, -1n), "(18) r1 = 0xffffffffffffffff"],
  [loadMap(R1, "m"), "(18) r1 = map[fd:0]"],
  [loadMapValue(R1, "m", 8), "(18) r1 = map[fd:0][0]+8"],
  [
    atomicAdd("u64", R1, 8, R2),
    "(db) lock *(u64 *)(r1 +8) += r2",
  ],
  [
    atomicFetchAdd("u32", R1, 8, R2),
    "(c3) r2 = atomic_fetch_add((u32 *)(r1 +8), r2)",
  ],
  [
    atomicExchange("u64", R1, 0, R2),
    "(db) r2 = atomic64_xchg((u64 *)(r1 +0), r2)",
  ],
  [
    atomicCompareExchange("u64", R1, 0, R2),
    "(db) r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)",
  ],
  [call("sk_storage_get"), "(85) call bpf_sk_storage_get#107"],
  [exit(), "(95) exit"],
  [jump("x"), "(05) goto pc+0"],
  [jumpIf(R0, "==", 0, "x"), "(15) if r0 == 0x0 goto pc+0"],
  [jumpIf(R0, "s<", -1, "x"), "(c5) if r0 s< 0xffffffff goto pc+0"],
  [jumpIf(R0, "&", R1, "x"), "(4d) if r0 & r1 goto pc+0"],
  [jumpIf32(R0, "<=", 7, "x"), "(b6) if w0 <= 0x7 goto pc+0"],
];

for (const [operation, text] of LINES) {
  Deno.test(`formatInstruction() prints ${text}`, () => {
    equal(formatInstruction(operation.instruction), text);
  });
}

const plain = { opcode: 0, dst: 0, src: 0, off: 0, imm: 0 };

// Instructions that no builder here makes but other programs contain.
const FOREIGN: readonly (readonly [Instruction, string])[] = [
  [{ ...plain, opcode: 0xbf, dst: 1, src: 2, off: 8 }, "(bf) r1 = (s8)r2"],
  [{ ...plain, opcode: 0x3f, dst: 1, src: 2, off: 1 }, "(3f) r1 s/= r2"],
  [{ ...plain, opcode: 0xd7, dst: 1, imm: 32 }, "(d7) r1 = bswap32 r1"],
  [{ ...plain, opcode: 0x81, dst: 1, src: 2 }, "(81) r1 = *(s32 *)(r2 +0)"],
  [{ ...plain, opcode: 0x06, imm: -7 }, "(06) gotol pc-7"],
  [{ ...plain, opcode: 0x85, imm: 9999 }, "(85) call unknown#9999"],
  [
    { ...plain, opcode: 0xff, dst: 3, imm: 4 },
    "(ff) unknown dst=3 src=0 off=0 imm=4",
  ],
  [
    { ...plain, opcode: 0xbf, dst: 1, src: 2, off: 9 },
    "(bf) unknown dst=1 src=2 off=9 imm=0",
  ],
];

for (const [instruction, text] of FOREIGN) {
  Deno.test(`formatInstruction() prints ${text} for a foreign instruction`, () => {
    equal(formatInstruction(instruction), text);
  });
}

Deno.test("formatInstruction() uses the names of maps where they are known", () => {
  const { instruction } = loadMap(R1, "conns");
  const mapName = (imm: number, slot: number): string => `conns@${imm}@${slot}`;
  equal(
    formatInstruction({ ...instruction, imm: 5 }, 9, { mapName }),
    "(18) r1 = map[conns@5@9]",
  );
});
