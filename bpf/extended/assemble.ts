/**
 * From a list of operations and labels to the bytes that the kernel takes.
 *
 * @module
 */

import type {
  Code,
  Instruction,
  MapReference,
  Operation,
} from "./instruction.ts";
import { CLASS, isWide, JUMP, SLOT_SIZE } from "./opcodes.ts";

/** Where a map's descriptor has to be written. */
export interface MapRelocation extends MapReference {
  /** Index of the first slot of the load. */
  readonly slot: number;
}

/** Machine code whose references to maps are still open. */
export interface AssembledProgram {
  /** Instructions, 8 bytes per slot. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** References to maps, in order of their slots. */
  readonly relocations: readonly MapRelocation[];
  /** Label → slot that it names; without labels inside of scopes. */
  readonly labels: ReadonlyMap<string, number>;
}

const CALL_OPCODE = CLASS.JMP | JUMP.CALL;

/**
 * Assembles a program.
 *
 * @throws {RangeError} when a jump reaches too far, a label is missing or
 * defined twice; the message names the label.
 */
export function assemble(code: Code): AssembledProgram {
  const placed: Placed[] = [];
  const labels: Labels = { slots: new Map() };
  const slots = collect(code, placed, labels, 0);
  const bytes = new Uint8Array(slots * SLOT_SIZE);
  const view = new DataView(bytes.buffer);
  const relocations: MapRelocation[] = [];
  let slot = 0;
  for (const { operation: { instruction, target, map }, visible } of placed) {
    if (map !== undefined) relocations.push({ ...map, slot });
    const resolved = target === undefined
      ? instruction
      : resolve(instruction, target, slot, slots, visible);
    slot = encode(view, slot, resolved);
  }
  return { bytes, relocations, labels: labels.slots };
}

/**
 * Writes instructions as they are, without labels.
 *
 * The inverse of disassembling.
 */
export function encodeInstructions(
  instructions: readonly Instruction[],
): Uint8Array<ArrayBuffer> {
  let slots = 0;
  for (const { high } of instructions) slots += high === undefined ? 1 : 2;
  const bytes = new Uint8Array(slots * SLOT_SIZE);
  const view = new DataView(bytes.buffer);
  let slot = 0;
  for (const instruction of instructions) {
    slot = encode(view, slot, instruction);
  }
  return bytes;
}

/**
 * Returns a copy of the machine code with the maps' descriptors filled in.
 *
 * @param program Output of {@linkcode assemble}.
 * @param descriptors Map name → file descriptor.
 * @throws {RangeError} when a map is missing.
 */
export function relocate(
  program: AssembledProgram,
  descriptors: Readonly<Record<string, number>>,
): Uint8Array<ArrayBuffer> {
  const bytes = program.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (const { name, slot } of program.relocations) {
    const descriptor = descriptors[name];
    if (descriptor === undefined) {
      throw new RangeError(
        `Cannot resolve map "${name}" at instruction ${slot}: no such map`,
      );
    }
    view.setInt32(slot * SLOT_SIZE + 4, descriptor, true);
  }
  return bytes;
}

/** Labels of a scope and of those around it. */
interface Labels {
  readonly slots: Map<string, number>;
  readonly outer?: Labels;
}

/** An operation with the labels that it sees. */
interface Placed {
  readonly operation: Operation;
  readonly visible: Labels;
}

/** Flattens the code; returns the slot after it. */
function collect(
  code: Code,
  placed: Placed[],
  labels: Labels,
  slot: number,
): number {
  if (!("kind" in code)) {
    for (const piece of code) slot = collect(piece, placed, labels, slot);
    return slot;
  }
  switch (code.kind) {
    case "operation":
      placed.push({ operation: code, visible: labels });
      return slot + (isWide(code.instruction.opcode) ? 2 : 1);
    case "scope":
      return collect(
        code.code,
        placed,
        { slots: new Map(), outer: labels },
        slot,
      );
    case "label":
      if (labels.slots.has(code.name)) {
        throw new RangeError(
          `Cannot assemble label "${code.name}": it is defined twice`,
        );
      }
      labels.slots.set(code.name, slot);
      return slot;
  }
}

/** Finds a label in the innermost scope that has it. */
function findLabel(name: string, labels: Labels): number | undefined {
  for (
    let scope: Labels | undefined = labels;
    scope !== undefined;
    scope = scope.outer
  ) {
    const slot = scope.slots.get(name);
    if (slot !== undefined) return slot;
  }
  return undefined;
}

function resolve(
  instruction: Instruction,
  target: string,
  slot: number,
  slots: number,
  labels: Labels,
): Instruction {
  const destination = findLabel(target, labels);
  if (destination === undefined) {
    throw new RangeError(
      `Cannot assemble jump to label "${target}" at instruction ${slot}: ` +
        "no such label",
    );
  }
  if (destination >= slots) {
    throw new RangeError(
      `Cannot assemble jump to label "${target}" at instruction ${slot}: ` +
        "no instruction follows the label",
    );
  }
  const distance = destination - slot - 1;
  if (instruction.opcode === CALL_OPCODE) {
    return { ...instruction, imm: distance };
  }
  if (distance < -0x8000 || distance > 0x7fff) {
    throw new RangeError(
      `Cannot assemble jump to label "${target}" at instruction ${slot}: ` +
        `distance ${distance} does not fit in signed 16 bits`,
    );
  }
  return { ...instruction, off: distance };
}

/** Writes one instruction; returns the slot after it. */
function encode(
  view: DataView,
  slot: number,
  { opcode, dst, src, off, imm, high }: Instruction,
): number {
  const at = slot * SLOT_SIZE;
  view.setUint8(at, opcode);
  view.setUint8(at + 1, src << 4 | dst);
  view.setInt16(at + 2, off, true);
  view.setInt32(at + 4, imm, true);
  if (high === undefined) return slot + 1;
  view.setInt32(at + SLOT_SIZE + 4, high, true);
  return slot + 2;
}
