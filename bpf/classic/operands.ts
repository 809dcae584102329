/**
 * What a load of the classic BPF machine can read.
 *
 * @module
 */
import {
  BPF_ABS,
  BPF_IMM,
  BPF_IND,
  BPF_LEN,
  BPF_MEM,
  type Extension,
  SKF_AD_OFF,
} from "./opcodes.ts";

/**
 * A place in the packet: takes 8, 16 or 32 bits, most significant first.
 * See {@linkcode packet}.
 */
export interface PacketOperand {
  /** `BPF_ABS` (0x20) or `BPF_IND` (0x40). */
  readonly mode: 0x20 | 0x40;
  /** Offset; negative ones reach headers and metadata. */
  readonly k: number;
}

/** A source that always has 32 bits. See {@linkcode constant}. */
export interface WordOperand {
  /** `BPF_IMM` (0x00), `BPF_MEM` (0x60) or `BPF_LEN` (0x80). */
  readonly mode: 0x00 | 0x60 | 0x80;
  /** Constant or cell number. */
  readonly k: number;
}

/**
 * The packet at a fixed offset: `[offset]`.
 *
 * @example Load the EtherType
 * ```ts
 * import { ClassicAssembler } from "./assembler.ts";
 * import { packet } from "./operands.ts";
 * import { formatInstruction } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * const [load] = new ClassicAssembler().ldh(packet(12)).ret(0).assemble();
 * assert.equal(formatInstruction(load!, 0), "ldh [12]");
 * ```
 */
export function packet(offset: number): PacketOperand {
  return { mode: BPF_ABS, k: offset };
}

/**
 * The packet at a computed offset: `[x + offset]`.
 *
 * @example Load a destination port
 * ```ts
 * import { ClassicAssembler } from "./assembler.ts";
 * import { packetAtX } from "./operands.ts";
 * import { formatInstruction } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * const [load] = new ClassicAssembler().ldh(packetAtX(16)).ret(0).assemble();
 * assert.equal(formatInstruction(load!, 0), "ldh [x + 16]");
 * ```
 */
export function packetAtX(offset: number): PacketOperand {
  return { mode: BPF_IND, k: offset };
}

/**
 * Metadata of the packet, such as `Extension.SKF_AD_PKTTYPE`.
 *
 * @example Load the type of a packet
 * ```ts
 * import { ClassicAssembler } from "./assembler.ts";
 * import { extension } from "./operands.ts";
 * import { Extension } from "./opcodes.ts";
 * import { formatInstruction } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * const load = extension(Extension.SKF_AD_PKTTYPE);
 * const [first] = new ClassicAssembler().ld(load).ret(0).assemble();
 * assert.match(formatInstruction(first!, 0), /^ld /);
 * ```
 */
export function extension(which: Extension): PacketOperand {
  return { mode: BPF_ABS, k: SKF_AD_OFF + which };
}

/**
 * Scratch cell 0 to 15: `M[index]`.
 *
 * @example Load what was stored
 * ```ts
 * import { ClassicAssembler } from "./assembler.ts";
 * import { cell } from "./operands.ts";
 * import { formatInstruction } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * const [, load] = new ClassicAssembler().st(3).ld(cell(3)).ret(0).assemble();
 * assert.equal(formatInstruction(load!, 1), "ld M[3]");
 * ```
 */
export function cell(index: number): WordOperand {
  return { mode: BPF_MEM, k: index };
}

/**
 * A constant: `#value`.
 *
 * @example Load a constant
 * ```ts
 * import { ClassicAssembler } from "./assembler.ts";
 * import { constant } from "./operands.ts";
 * import { formatInstruction } from "./text.ts";
 * import assert from "node:assert/strict";
 *
 * const [load] = new ClassicAssembler().ld(constant(5)).ret(0).assemble();
 * assert.equal(formatInstruction(load!, 0), "ld #0x5");
 * ```
 */
export function constant(value: number): WordOperand {
  return { mode: BPF_IMM, k: value };
}

/** The length of the packet: `#pktlen`. See {@linkcode ClassicAssembler}. */
export const LENGTH: WordOperand = { mode: BPF_LEN, k: 0 };
