/**
 * Names for places in a program, and jumps measured between them.
 *
 * @module
 */

/**
 * A label that is missing, doubled, or out of a jump's reach.
 *
 * @example Jump nowhere
 * ```ts
 * import { ClassicAssembler } from "./classic/assembler.ts";
 * import { LabelError } from "./labels.ts";
 * import assert from "node:assert/strict";
 *
 * const program = new ClassicAssembler().jeq(1, "there", "nowhere")
 *   .label("there").ret(0);
 * assert.throws(
 *   () => program.assemble(),
 *   (error) => error instanceof LabelError && error.label === "nowhere",
 * );
 * ```
 */
export class LabelError extends RangeError {
  /** Name of the class. */
  override readonly name = "LabelError";
  /** The label that the error is about. */
  readonly label: string;

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(label: string, message: string) {
    super(message);
    this.label = label;
  }
}

/** The labels of one program: name to position. */
export class Labels {
  readonly #positions = new Map<string, number>();

  /**
   * Gives the name to a position.
   *
   * @throws {LabelError} when the name is taken.
   */
  define(label: string, position: number): void {
    const taken = this.#positions.get(label);
    if (taken !== undefined) {
      throw new LabelError(
        label,
        `Cannot define label "${label}" at instruction ${position}: ` +
          `it stands at instruction ${taken}`,
      );
    }
    this.#positions.set(label, position);
  }

  /** Tells whether the name is taken. */
  has(label: string): boolean {
    return this.#positions.has(label);
  }

  /**
   * The position of a label that the instruction at `from` jumps to.
   *
   * @throws {LabelError} when no such label was defined.
   */
  resolve(label: string, from: number): number {
    const position = this.#positions.get(label);
    if (position === undefined) {
      throw new LabelError(
        label,
        `Cannot jump from instruction ${from} to label "${label}": ` +
          "it is not defined",
      );
    }
    return position;
  }
}

/** How far a jump reaches, counted from the instruction after it. */
export interface JumpReach {
  /** Furthest distance back; 0 or negative. */
  readonly min: number;
  /** Furthest distance ahead. */
  readonly max: number;
}

/**
 * Checks that a jump can span a distance.
 *
 * @param label Name of the target, for the message.
 * @param from Position of the jump.
 * @param offset Distance from the instruction after the jump.
 * @param reach Distances that the jump can hold.
 * @returns The offset.
 * @throws {LabelError} when the distance does not fit.
 */
export function checkReach(
  label: string,
  from: number,
  offset: number,
  reach: JumpReach,
): number {
  if (offset < reach.min || offset > reach.max) {
    throw new LabelError(
      label,
      `Cannot jump from instruction ${from} to label "${label}": ` +
        `distance ${offset} is outside ${reach.min} to ${reach.max}`,
    );
  }
  return offset;
}
