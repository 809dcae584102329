/**
 * Instructions as plain values, and the pieces that a program is written in.
 *
 * A program is a nested list of {@linkcode Code}: operations and labels.
 * Macros are functions that return such a list.
 *
 * @module
 */

import { LD_IMM64, REGISTER_COUNT } from "./opcodes.ts";

/** The fields of one instruction, as they are on the wire. */
export interface Instruction {
  /** Opcode byte. */
  readonly opcode: number;
  /** Destination register number, 0 to 15. */
  readonly dst: number;
  /** Source register number or pseudo source, 0 to 15. */
  readonly src: number;
  /** Signed 16-bit offset. */
  readonly off: number;
  /** Signed 32-bit immediate. */
  readonly imm: number;
  /** Signed upper half of a 64-bit immediate; set exactly on two-slot loads. */
  readonly high?: number;
}

/** A machine register. */
export interface Register {
  /** Number, 0 to 10. */
  readonly index: number;
}

/** Return value of calls and of the program. */
export const R0: Register = { index: 0 };
/** First argument; holds the context when the program begins. */
export const R1: Register = { index: 1 };
/** Second argument. */
export const R2: Register = { index: 2 };
/** Third argument. */
export const R3: Register = { index: 3 };
/** Fourth argument. */
export const R4: Register = { index: 4 };
/** Fifth argument. */
export const R5: Register = { index: 5 };
/** First register that survives calls. */
export const R6: Register = { index: 6 };
/** Survives calls. */
export const R7: Register = { index: 7 };
/** Survives calls. */
export const R8: Register = { index: 8 };
/** Survives calls. */
export const R9: Register = { index: 9 };
/** Frame pointer; read only, the 512 bytes below it are the stack. */
export const R10: Register = { index: 10 };

/** A register or a constant. */
export type Operand = Register | number;

/** A map that an instruction refers to by name. */
export interface MapReference {
  /** Name that the loader resolves to a descriptor. */
  readonly name: string;
  /** Whether the register gets the map or the address of its only value. */
  readonly kind: "map" | "value";
}

/** One instruction, perhaps with a symbol to be resolved. */
export interface Operation {
  /** Tells operations from other pieces. */
  readonly kind: "operation";
  /** Its fields; those that symbols stand for are zero. */
  readonly instruction: Instruction;
  /** Label that the jump or call goes to. */
  readonly target?: string;
  /** Map whose descriptor belongs into `imm`. */
  readonly map?: MapReference;
}

/** A named place in a program. */
export interface Label {
  /** Tells labels from other pieces. */
  readonly kind: "label";
  /** Any text, unique in its scope. */
  readonly name: string;
}

/** A piece whose labels are seen only inside of it. */
export interface Scope {
  /** Tells scopes from other pieces. */
  readonly kind: "scope";
  /** What is inside. */
  readonly code: Code;
}

/** A piece of a program. */
export type Code = Operation | Label | Scope | readonly Code[];

/** Names the next instruction so that jumps can go there. */
export function label(name: string): Label {
  return { kind: "label", name };
}

/**
 * Keeps labels private, so that a macro may be used more than once. Jumps
 * from inside may go to labels outside, not the other way round.
 */
export function scope(code: Code): Scope {
  return { kind: "scope", code };
}

/**
 * Makes an operation from fields, after range checks.
 *
 * @throws {RangeError} when a field does not fit.
 */
export function operation(
  fields: Instruction,
  symbols: { target?: string; map?: MapReference } = {},
): Operation {
  checkFields(fields);
  return { kind: "operation", instruction: fields, ...symbols };
}

/**
 * Checks that a constant fits a signed 32-bit immediate.
 *
 * Immediates of 64-bit operations are sign-extended by the machine, so values
 * from 2³¹ on would silently mean something else.
 *
 * @throws {RangeError} when the value does not fit.
 */
export function signedImmediate(value: number): number {
  if (value !== (value | 0)) {
    throw new RangeError(
      `Cannot encode immediate ${value}: it does not fit in signed 32 bits`,
    );
  }
  return value;
}

/**
 * Converts a constant of a 32-bit operation, signed or unsigned, to the
 * immediate with the same bits.
 *
 * @throws {RangeError} when the value does not fit 32 bits.
 */
export function wordImmediate(value: number): number {
  if (value !== (value | 0) && value !== (value >>> 0)) {
    throw new RangeError(
      `Cannot encode immediate ${value}: it does not fit in 32 bits`,
    );
  }
  return value | 0;
}

/** Tells a register from a constant. */
export function isRegister(operand: Operand): operand is Register {
  return typeof operand === "object";
}

function checkFields(fields: Instruction): void {
  const { opcode, dst, src, off, imm, high } = fields;
  check("opcode", opcode, 0, 0xff);
  check("register", dst, 0, REGISTER_COUNT - 1);
  check("register", src, 0, REGISTER_COUNT - 1);
  check("offset", off, -0x8000, 0x7fff);
  signedImmediate(imm);
  if (high !== undefined) signedImmediate(high);
  if ((high !== undefined) !== (opcode === LD_IMM64)) {
    throw new RangeError(
      `Cannot encode opcode 0x${opcode.toString(16)}: ` +
        "a 64-bit immediate belongs to opcode 0x18 only",
    );
  }
}

function check(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot encode ${what} ${value}: it is not in the range ${min} to ${max}`,
    );
  }
}
