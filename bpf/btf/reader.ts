/**
 * Reads BTF: ids of types and functions, and where structures keep members.
 *
 * @module
 */

import {
  BTF_MAGIC,
  BTF_VERSION,
  BtfFormatError,
  ELEMENT_WORDS,
  EXTRA_WORDS,
  HEADER,
  HEADER_LENGTH,
  KIND,
  type Kind,
  LAST_KIND,
  TYPE_WORDS,
} from "./format.ts";
import { type BtfName, nameKey, NameSet, startsWith } from "./names.ts";

/** Place of a member in a structure. See {@linkcode Btf}. */
export interface BtfMember {
  /** Byte offset from the start of the outermost structure. */
  readonly offset: number;
  /** The same in bits; for bitfields the first bit. */
  readonly bitOffset: number;
  /** Width of a bitfield in bits, 0 for other members. */
  readonly bits: number;
  /** Bytes of the member's type. */
  readonly size: number;
}

/** Sections of a BTF blob. */
interface Sections {
  /** Types as words; word 0 is the first word of type 1. */
  readonly words: Uint32Array;
  readonly strings: Uint8Array;
  /** Byte offset of the types in the blob, for messages. */
  readonly typeStart: number;
}

/** Nesting of typedefs and anonymous members that is followed. */
const MAX_DEPTH = 16;

/** Bit 31 of `info`: member offsets carry bitfield widths. */
const KFLAG = 0x8000_0000;

/**
 * Types of one kernel or object, with the wanted names found.
 *
 * @example Find a type
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
export class Btf {
  readonly #words: Uint32Array;
  readonly #strings: Uint8Array;
  /** Type id → index of its first word. */
  readonly #index: Uint32Array;
  readonly #ids: ReadonlyMap<string, number>;

  /**
   * Reads the types once and remembers the ids of the wanted names; where a
   * name occurs twice the first one counts.
   *
   * @param bytes Content of `/sys/kernel/btf/vmlinux`.
   * @param wanted Names that will be asked for.
   * @throws {BtfFormatError} when the bytes are not BTF of this byte order or
   * hold a kind of type that is not known.
   */
  constructor(bytes: Uint8Array, wanted: readonly BtfName[]) {
    const sections = readSections(bytes);
    const ids = new Map<string, number>();
    this.#words = sections.words;
    this.#strings = sections.strings;
    this.#index = indexTypes(sections, new NameSet(wanted), ids);
    this.#ids = ids;
  }

  /** Number of types, the unnumbered `void` not counted. */
  get length(): number {
    return this.#index.length - 1;
  }

  /** Returns the id of one of the wanted names. */
  id(kind: Kind, name: string): number | undefined {
    return this.#ids.get(nameKey(kind, name));
  }

  /**
   * Finds a member, also inside of anonymous structures and unions.
   *
   * @param struct Name of a structure that was wanted.
   * @param path Member names joined by dots; all but the last one are
   * embedded structures or unions.
   * @returns `undefined` when the structure or the member does not exist.
   */
  member(struct: string, path: string): BtfMember | undefined {
    let type = this.id("STRUCT", struct);
    let found: BtfMember | undefined;
    for (const name of path.split(".")) {
      if (type === undefined || name === "") return undefined;
      const next = this.#findMember(type, encodeName(name), MAX_DEPTH);
      if (next === undefined) return undefined;
      const bitOffset = (found?.bitOffset ?? 0) + next.bitOffset;
      found = {
        offset: Math.floor(bitOffset / 8),
        bitOffset,
        bits: next.bits,
        size: this.#sizeOf(next.type),
      };
      type = next.type;
    }
    return found;
  }

  /** Returns how many arguments a wanted function takes. */
  argumentCount(name: string): number | undefined {
    const id = this.id("FUNC", name);
    if (id === undefined) return undefined;
    const prototype = this.#typeWord(this.#wordIndex(id));
    const at = this.#wordIndex(prototype);
    if (this.#kind(at) !== KIND.FUNC_PROTO) return undefined;
    return this.#info(at) & 0xffff;
  }

  /** Bytes of a wanted structure. */
  structSize(name: string): number | undefined {
    const id = this.id("STRUCT", name);
    return id === undefined ? undefined : this.#sizeOf(id);
  }

  #findMember(
    id: number,
    name: Uint8Array,
    depth: number,
  ): { bitOffset: number; bits: number; type: number } | undefined {
    const at = this.#wordIndex(this.#strip(id));
    const kind = this.#kind(at);
    if (depth === 0 || (kind !== KIND.STRUCT && kind !== KIND.UNION)) {
      return undefined;
    }
    const info = this.#info(at);
    const hasWidths = (info & KFLAG) !== 0;
    const end = at + TYPE_WORDS + (info & 0xffff) * 3;
    for (let word = at + TYPE_WORDS; word < end; word += 3) {
      const nameOffset = this.#words[word] ?? 0;
      const type = this.#words[word + 1] ?? 0;
      const place = this.#words[word + 2] ?? 0;
      const bitOffset = hasWidths ? place & 0xff_ffff : place;
      if (startsWith(this.#strings, nameOffset, name)) {
        const bits = hasWidths ? place >>> 24 : this.#intBits(type);
        return { bitOffset, bits, type };
      }
      if (this.#strings[nameOffset] === 0) {
        const inner = this.#findMember(type, name, depth - 1);
        if (inner !== undefined) {
          return { ...inner, bitOffset: bitOffset + inner.bitOffset };
        }
      }
    }
    return undefined;
  }

  /** Width of an integer type that is narrower than its bytes, else 0. */
  #intBits(id: number): number {
    const at = this.#wordIndex(this.#strip(id));
    if (this.#kind(at) !== KIND.INT) return 0;
    const bits = (this.#words[at + TYPE_WORDS] ?? 0) & 0xff;
    return bits === this.#typeWord(at) * 8 ? 0 : bits;
  }

  #sizeOf(id: number, depth = MAX_DEPTH): number {
    const at = this.#wordIndex(this.#strip(id));
    switch (this.#kind(at)) {
      case KIND.INT:
      case KIND.STRUCT:
      case KIND.UNION:
      case KIND.ENUM:
      case KIND.FLOAT:
      case KIND.ENUM64:
        return this.#typeWord(at);
      case KIND.PTR:
        return 8;
      case KIND.ARRAY: {
        if (depth === 0) return 0;
        const element = this.#words[at + TYPE_WORDS] ?? 0;
        const count = this.#words[at + TYPE_WORDS + 2] ?? 0;
        return count * this.#sizeOf(element, depth - 1);
      }
      default:
        return 0;
    }
  }

  /** Follows typedefs and qualifiers. */
  #strip(id: number): number {
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const at = this.#wordIndex(id);
      switch (this.#kind(at)) {
        case KIND.TYPEDEF:
        case KIND.VOLATILE:
        case KIND.CONST:
        case KIND.RESTRICT:
        case KIND.TYPE_TAG:
          id = this.#typeWord(at);
          continue;
        default:
          return id;
      }
    }
    return 0;
  }

  /** Index of a type's first word; past the end for `void` and bad ids. */
  #wordIndex(id: number): number {
    return id === 0
      ? this.#words.length
      : this.#index[id] ?? this.#words.length;
  }

  #info(at: number): number {
    return this.#words[at + 1] ?? 0;
  }

  #kind(at: number): number {
    return this.#info(at) >>> 24 & 0x1f;
  }

  #typeWord(at: number): number {
    return this.#words[at + 2] ?? 0;
  }
}

function readSections(bytes: Uint8Array): Sections {
  if (bytes.length < HEADER_LENGTH) {
    throw new BtfFormatError("the header is cut off", 0);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(HEADER.magic, true) !== BTF_MAGIC) {
    throw new BtfFormatError("the magic number is not 0xeb9f", 0);
  }
  if (view.getUint8(HEADER.version) !== BTF_VERSION) {
    throw new BtfFormatError("the version is not 1", HEADER.version);
  }
  const headerLength = view.getUint32(HEADER.headerLength, true);
  const section = (offsetField: number, lengthField: number): Uint8Array => {
    const start = headerLength + view.getUint32(offsetField, true);
    const end = start + view.getUint32(lengthField, true);
    if (end > bytes.length) {
      throw new BtfFormatError("a section is cut off", offsetField);
    }
    return bytes.subarray(start, end);
  };
  const types = section(HEADER.typeOffset, HEADER.typeLength);
  // Word access needs an aligned buffer.
  const aligned = types.byteOffset % 4 === 0 ? types : types.slice();
  return {
    words: new Uint32Array(
      aligned.buffer,
      aligned.byteOffset,
      aligned.length >> 2,
    ),
    strings: section(HEADER.stringOffset, HEADER.stringLength),
    typeStart: headerLength + view.getUint32(HEADER.typeOffset, true),
  };
}

/** Notes where each type begins and which ids the wanted names have. */
function indexTypes(
  { words, strings, typeStart }: Sections,
  wanted: NameSet,
  ids: Map<string, number>,
): Uint32Array {
  // No type is shorter than three words.
  const index = new Uint32Array(Math.floor(words.length / TYPE_WORDS) + 1);
  const kinds = wanted.kinds;
  let id = 1;
  let at = 0;
  while (at + TYPE_WORDS <= words.length) {
    const info = words[at + 1]!;
    const kind = info >>> 24 & 0x1f;
    if (kind === 0 || kind > LAST_KIND) {
      throw new BtfFormatError(`kind ${kind} is unknown`, typeStart + at * 4);
    }
    if (kinds >>> kind & 1) {
      const key = wanted.find(kind, strings, words[at]!);
      if (key !== undefined && !ids.has(key)) ids.set(key, id);
    }
    index[id++] = at;
    at += TYPE_WORDS + EXTRA_WORDS[kind]! +
      (info & 0xffff) * ELEMENT_WORDS[kind]!;
  }
  return index.subarray(0, id);
}

function encodeName(name: string): Uint8Array {
  return new TextEncoder().encode(`${name}\0`);
}
