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

/** A place in the packet: takes 8, 16 or 32 bits, most significant first. */
export interface PacketOperand {
  /** `BPF_ABS` (0x20) or `BPF_IND` (0x40). */
  readonly mode: 0x20 | 0x40;
  /** Offset; negative ones reach headers and metadata. */
  readonly k: number;
}

/** A source that always has 32 bits. */
export interface WordOperand {
  /** `BPF_IMM` (0x00), `BPF_MEM` (0x60) or `BPF_LEN` (0x80). */
  readonly mode: 0x00 | 0x60 | 0x80;
  /** Constant or cell number. */
  readonly k: number;
}

/** The packet at a fixed offset: `[offset]`. */
export function packet(offset: number): PacketOperand {
  return { mode: BPF_ABS, k: offset };
}

/** The packet at a computed offset: `[x + offset]`. */
export function packetAtX(offset: number): PacketOperand {
  return { mode: BPF_IND, k: offset };
}

/** Metadata of the packet, such as `Extension.SKF_AD_PKTTYPE`. */
export function extension(which: Extension): PacketOperand {
  return { mode: BPF_ABS, k: SKF_AD_OFF + which };
}

/** Scratch cell 0 to 15: `M[index]`. */
export function cell(index: number): WordOperand {
  return { mode: BPF_MEM, k: index };
}

/** A constant: `#value`. */
export function constant(value: number): WordOperand {
  return { mode: BPF_IMM, k: value };
}

/** The length of the packet: `#pktlen`. */
export const LENGTH: WordOperand = { mode: BPF_LEN, k: 0 };
