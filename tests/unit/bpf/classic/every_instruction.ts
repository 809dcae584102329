/**
 * Every instruction of the machine: how the assembler is told, its numbers,
 * and its line in a listing.
 *
 * The numbers are written out from the C macros of linux/bpf_common.h; the
 * lines are what libpcap's bpf_image() prints.
 *
 * @module
 */
import type { ClassicAssembler } from "../../../../bpf/classic/assembler.ts";
import {
  type Instruction,
  jump,
  statement,
} from "../../../../bpf/classic/instruction.ts";
import { Extension } from "../../../../bpf/classic/opcodes.ts";
import {
  cell,
  constant,
  extension,
  LENGTH,
  packet,
  packetAtX,
} from "../../../../bpf/classic/operands.ts";

/** One instruction in its three forms. */
export type Row = readonly [
  emit: (assembler: ClassicAssembler) => unknown,
  instruction: Instruction,
  text: string,
];

/** Instructions that do not jump. */
export const STATEMENTS: readonly Row[] = [
  [(a) => a.ld(packet(12)), statement(0x20, 12), "ld       [12]"],
  [(a) => a.ldh(packet(12)), statement(0x28, 12), "ldh      [12]"],
  [(a) => a.ldb(packet(12)), statement(0x30, 12), "ldb      [12]"],
  [(a) => a.ld(packetAtX(4)), statement(0x40, 4), "ld       [x + 4]"],
  [(a) => a.ldh(packetAtX(4)), statement(0x48, 4), "ldh      [x + 4]"],
  [(a) => a.ldb(packetAtX(-4)), statement(0x50, -4), "ldb      [x + -4]"],
  [(a) => a.ld(LENGTH), statement(0x80), "ld       #pktlen"],
  [(a) => a.ld(constant(255)), statement(0x00, 255), "ld       #0xff"],
  [(a) => a.ld(cell(3)), statement(0x60, 3), "ld       M[3]"],
  [(a) => a.ldx(LENGTH), statement(0x81), "ldx      #pktlen"],
  [(a) => a.ldx(constant(-1)), statement(0x01, -1), "ldx      #0xffffffff"],
  [(a) => a.ldx(cell(15)), statement(0x61, 15), "ldx      M[15]"],
  [(a) => a.ldxMsh(14), statement(0xb1, 14), "ldxb     4*([14]&0xf)"],
  [(a) => a.st(3), statement(0x02, 3), "st       M[3]"],
  [(a) => a.stx(3), statement(0x03, 3), "stx      M[3]"],
  [(a) => a.add(5), statement(0x04, 5), "add      #5"],
  [(a) => a.add("x"), statement(0x0c), "add      x"],
  [(a) => a.sub(5), statement(0x14, 5), "sub      #5"],
  [(a) => a.sub("x"), statement(0x1c), "sub      x"],
  [(a) => a.mul(5), statement(0x24, 5), "mul      #5"],
  [(a) => a.mul("x"), statement(0x2c), "mul      x"],
  [(a) => a.div(5), statement(0x34, 5), "div      #5"],
  [(a) => a.div("x"), statement(0x3c), "div      x"],
  [(a) => a.or(5), statement(0x44, 5), "or       #0x5"],
  [(a) => a.or("x"), statement(0x4c), "or       x"],
  [(a) => a.and(0xf0), statement(0x54, 0xf0), "and      #0xf0"],
  [(a) => a.and("x"), statement(0x5c), "and      x"],
  [(a) => a.lsh(2), statement(0x64, 2), "lsh      #2"],
  [(a) => a.lsh("x"), statement(0x6c), "lsh      x"],
  [(a) => a.rsh(2), statement(0x74, 2), "rsh      #2"],
  [(a) => a.rsh("x"), statement(0x7c), "rsh      x"],
  [(a) => a.neg(), statement(0x84), "neg      "],
  [(a) => a.mod(7), statement(0x94, 7), "mod      #7"],
  [(a) => a.mod("x"), statement(0x9c), "mod      x"],
  [(a) => a.xor(5), statement(0xa4, 5), "xor      #0x5"],
  [(a) => a.xor("x"), statement(0xac), "xor      x"],
  [(a) => a.tax(), statement(0x07), "tax      "],
  [(a) => a.txa(), statement(0x87), "txa      "],
  ...metadata("SKF_AD_PROTOCOL", 0xfffff000, "proto"),
  ...metadata("SKF_AD_PKTTYPE", 0xfffff004, "type"),
  ...metadata("SKF_AD_IFINDEX", 0xfffff008, "ifidx"),
  ...metadata("SKF_AD_NLATTR", 0xfffff00c, "nla"),
  ...metadata("SKF_AD_NLATTR_NEST", 0xfffff010, "nlan"),
  ...metadata("SKF_AD_MARK", 0xfffff014, "mark"),
  ...metadata("SKF_AD_QUEUE", 0xfffff018, "queue"),
  ...metadata("SKF_AD_HATYPE", 0xfffff01c, "hatype"),
  ...metadata("SKF_AD_RXHASH", 0xfffff020, "rxhash"),
  ...metadata("SKF_AD_CPU", 0xfffff024, "cpu"),
  ...metadata("SKF_AD_ALU_XOR_X", 0xfffff028, "xor_x"),
  ...metadata("SKF_AD_VLAN_TAG", 0xfffff02c, "vlan_tci"),
  ...metadata("SKF_AD_VLAN_TAG_PRESENT", 0xfffff030, "vlanp"),
  ...metadata("SKF_AD_PAY_OFFSET", 0xfffff034, "poff"),
  ...metadata("SKF_AD_RANDOM", 0xfffff038, "random"),
  ...metadata("SKF_AD_VLAN_TPID", 0xfffff03c, "vlan_tpid"),
];

/** Jumps from instruction 0 to `one` (at 2) and `two` (at 3). */
export const JUMPS: readonly Row[] = [
  [(a) => a.ja("two"), statement(0x05, 2), "ja       3"],
  branch((a) => a.jeq(6, "one", "two"), 0x15, 6, 1, 2, "jeq      #0x6"),
  branch((a) => a.jeq("x", "one", "two"), 0x1d, 0, 1, 2, "jeq      x"),
  branch((a) => a.jeq(6, "one"), 0x15, 6, 1, 0, "jeq      #0x6"),
  branch((a) => a.jne(6, "one", "two"), 0x15, 6, 2, 1, "jeq      #0x6"),
  branch((a) => a.jne(6, "one"), 0x15, 6, 0, 1, "jeq      #0x6"),
  branch((a) => a.jgt(6, "one", "two"), 0x25, 6, 1, 2, "jgt      #0x6"),
  branch((a) => a.jgt("x", "one", "two"), 0x2d, 0, 1, 2, "jgt      x"),
  branch((a) => a.jle(6, "one", "two"), 0x25, 6, 2, 1, "jgt      #0x6"),
  branch((a) => a.jge(6, "one", "two"), 0x35, 6, 1, 2, "jge      #0x6"),
  branch((a) => a.jge("x", "one", "two"), 0x3d, 0, 1, 2, "jge      x"),
  branch((a) => a.jlt(6, "one", "two"), 0x35, 6, 2, 1, "jge      #0x6"),
  branch((a) => a.jset(6, "one", "two"), 0x45, 6, 1, 2, "jset     #0x6"),
  branch((a) => a.jset("x", "one", "two"), 0x4d, 0, 1, 2, "jset     x"),
];

/** Ends of a program. */
export const RETURNS: readonly Row[] = [
  [(a) => a.ret(262144), statement(0x06, 262144), "ret      #262144"],
  [(a) => a.ret(-1), statement(0x06, 0xffffffff), "ret      #-1"],
  [(a) => a.ret("a"), statement(0x16), "ret      "],
];

function metadata(
  name: keyof typeof Extension,
  k: number,
  text: string,
): Row[] {
  const operand = extension(Extension[name]);
  return [
    [(a) => a.ld(operand), statement(0x20, k), `ld       [${text}]`],
    [(a) => a.ldh(operand), statement(0x28, k), `ldh      [${text}]`],
    [(a) => a.ldb(operand), statement(0x30, k), `ldb      [${text}]`],
  ];
}

function branch(
  emit: Row[0],
  code: number,
  k: number,
  jt: number,
  jf: number,
  text: string,
): Row {
  const targets = ` jt ${jt + 1}\tjf ${jf + 1}`;
  return [emit, jump(code, k, jt, jf), text.padEnd(25) + targets];
}
