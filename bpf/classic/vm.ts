/**
 * Interpreter of classic BPF that gives the verdicts that Linux gives.
 *
 * @module
 */
import type { Instruction } from "./instruction.ts";
import {
  BPF_A,
  BPF_ABS,
  BPF_ADD,
  BPF_ALU,
  BPF_AND,
  BPF_DIV,
  BPF_IMM,
  BPF_IND,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JMP,
  BPF_JSET,
  BPF_LD,
  BPF_LDX,
  BPF_LEN,
  BPF_LSH,
  BPF_MEM,
  BPF_MEMWORDS,
  BPF_MISC,
  BPF_MOD,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RET,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_SUB,
  BPF_TAX,
  BPF_X,
  BPF_XOR,
  CLASS_MASK,
  MISC_MASK,
  MODE_MASK,
  OPERATION_MASK,
  RETURN_MASK,
  SIZE_MASK,
  SOURCE_MASK,
} from "./opcodes.ts";
import {
  loadBytes,
  loadMetadata,
  metadataOffset,
  NO_DEVICE,
  OUTSIDE,
  type PacketView,
} from "./packet_view.ts";
import { SECCOMP_DATA_LENGTH } from "./seccomp.ts";
import { type ProgramKind, validateClassic } from "./validate.ts";

/** What loads read from. Loads answer with a number, or a negative excuse. */
interface Source {
  readonly length: number;
  absolute(k: number, size: number, a: number, x: number): number;
  indirect(offset: number, size: number): number;
}

/** Widths in bytes, by the size bits of a load. */
const SIZES: Readonly<Record<number, number>> = { 0x00: 4, 0x08: 2, 0x10: 1 };

/**
 * A program that was checked and can be run any number of times.
 *
 * @example Run a filter on a packet
 * ```ts
 * import { ClassicMachine } from "./vm.ts";
 * import { ClassicAssembler } from "./assembler.ts";
 * import { packet } from "./operands.ts";
 * import assert from "node:assert/strict";
 *
 * const program = new ClassicAssembler().ldb(packet(1)).ret("a").assemble();
 * const machine = new ClassicMachine(program);
 * assert.equal(machine.run({ bytes: Uint8Array.of(7, 9) }), 9);
 * assert.equal(machine.run({ bytes: Uint8Array.of(7) }), 0);
 * ```
 */
export class ClassicMachine {
  readonly #program: readonly Instruction[];

  /**
   * Takes a program.
   *
   * @throws {RangeError} when Linux would refuse it.
   */
  constructor(program: readonly Instruction[], kind: ProgramKind = "socket") {
    validateClassic(program, kind);
    this.#program = program;
  }

  /** Runs a socket filter; the verdict is how many bytes are kept. */
  run(packet: PacketView): number {
    const { bytes, start = 0, wireLength = bytes.length - start } = packet;
    return execute(this.#program, {
      length: wireLength,
      absolute(k, size, a, x): number {
        const metadata = metadataOffset(k);
        return metadata >= 0
          ? loadMetadata(packet, metadata, a, x)
          : loadBytes(packet, k | 0, size);
      },
      indirect: (offset, size): number => loadBytes(packet, offset, size),
    });
  }

  /**
   * Runs a seccomp filter; the verdict is a `SECCOMP_RET_*` number.
   *
   * @param data A `struct seccomp_data`, see `encodeSeccompData()`.
   * @throws {RangeError} when the data has another length.
   */
  runSeccomp(data: Uint8Array): number {
    if (data.length !== SECCOMP_DATA_LENGTH) {
      throw new RangeError(
        `Cannot run seccomp filter: ${data.length} bytes of data given, ` +
          `struct seccomp_data has ${SECCOMP_DATA_LENGTH}`,
      );
    }
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    return execute(this.#program, {
      length: data.length,
      absolute: (k): number => view.getUint32(k, true),
      indirect: (): number => OUTSIDE,
    });
  }
}

/** Runs a program that was checked: it only jumps ahead and ends in a ret. */
function execute(program: readonly Instruction[], source: Source): number {
  const cells = new Uint32Array(BPF_MEMWORDS);
  let a = 0;
  let x = 0;
  for (let at = 0;; at++) {
    const { code, jt, jf, k } = program[at]!;
    switch (code & CLASS_MASK) {
      case BPF_LD: {
        const value = load(code, k, a, x, cells, source);
        if (value === OUTSIDE) return 0;
        if (value === NO_DEVICE) return a;
        a = value;
        break;
      }
      case BPF_LDX: {
        const value = loadIndex(code, k, cells, source);
        if (value === OUTSIDE) return 0;
        x = value;
        break;
      }
      case BPF_ST:
        cells[k] = a;
        break;
      case BPF_STX:
        cells[k] = x;
        break;
      case BPF_ALU: {
        const operand = (code & SOURCE_MASK) === BPF_X ? x : k;
        const value = calculate(code & OPERATION_MASK, a, operand);
        if (value === undefined) return 0;
        a = value;
        break;
      }
      case BPF_JMP: {
        if (code === BPF_JMP) at += k;
        else {
          const operand = (code & SOURCE_MASK) === BPF_X ? x : k;
          at += compare(code & OPERATION_MASK, a, operand) ? jt : jf;
        }
        break;
      }
      case BPF_RET:
        return (code & RETURN_MASK) === BPF_A ? a : k;
      case BPF_MISC:
        if ((code & MISC_MASK) === BPF_TAX) x = a;
        else a = x;
    }
  }
}

function load(
  code: number,
  k: number,
  a: number,
  x: number,
  cells: Uint32Array,
  source: Source,
): number {
  switch (code & MODE_MASK) {
    case BPF_ABS:
      return source.absolute(k, SIZES[code & SIZE_MASK]!, a, x);
    case BPF_IND:
      return source.indirect((x + k) | 0, SIZES[code & SIZE_MASK]!);
    case BPF_MEM:
      return cells[k]!;
    case BPF_LEN:
      return source.length;
    default:
      return k;
  }
}

function loadIndex(
  code: number,
  k: number,
  cells: Uint32Array,
  source: Source,
): number {
  switch (code & MODE_MASK) {
    case BPF_IMM:
      return k;
    case BPF_MEM:
      return cells[k]!;
    case BPF_LEN:
      return source.length;
    default: { // BPF_MSH
      const byte = source.indirect(k | 0, 1);
      return byte === OUTSIDE ? OUTSIDE : (byte & 0x0f) << 2;
    }
  }
}

/** The result, or undefined on a division by zero. */
function calculate(
  operation: number,
  a: number,
  operand: number,
): number | undefined {
  switch (operation) {
    case BPF_ADD:
      return (a + operand) >>> 0;
    case BPF_SUB:
      return (a - operand) >>> 0;
    case BPF_MUL:
      return Math.imul(a, operand) >>> 0;
    case BPF_DIV:
      return operand === 0 ? undefined : Math.floor(a / operand);
    case BPF_MOD:
      return operand === 0 ? undefined : a % operand;
    case BPF_OR:
      return (a | operand) >>> 0;
    case BPF_AND:
      return (a & operand) >>> 0;
    case BPF_XOR:
      return (a ^ operand) >>> 0;
    case BPF_LSH: // The machine, like JavaScript, uses five bits of the count.
      return a << operand >>> 0;
    case BPF_RSH:
      return a >>> operand;
    case BPF_NEG:
      return -a >>> 0;
  }
  return a;
}

function compare(operation: number, a: number, operand: number): boolean {
  switch (operation) {
    case BPF_JEQ:
      return a === operand;
    case BPF_JGT:
      return a > operand;
    case BPF_JGE:
      return a >= operand;
    case BPF_JSET:
      return (a & operand) !== 0;
  }
  return false;
}
