/**
 * Layout of BTF, the kernel's description of its own types.
 *
 * Source: `include/uapi/linux/btf.h`, `Documentation/bpf/btf.rst`.
 *
 * ```text
 * header, 24 bytes: u16 magic, u8 version, u8 flags, u32 hdr_len,
 *                   u32 type_off, type_len, str_off, str_len
 *                   (offsets count from the end of the header)
 * type, 3 words + what its kind adds:
 *   name_off │ info │ size or type
 *   info:  31     30 29 28      24 23    16 15      0
 *         +------+-----+----------+--------+---------+
 *         |kflag |     |   kind   |        |  vlen   |
 *         +------+-----+----------+--------+---------+
 * ```
 *
 * @module
 */

/** First two bytes, as a little-endian number. */
export const BTF_MAGIC = 0xeb9f;

/** The only version there is. */
export const BTF_VERSION = 1;

/** Bytes of the header. */
export const HEADER_LENGTH = 24;

/** Byte offsets of the header's fields. */
export const HEADER = {
  magic: 0,
  version: 2,
  headerLength: 4,
  typeOffset: 8,
  typeLength: 12,
  stringOffset: 16,
  stringLength: 20,
} as const;

/** Words that each type begins with. */
export const TYPE_WORDS = 3;

/** Kinds of types (`BTF_KIND_…`). See {@linkcode Btf}. */
export const KIND = {
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** Name of a kind. See {@linkcode Btf}. */
export type Kind = keyof typeof KIND;

/** Words after the first three, by kind: fixed. */
export const EXTRA_WORDS: readonly number[] = wordTable({
  INT: 1,
  ARRAY: 3,
  VAR: 1,
  DECL_TAG: 1,
});

/** Words after the first three, by kind: for each of `vlen` elements. */
export const ELEMENT_WORDS: readonly number[] = wordTable({
  STRUCT: 3,
  UNION: 3,
  ENUM: 2,
  FUNC_PROTO: 2,
  DATASEC: 3,
  ENUM64: 3,
});

/** Number of the last known kind. */
export const LAST_KIND = KIND.ENUM64;

/**
 * Bytes that are not BTF, or not of a kind that can be read.
 *
 * @example Read what is no BTF
 * ```ts
 * import { BtfFormatError } from "./format.ts";
 * import { Btf } from "./reader.ts";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => new Btf(new Uint8Array(24), []), BtfFormatError);
 * ```
 */
export class BtfFormatError extends SyntaxError {
  /** Name of the class. */
  override readonly name = "BtfFormatError";
  /** Byte offset of what cannot be read. */
  readonly offset: number;

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(message: string, offset: number) {
    super(`Cannot read BTF at offset ${offset}: ${message}`);
    this.offset = offset;
  }
}

function wordTable(counts: Partial<Record<Kind, number>>): number[] {
  const table = new Array<number>(32).fill(0);
  for (const [kind, count] of Object.entries(counts)) {
    table[KIND[kind as Kind]] = count;
  }
  return table;
}
