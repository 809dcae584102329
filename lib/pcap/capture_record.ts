/**
 * A captured packet as every capture format gives it.
 *
 * @module
 */

const NANOSECONDS_PER_SECOND = 1_000_000_000n;

/**
 * Where packets were captured, as far as the file says.
 * See {@linkcode CaptureRecord}.
 */
export interface CaptureInterface {
  /** Number by which records refer to it: 0 where there is but one. */
  readonly id: number;
  /** What its packets begin with, see {@linkcode LinkType}. */
  readonly linkType: number;
  /** Most bytes that were to be kept of a packet; 0 for no limit. */
  readonly snaplen: number;
  /** Units of its time stamps in a second, when they are finer than ns, too. */
  readonly unitsPerSecond: bigint;
  /** For example `eth0`. */
  readonly name?: string;
  /** For people. */
  readonly description?: string;
  /** Filter under which it was captured. */
  readonly filter?: string;
  /** Operating system of the machine that it belongs to. */
  readonly os?: string;
  /** The device itself. */
  readonly hardware?: string;
  /** Bytes of frame check sequence after each packet, when stated. */
  readonly fcsLength?: number;
}

/**
 * The process that sent or got a packet, as far as the file says.
 * See {@linkcode CaptureRecord} and {@linkcode Packet}.
 */
export interface PacketOwner {
  /** Process number. */
  readonly pid: number;
  /** Thread number. */
  readonly tid?: number;
  /** Name of the command, as in /proc/PID/comm. */
  readonly comm?: string;
  /** Command line. */
  readonly args?: string;
}

/**
 * What a file says about a packet besides its data and time.
 * See {@linkcode CaptureRecord}.
 */
export interface PacketDetails {
  /** Whether the packet came or went. */
  readonly direction?: "in" | "out";
  /** Whose packet it is. */
  readonly process?: PacketOwner;
  /** Remarks, of which there may be several. */
  readonly comments: readonly string[];
  /** Packets lost since the one before, of the same interface. */
  readonly dropCount?: bigint;
}

/**
 * Tells of a packet whether it is wanted, before a record is made for it.
 *
 * See {@linkcode CaptureStream}.
 *
 * @param chunk Holds the packet.
 * @param start Index in `chunk` of its first byte, link header included.
 * @param end Index after its last captured byte.
 * @param originalLength Number of bytes that the packet had.
 * @param from Where it was captured.
 */
export type PacketTest = (
  chunk: Uint8Array,
  start: number,
  end: number,
  originalLength: number,
  from: CaptureInterface,
) => boolean;

/** How the records of one interface lie in a file. */
export interface RecordLayout {
  /** Whose packets they are. */
  readonly interface: CaptureInterface;
  /** Whether they have a time. */
  readonly isTimed: boolean;
  /** Bytes of a record before the data. */
  readonly headLength: number;
  /** Bytes of a whole record. */
  recordLength(record: CaptureRecord): number;
  /** Reads what else a record says; see {@linkcode CaptureRecord.raw}. */
  readDetails(record: CaptureRecord): PacketDetails;
}

/**
 * A captured packet.
 *
 * Made for every packet of a file, so what costs is read when it is asked for.
 *
 * @example Look at the packets of a file
 * ```ts
 * import { CaptureStream } from "./capture_stream.ts";
 * import assert from "node:assert/strict";
 *
 * const stream = await CaptureStream.open(async function* () {
 *   yield await Deno.readFile("tests/golden/data/filter_linktype_1.pcap");
 * }());
 * for await (const record of stream) {
 *   assert.equal(typeof record.timestamp, "bigint");
 *   assert(record.data.length <= record.originalLength);
 *   assert.equal(record.interface.linkType, 1);
 * }
 * ```
 */
export class CaptureRecord {
  /** Offset in the (uncompressed) file of the record's header. */
  readonly offset: number;
  /** Seconds since 1970. */
  readonly seconds: number;
  /** Nanoseconds after `seconds`; may exceed a second in odd files. */
  readonly nanoseconds: number;
  /** Number of bytes that the packet had. */
  readonly originalLength: number;
  /** Number of bytes that were captured. */
  readonly capturedLength: number;
  /** Bytes of the file around the record; of no meaning by themselves. */
  readonly chunk: Uint8Array;
  /** Index in `chunk` of the first captured byte. */
  readonly dataAt: number;
  readonly #layout: RecordLayout;
  #details: PacketDetails | undefined;

  /** Makes the record. */
  constructor(
    offset: number,
    seconds: number,
    nanoseconds: number,
    originalLength: number,
    capturedLength: number,
    chunk: Uint8Array,
    dataAt: number,
    layout: RecordLayout,
  ) {
    this.offset = offset;
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
    this.originalLength = originalLength;
    this.capturedLength = capturedLength;
    this.chunk = chunk;
    this.dataAt = dataAt;
    this.#layout = layout;
    this.#details = undefined;
  }

  /** Captured bytes, link header included: a view, not a copy. */
  get data(): Uint8Array {
    return this.chunk.subarray(this.dataAt, this.dataAt + this.capturedLength);
  }

  /** Nanoseconds since 1970. */
  get timestamp(): bigint {
    return BigInt(this.seconds) * NANOSECONDS_PER_SECOND +
      BigInt(this.nanoseconds);
  }

  /** Whether the file gives a time; without one it is 0. */
  get isTimed(): boolean {
    return this.#layout.isTimed;
  }

  /** Where it was captured. */
  get interface(): CaptureInterface {
    return this.#layout.interface;
  }

  /** Whether the packet came or went, where the file says so. */
  get direction(): "in" | "out" | undefined {
    return this.details.direction;
  }

  /** Whose packet it is, where the file says so. */
  get process(): PacketOwner | undefined {
    return this.details.process;
  }

  /** Remarks of the file about this packet. */
  get comments(): readonly string[] {
    return this.details.comments;
  }

  /** All that the file says about the packet besides data and time. */
  get details(): PacketDetails {
    return this.#details ??= this.#layout.readDetails(this);
  }

  /** The record as it stands in the file, header included: a view. */
  get raw(): Uint8Array {
    const at = this.dataAt - this.#layout.headLength;
    return this.chunk.subarray(at, at + this.#layout.recordLength(this));
  }
}
