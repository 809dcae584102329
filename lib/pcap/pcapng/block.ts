/**
 * A block of a pcapng file.
 *
 * @module
 */

import { BLOCK_LENGTH_OFFSET } from "./format.ts";
import { type BlockOption, readOptions, viewOf } from "./options.ts";

/**
 * A whole block, checked to be one, and not looked into.
 *
 * @example See what else a file holds
 * ```ts
 * import { BlockType } from "./format.ts";
 * import { CaptureBlock } from "./block.ts";
 * import { CaptureStream } from "../capture_stream.ts";
 * import assert from "node:assert/strict";
 *
 * const stream = await CaptureStream.open(async function* () {
 *   yield await Deno.readFile("tests/golden/data/processes.pcapng");
 * }());
 * const types = new Set<number>();
 * for await (const items of stream.items()) {
 *   for (const item of items) {
 *     if (item instanceof CaptureBlock) types.add(item.type);
 *   }
 * }
 * assert(types.has(BlockType.SECTION_HEADER));
 * ```
 */
export class CaptureBlock {
  /** See {@linkcode BlockType}. */
  readonly type: number;
  /** Offset in the (uncompressed) file. */
  readonly offset: number;
  /** The block as it stands in the file: a view. */
  readonly raw: Uint8Array;
  /** Byte order of its section. */
  readonly littleEndian: boolean;

  /** Makes the block. */
  constructor(
    type: number,
    offset: number,
    raw: Uint8Array,
    littleEndian: boolean,
  ) {
    this.type = type;
    this.offset = offset;
    this.raw = raw;
    this.littleEndian = littleEndian;
  }

  /** Offset in `raw` after the body, options included. */
  get bodyEnd(): number {
    return this.raw.length - BLOCK_LENGTH_OFFSET;
  }

  /** A view with the offsets of `raw`. */
  get view(): DataView {
    return viewOf(this.raw);
  }

  /**
   * Reads the options.
   *
   * @param start Offset in `raw` of the first one.
   */
  options(start: number): BlockOption[] {
    return readOptions(this.raw, start, this.bodyEnd, this.littleEndian);
  }
}
