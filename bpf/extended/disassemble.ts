/**
 * From machine code back to instructions.
 *
 * Any bytes are accepted: an instruction is only its fields, so what is not
 * known stays as it is and encodes to the same bytes again.
 *
 * @module
 */

import type { Instruction } from "./instruction.ts";
import { isWide, SLOT_SIZE } from "./opcodes.ts";

/** Instructions of a piece of machine code. */
export interface Disassembly {
  /** Instructions in order; what is not known stays as it is. */
  readonly instructions: readonly Instruction[];
  /** Bytes after the last whole slot; empty for real programs. */
  readonly rest: Uint8Array;
}

/**
 * Splits machine code into instructions. Never throws.
 *
 * A 64-bit load whose second slot is missing or is not plain is returned as
 * single slots: `encodeInstructions()` gives the input again in every case.
 */
export function disassemble(bytes: Uint8Array): Disassembly {
  const slots = Math.floor(bytes.length / SLOT_SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const instructions: Instruction[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const first = decode(view, slot);
    if (isWide(first.opcode) && slot + 1 < slots) {
      const second = decode(view, slot + 1);
      if (isPlainSecondSlot(second)) {
        instructions.push({ ...first, high: second.imm });
        slot++;
        continue;
      }
    }
    instructions.push(first);
  }
  return { instructions, rest: bytes.subarray(slots * SLOT_SIZE) };
}

function decode(view: DataView, slot: number): Instruction {
  const at = slot * SLOT_SIZE;
  const registers = view.getUint8(at + 1);
  return {
    opcode: view.getUint8(at),
    dst: registers & 0x0f,
    src: registers >> 4,
    off: view.getInt16(at + 2, true),
    imm: view.getInt32(at + 4, true),
  };
}

function isPlainSecondSlot({ opcode, dst, src, off }: Instruction): boolean {
  return opcode === 0 && dst === 0 && src === 0 && off === 0;
}
