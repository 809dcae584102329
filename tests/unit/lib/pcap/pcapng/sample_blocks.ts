/**
 * A second writer of pcapng, from the letter of the draft: it shares no code
 * with the product and writes both byte orders.
 *
 * @module
 */

/** A 16, 32 or 64-bit number, or bytes as they are. */
export type Part = { u16: number } | { u32: number } | { u64: bigint } | {
  bytes: Uint8Array | string;
};

/** 16 bits. */
export function u16(value: number): Part {
  return { u16: value };
}

/** 32 bits. */
export function u32(value: number): Part {
  return { u32: value };
}

/** 64 bits. */
export function u64(value: bigint): Part {
  return { u64: value };
}

/** Bytes or text, padded to 4. */
export function bytes(value: Uint8Array | string): Part {
  return { bytes: value };
}

/** Writes blocks in one byte order. */
export class SampleBlocks {
  readonly littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }

  /** Puts parts one after the other. */
  join(parts: readonly Part[]): Uint8Array {
    return concat(parts.map((part) => this.#encode(part)));
  }

  /** A whole block. */
  block(type: number, parts: readonly Part[]): Uint8Array {
    const body = this.join(parts);
    const length = u32(body.length + 12);
    return this.join([u32(type), length, bytes(body), length]);
  }

  /** An option; a number stands for 32 bits. */
  option(code: number, value: Uint8Array | string | number | bigint): Part {
    const encoded = typeof value === "number"
      ? this.join([u32(value)])
      : typeof value === "bigint"
      ? this.join([u64(value)])
      : typeof value === "string"
      ? new TextEncoder().encode(value)
      : value;
    return bytes(
      this.join([u16(code), u16(encoded.length), bytes(encoded)]),
    );
  }

  /** A section header. */
  section(...options: Part[]): Uint8Array {
    return this.block(0x0a0d0d0a, [
      u32(0x1a2b3c4d),
      u16(1),
      u16(0),
      u64(0xffff_ffff_ffff_ffffn),
      ...options,
    ]);
  }

  /** An interface description. */
  interface(
    linkType: number,
    snaplen: number,
    ...options: Part[]
  ): Uint8Array {
    return this.block(1, [u16(linkType), u16(0), u32(snaplen), ...options]);
  }

  /** An enhanced packet. */
  packet(
    id: number,
    time: bigint,
    data: Uint8Array,
    original: number,
    ...options: Part[]
  ): Uint8Array {
    return this.block(6, [
      u32(id),
      u32(Number(time >> 32n)),
      u32(Number(time & 0xffff_ffffn)),
      u32(data.length),
      u32(original),
      bytes(data),
      ...options,
    ]);
  }

  #encode(part: Part): Uint8Array {
    if ("bytes" in part) {
      const value = typeof part.bytes === "string"
        ? new TextEncoder().encode(part.bytes)
        : part.bytes;
      const result = new Uint8Array(Math.ceil(value.length / 4) * 4);
      result.set(value);
      return result;
    }
    const view = new DataView(new ArrayBuffer(8));
    if ("u16" in part) {
      view.setUint16(0, part.u16, this.littleEndian);
      return new Uint8Array(view.buffer, 0, 2);
    }
    if ("u32" in part) {
      view.setUint32(0, part.u32, this.littleEndian);
      return new Uint8Array(view.buffer, 0, 4);
    }
    view.setBigUint64(0, part.u64, this.littleEndian);
    return new Uint8Array(view.buffer);
  }
}

/** Puts pieces one after the other. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(
    pieces.reduce((sum, piece) => sum + piece.length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}
