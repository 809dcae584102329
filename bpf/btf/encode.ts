/**
 * Writes small BTF blobs: some kinds of maps are only made when BTF tells the
 * types of their keys and values.
 *
 * @module
 */

import {
  BTF_MAGIC,
  BTF_VERSION,
  HEADER,
  HEADER_LENGTH,
  KIND,
} from "./format.ts";

/**
 * A type to be written; ids count from 1 in the order of the list.
 * See {@linkcode encodeBtf}.
 */
export type BtfType =
  | {
    readonly kind: "INT";
    readonly name: string;
    /** Bytes: 1, 2, 4, 8 or 16. */
    readonly size: number;
    readonly signed?: boolean;
  }
  | {
    readonly kind: "ARRAY";
    /** Id of the elements' type. */
    readonly element: number;
    /** Id of the type of subscripts. */
    readonly index: number;
    readonly count: number;
  };

const INT_SIGNED = 1 << 24;

/**
 * Encodes a list of types.
 *
 * @example Describe the value of a map
 * ```ts
 * import { encodeBtf } from "./encode.ts";
 * import { Btf } from "./reader.ts";
 * import assert from "node:assert/strict";
 *
 * const bytes = encodeBtf([
 *   { kind: "INT", name: "u32", size: 4 },
 *   { kind: "ARRAY", element: 1, index: 1, count: 8 },
 * ]);
 * const types = new Btf(bytes, [{ kind: "INT", name: "u32" }]);
 * assert.equal(types.id("INT", "u32"), 1);
 * ```
 */
export function encodeBtf(types: readonly BtfType[]): Uint8Array<ArrayBuffer> {
  const words: number[] = [];
  let strings = "\0";
  for (const type of types) {
    if (type.kind === "INT") {
      const encoding = (type.signed ? INT_SIGNED : 0) | type.size * 8;
      words.push(strings.length, KIND.INT << 24, type.size, encoding);
      strings += `${type.name}\0`;
    } else {
      words.push(0, KIND.ARRAY << 24, 0);
      words.push(type.element, type.index, type.count);
    }
  }
  const stringBytes = new TextEncoder().encode(strings);
  const typeLength = words.length * 4;
  const bytes = new Uint8Array(
    HEADER_LENGTH + typeLength + stringBytes.length,
  );
  const view = new DataView(bytes.buffer);
  view.setUint16(HEADER.magic, BTF_MAGIC, true);
  view.setUint8(HEADER.version, BTF_VERSION);
  view.setUint32(HEADER.headerLength, HEADER_LENGTH, true);
  view.setUint32(HEADER.typeOffset, 0, true);
  view.setUint32(HEADER.typeLength, typeLength, true);
  view.setUint32(HEADER.stringOffset, typeLength, true);
  view.setUint32(HEADER.stringLength, stringBytes.length, true);
  words.forEach((word, i) => view.setUint32(HEADER_LENGTH + i * 4, word, true));
  bytes.set(stringBytes, HEADER_LENGTH + typeLength);
  return bytes;
}
