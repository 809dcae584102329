/**
 * What every decoder works on: the bytes of one packet, how far they are
 * decoded, and what was wrong with them.
 *
 * ```
 *  bytes   0          offset               end          wireEnd
 *          +----------+--------------------+- - - - - - -+
 *          | decoded  | captured           | not captured|
 *          +----------+--------------------+- - - - - - -+
 * ```
 *
 * A decoder reads its header at `offset` and moves on. A length field narrows
 * `end` and `wireEnd`, so that padding is never taken for payload. What lies
 * between `end` and `wireEnd` was on the wire but not captured: running into it
 * means that the capture is truncated; running past `wireEnd` means that the
 * packet is malformed.
 *
 * @module
 */

/** What all layers have. See {@linkcode decodePacket}. */
export interface LayerBase {
  /** Offset in the packet of the layer's first byte. */
  readonly offset: number;
  /** Bytes of the layer's header with its options. */
  readonly headerLength: number;
  /**
   * Bytes that follow the header and belong to the layer, as its own or the
   * enclosing length field tells. Not all of them need to be captured.
   */
  readonly payloadLength: number;
}

/** Where and why decoding stopped. See {@linkcode decodePacket}. */
export interface Fault {
  /** Kind of the layer that could not be decoded. */
  readonly layer: string;
  /** Offset in the packet. */
  readonly offset: number;
  /** What is wrong: a phrase that begins in lower case, without a period. */
  readonly reason: string;
}

/** How the number that names the next layer is to be understood. */
export const Space = {
  /** Nothing that can be decoded follows. */
  NONE: 0,
  /** EtherType (IEEE 802 numbers). */
  ETHER_TYPE: 1,
  /** IP protocol number. */
  IP_PROTOCOL: 2,
  /** Payload of TCP or UDP; the code is the IP protocol number. */
  APPLICATION: 3,
  /** The IP packet that an ICMP error is about; the code is an EtherType. */
  QUOTE: 4,
  /** IEEE 802.2 logical link control. */
  LLC: 5,
} as const;

/** One of the values of {@linkcode Space}. */
export type Space = typeof Space[keyof typeof Space];

/** State of decoding one packet. */
export class PacketCursor {
  /** The captured bytes. */
  readonly bytes: Uint8Array;
  /** Offset of the next byte to decode. */
  offset: number;
  /** Offset after the last captured byte of the current layer. */
  end: number;
  /** Offset after the last byte that the current layer had on the wire. */
  wireEnd: number;
  /**
   * More bytes may have followed `wireEnd`: in other fragments, or because the
   * packet's original length is not known.
   */
  isOpen: boolean;
  /** How to understand `code`. */
  space: Space = Space.NONE;
  /** Names the layer that begins at `offset`. */
  code = 0;
  /** First place where captured bytes ended too early. */
  truncated: Fault | undefined = undefined;
  /** First place where the packet contradicts its format. */
  malformed: Fault | undefined = undefined;

  /**
   * Begins at the first byte.
   *
   * @param bytes Captured bytes.
   * @param originalLength Bytes that the packet had, when known.
   * @param offset Where to begin.
   */
  constructor(bytes: Uint8Array, originalLength?: number, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = bytes.length;
    this.wireEnd = Math.max(bytes.length, originalLength ?? 0);
    this.isOpen = originalLength === undefined;
  }

  /**
   * Tells whether `length` bytes are there to be read at `offset`; if not,
   * records why and ends decoding.
   *
   * @param layer Kind of the layer that needs them.
   * @param length Number of bytes.
   */
  has(layer: string, length: number): boolean {
    if (this.offset + length <= this.end) return true;
    this.runOut(layer, this.offset, length);
    return false;
  }

  /**
   * Applies a length field: the current layer ends `length` bytes after
   * `offset`. Records a fault when the packet is not that long, and goes on
   * with what there is.
   *
   * @param layer Kind of the layer that has the field.
   * @param length Bytes of the layer with its header.
   */
  limit(layer: string, length: number): void {
    const stated = this.offset + length;
    if (stated > this.wireEnd && !this.isOpen) {
      const left = this.wireEnd - this.offset;
      this.complain(
        layer,
        this.offset,
        `length ${length} exceeds the ${left} bytes left`,
      );
      return;
    }
    this.wireEnd = stated;
    this.isOpen = false;
    if (stated < this.end) this.end = stated;
  }

  /**
   * Moves past a header whose first bytes were there, and names what follows.
   * Ends decoding when the rest of the header was not captured.
   *
   * @param layer Kind of the layer.
   * @param headerLength Bytes of its header.
   * @param space How to understand `code`.
   * @param code Names the next layer.
   */
  advance(
    layer: string,
    headerLength: number,
    space: Space,
    code: number,
  ): void {
    if (this.offset + headerLength > this.end) {
      this.runOut(layer, this.offset, headerLength);
      this.offset = this.end;
      return;
    }
    this.offset += headerLength;
    this.space = space;
    this.code = code;
  }

  /**
   * Payload bytes after a header that begins at `offset`.
   *
   * @param headerLength Bytes of the header.
   */
  payloadLength(headerLength: number): number {
    return Math.max(0, this.wireEnd - this.offset - headerLength);
  }

  /**
   * Records that the packet contradicts its format. Only the first fault of a
   * packet is kept.
   *
   * @param layer Kind of the layer.
   * @param offset Where in the packet.
   * @param reason What is wrong.
   */
  complain(layer: string, offset: number, reason: string): void {
    this.malformed ??= { layer, offset, reason };
  }

  /**
   * Records that the packet contradicts its format and ends decoding.
   *
   * @param layer Kind of the layer.
   * @param offset Where in the packet.
   * @param reason What is wrong.
   */
  reject(layer: string, offset: number, reason: string): void {
    this.complain(layer, offset, reason);
    this.space = Space.NONE;
  }

  /** Ends decoding after this layer. */
  stop(): void {
    this.space = Space.NONE;
  }

  /**
   * Records that `needed` bytes at `offset` are not there and ends decoding.
   *
   * @param layer Kind of the layer that needs them.
   * @param offset Where in the packet.
   * @param needed Number of bytes.
   */
  runOut(layer: string, offset: number, needed: number): void {
    this.space = Space.NONE;
    if (offset + needed > this.wireEnd && !this.isOpen) {
      const left = Math.max(0, this.wireEnd - offset);
      this.complain(
        layer,
        offset,
        `${needed} bytes needed, the packet has ${left}`,
      );
      return;
    }
    const left = Math.max(0, this.end - offset);
    this.truncated ??= {
      layer,
      offset,
      reason: `${needed} bytes needed, ${left} captured`,
    };
  }
}
