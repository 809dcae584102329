/**
 * Finding a few names among a hundred thousand without making strings.
 *
 * @module
 */

import { KIND, type Kind } from "./format.ts";

/** A type that is wanted. See {@linkcode Btf}. */
export interface BtfName {
  /** Its kind: a name may stand for several things. */
  readonly kind: Kind;
  /** Name as in the kernel's source, without `struct` and the like. */
  readonly name: string;
}

interface Candidate {
  readonly kind: number;
  /** Bytes with the final NUL. */
  readonly bytes: Uint8Array;
  readonly key: string;
}

/** Slots of the table that is asked first; a power of two. */
const SLOTS = 1024;

/**
 * A set of names that is asked once per type.
 *
 * Most questions end at one table look-up made from the first bytes of the
 * name.
 */
export class NameSet {
  /** One bit per kind that occurs. */
  readonly kinds: number;
  readonly #slots: (Candidate[] | undefined)[] = new Array(SLOTS).fill(
    undefined,
  );

  /** Takes the wanted names; double ones count once. */
  constructor(wanted: readonly BtfName[]) {
    let kinds = 0;
    const seen = new Set<string>();
    for (const { kind, name } of wanted) {
      const key = nameKey(kind, name);
      if (seen.has(key)) continue;
      seen.add(key);
      kinds |= 1 << KIND[kind];
      const bytes = new TextEncoder().encode(`${name}\0`);
      const slot = hash(bytes, 0);
      (this.#slots[slot] ??= []).push({ kind: KIND[kind], bytes, key });
    }
    this.kinds = kinds;
  }

  /** Returns the key of the wanted name at `offset`, if it is one. */
  find(
    kind: number,
    strings: Uint8Array,
    offset: number,
  ): string | undefined {
    const candidates = this.#slots[hash(strings, offset)];
    if (candidates === undefined) return undefined;
    for (const candidate of candidates) {
      if (
        candidate.kind === kind && startsWith(strings, offset, candidate.bytes)
      ) {
        return candidate.key;
      }
    }
    return undefined;
  }
}

/** Key of a name in maps. */
export function nameKey(kind: Kind, name: string): string {
  return `${kind} ${name}`;
}

/** Tells whether `bytes` stand at `offset`. */
export function startsWith(
  strings: Uint8Array,
  offset: number,
  bytes: Uint8Array,
): boolean {
  for (let i = 0; i < bytes.length; i++) {
    if (strings[offset + i] !== bytes[i]) return false;
  }
  return true;
}

/** Mixes the bytes of a name up to its NUL, twelve at most. */
function hash(strings: Uint8Array, offset: number): number {
  let value = 0;
  for (let i = offset; i < offset + 12; i++) {
    const byte = strings[i];
    if (byte === undefined || byte === 0) break;
    value = (value * 31 + byte) | 0;
  }
  return (value ^ value >>> 10) & (SLOTS - 1);
}
