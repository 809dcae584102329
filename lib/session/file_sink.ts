/**
 * The file that packets go into. Records are put together where the packets
 * stand in the ring, if the format permits it, and otherwise behind the ring,
 * in the same mapping; many are written together.
 *
 * @module
 */
import { errnoText, SyscallError } from "../../ffi/errno.ts";
import { freeSpace, replaceFile, takeBack } from "../../ffi/file.ts";
import { GatheredWrite } from "../../ffi/gathered_write.ts";
import type { PacketRing } from "../capture/packet_ring.ts";
import { cookedPlace } from "./cooked_packet.ts";
import type { CaptureStatistics, FileFormat } from "./file_format.ts";
import { openOutput, removeOutput } from "./output.ts";
import { isRotated, OutputFiles } from "./output_files.ts";
import type { KeyLogSetup } from "./key_log.ts";
import type { PcapngSetup } from "./pcapng_format.ts";
import type { PacketSink, SinkEnd } from "./packet_sink.ts";
import { CaptureError, type RotationOptions } from "./types.ts";

/** Room behind each ring for records that are not written yet. */
export const OUTPUT_SIZE = 4 << 20;

/** Where packets go, and how much of them; plain data. */
export interface FileSetup {
  /** Descriptor of the first file; it stands for each later one, too. */
  readonly descriptor: number;
  /** Name as the user gave it. */
  readonly path: string;
  /** When the capture goes on in a new file. */
  readonly rotation: RotationOptions;
  /** When the first file was named, in seconds since 1970. */
  readonly began: number;
  /** Bytes that all files may have together; 0 for no limit. */
  readonly maxSize: number;
  /** Bytes that shall be left free on the disk; 0 for none. */
  readonly minFree: number;
  /** Write each packet at once. */
  readonly unbuffered: boolean;
  readonly format: FormatSetup;
}

/** What kind of file it is. */
export type FormatSetup =
  | {
    readonly kind: "pcap";
    /** Bytes kept of each IP packet, 0 for all. */
    readonly snaplen: number;
    /** Time stamps in nanoseconds instead of microseconds. */
    readonly nanoseconds: boolean;
  }
  | PcapngSetup & {
    readonly kind: "pcapng";
    /** Where the command's TLS keys come. */
    readonly keyLog: KeyLogSetup | undefined;
  };

/**
 * Records are written when there are so many bytes of them: few enough to be
 * in the processor's cache yet when the kernel copies them.
 */
const WRITE_SIZE = 128 << 10;
const EPIPE = 32;
/** Bytes that records leave free for secrets, which shall stand before them. */
const SECRETS_ROOM = 256 << 10;
/** How long packets are kept for secrets that come late, milliseconds. */
const SECRETS_PATIENCE = 500;
/** How much may be written until free space is asked for again, bytes. */
const FREE_INTERVAL = 1 << 20;

/** Writes records of one format to a descriptor, which it borrows. */
export class FileSink implements PacketSink {
  readonly #setup: FileSetup;
  readonly #format: FileFormat;
  readonly #files: OutputFiles | undefined;
  readonly #statistics: () => CaptureStatistics;
  readonly #warn: (text: string) => void;
  /** Whether something has to be looked at before or after each packet. */
  readonly #hasLimits: boolean;
  #ring: PacketRing;
  /** Where the next record begins in the memory behind the ring. */
  #at: number;
  /** Where those records begin there that are not among the pieces. */
  #pieceAt: number;
  /** What is to be written before them, in order. */
  readonly #pieces = new GatheredWrite();
  /** When the first of the records that are not written was made, ms. */
  #since = 0;
  /** Bytes written to the present file, and to those before it. */
  #fileSize = 0;
  #earlier = 0;
  /** When free space has to be asked for: at this size of all files. */
  #checkAt = 0;
  #end: SinkEnd | undefined;

  /**
   * Writes what the file begins with: readers of a pipe wait for it.
   *
   * @param ring a ring with {@linkcode OUTPUT_SIZE} bytes behind it
   * @param statistics asked for at the end of each file
   * @param warn told what went wrong beside the capture itself
   */
  constructor(
    setup: FileSetup,
    format: FileFormat,
    ring: PacketRing,
    statistics: () => CaptureStatistics,
    warn: (text: string) => void,
  ) {
    this.#setup = setup;
    this.#format = format;
    this.#statistics = statistics;
    this.#warn = warn;
    this.#ring = ring;
    this.#at = this.#pieceAt = ring.tailAt;
    const isLimited = setup.maxSize > 0 || setup.minFree > 0;
    this.#hasLimits = isLimited || setup.unbuffered ||
      isRotated(setup.rotation);
    if (isRotated(setup.rotation)) {
      this.#files = new OutputFiles(setup.path, setup.rotation);
      this.#files.next(setup.began);
    }
    this.#append(format.begin());
    this.#write();
  }

  get end(): SinkEnd | undefined {
    return this.#end;
  }

  /** The files that are there, oldest first; undefined if there is just one. */
  get files(): readonly string[] | undefined {
    return this.#files?.kept;
  }

  place(ring: PacketRing, owner: number, room: number): number {
    const format = this.#format;
    const { headLength } = format;
    if (ring !== this.#ring) {
      this.#writeWithSecrets();
      this.#ring = ring;
      this.#at = this.#pieceAt = ring.tailAt;
    }
    const record = headLength + room + format.tailLength(owner);
    this.#keepLimits(record);
    const isInRing = ring.at < ring.tailAt;
    if (isInRing && format.wrap !== undefined) return cookedPlace(ring);
    const before = format.before(ring, owner);
    const needed = record + (before?.length ?? 0);
    const most = format.hasSecrets ? OUTPUT_SIZE - SECRETS_ROOM : WRITE_SIZE;
    if (this.#at + needed > ring.tailAt + most) this.#writeWithSecrets();
    if (this.#at === ring.tailAt) this.#since = performance.now();
    if (before !== undefined) this.#append(before);
    return this.#at + headLength;
  }

  take(
    ring: PacketRing,
    start: number,
    end: number,
    owner: number,
    sent: boolean,
    first: boolean,
  ): void {
    const format = this.#format;
    const recordEnd = format.record(ring, start, end, owner, sent, first);
    if (start > ring.tailAt) {
      this.#at = recordEnd;
    } else {
      this.#addRecord(start - format.headLength, recordEnd);
    }
    if (this.#setup.unbuffered) this.flush();
  }

  takePlain(ring: PacketRing, length: number): boolean {
    const format = this.#format;
    if (
      this.#hasLimits || format.wrap === undefined || ring !== this.#ring ||
      ring.at >= ring.tailAt
    ) return false;
    const recordAt = format.wrap(ring, length);
    this.#addRecord(recordAt, ring.networkAt + length);
    return true;
  }

  letGo(): void {
    if (this.#pieces.count > 0) this.#write();
  }

  flush(): void {
    if (this.#format.hasSecrets) {
      this.#insertSecrets();
      const age = performance.now() - this.#since;
      if (age < SECRETS_PATIENCE && !this.#setup.unbuffered) return;
    }
    this.#write();
  }

  /** Writes what there is, and before it the secrets that are known by now. */
  #writeWithSecrets(): void {
    if (this.#format.hasSecrets) this.#insertSecrets();
    this.#write();
  }

  finish(): void {
    if (this.#format.hasSecrets) this.#insertSecrets();
    const last = this.#format.end(this.#statistics());
    if (last !== undefined) this.#append(last);
    this.#write();
  }

  /** Makes a record that stands in the ring the last piece. */
  #addRecord(start: number, end: number): void {
    if (this.#at !== this.#pieceAt) this.#closePiece();
    if (this.#pieces.isFull) this.#write();
    this.#pieces.add(this.#ring.address + start, end - start);
  }

  /** Makes what is behind the ring the last piece. */
  #closePiece(): void {
    const length = this.#at - this.#pieceAt;
    if (length === 0) return;
    if (this.#pieces.isFull) this.#write();
    this.#pieces.add(this.#ring.address + this.#pieceAt, length);
    this.#pieceAt = this.#at;
  }

  /** Bytes that are not written yet. */
  get #pending(): number {
    return this.#pieces.length + this.#at - this.#pieceAt;
  }

  #write(): void {
    const pieces = this.#pieces;
    this.#closePiece();
    const isBroken = this.#end?.reason === "closed" ||
      this.#end?.reason === "failed";
    if (pieces.count > 0 && !isBroken) this.#writePieces();
    pieces.clear();
    this.#at = this.#pieceAt = this.#ring.tailAt;
  }

  #writePieces(): void {
    const { descriptor } = this.#setup;
    const { written, errno } = this.#pieces.write(descriptor);
    this.#fileSize += written;
    if (errno === 0) return;
    this.#end = errno === EPIPE ? { reason: "closed" } : {
      reason: "failed",
      error: errnoText(errno),
      path: this.#files?.kept.at(-1) ?? this.#setup.path,
    };
    // Leave a file that every reader takes: cut after the last whole record.
    takeBack(descriptor, written - this.#completeLength(written));
  }

  /** Bytes of the whole records among the first so many of all pieces. */
  #completeLength(written: number): number {
    const pieces = this.#pieces;
    let complete = 0;
    let piece = 0;
    while (piece < pieces.count) {
      const length = pieces.lengthOf(piece);
      if (complete + length > written) break;
      complete += length;
      piece++;
    }
    // A piece of the ring is one record; one behind the ring may have many.
    if (pieces.count > 1 || written === complete) return complete;
    const { bytes, tailAt } = this.#ring;
    return this.#format.completeLength(
      bytes.subarray(tailAt, tailAt + written),
    );
  }

  /** Puts secrets before all that is not written yet. */
  #insertSecrets(): void {
    const { bytes, tailAt } = this.#ring;
    for (;;) {
      const secrets = this.#format.secrets();
      if (secrets === undefined) return;
      const { length } = secrets;
      if (this.#at + length > tailAt + OUTPUT_SIZE) this.#write();
      bytes.copyWithin(tailAt + length, tailAt, this.#at);
      bytes.set(secrets, tailAt);
      this.#at += length;
    }
  }

  /** Looks whether a record fits the file, the files and the disk. */
  #keepLimits(length: number): void {
    const files = this.#files;
    const { maxSize, minFree } = this.#setup;
    if (files !== undefined) {
      const size = this.#fileSize + this.#pending + length;
      if (files.isFull(size, this.#ring.seconds)) this.#goOn(files);
    }
    if (maxSize === 0 && minFree === 0) return;
    const total = this.#earlier + this.#fileSize + this.#pending;
    if (maxSize > 0 && total + length > maxSize) {
      this.#end ??= { reason: "size" };
    } else if (minFree > 0 && total >= this.#checkAt) {
      this.#checkAt = total + FREE_INTERVAL;
      this.#writeWithSecrets();
      const free = freeSpace(this.#setup.descriptor);
      if (free !== undefined && free < minFree) {
        this.#end ??= { reason: "space" };
      }
    }
  }

  /** Goes on in the next file. */
  #goOn(files: OutputFiles): void {
    this.finish();
    if (this.#end !== undefined) return;
    const { path, outdated } = files.next(this.#ring.seconds);
    try {
      replaceFile(this.#setup.descriptor, openOutput(path));
    } catch (error) {
      this.#end = { reason: "failed", error: reasonOf(error), path };
      return;
    }
    this.#earlier += this.#fileSize;
    this.#fileSize = 0;
    if (outdated !== undefined) this.#remove(outdated);
    this.#append(this.#format.begin());
    // Secrets must not get before it.
    this.#write();
  }

  #remove(path: string): void {
    try {
      removeOutput(path);
    } catch (error) {
      this.#warn(`the old file ${path} stays: ${reasonOf(error)}`);
    }
  }

  #append(blocks: Uint8Array): void {
    const { bytes, tailAt } = this.#ring;
    for (let left = blocks; left.length > 0;) {
      if (this.#at + left.length > tailAt + OUTPUT_SIZE) this.#write();
      // The secrets of many connections are more than there is room for.
      const part = left.length <= OUTPUT_SIZE ? left : left.subarray(
        0,
        this.#format.completeLength(left.subarray(0, OUTPUT_SIZE)),
      );
      bytes.set(part, this.#at);
      this.#at += part.length;
      left = left.subarray(part.length);
    }
  }
}

/** Why a file could not be opened or removed. */
function reasonOf(error: unknown): string {
  const cause = error instanceof CaptureError ? error.cause : error;
  return cause instanceof SyscallError
    ? errnoText(cause.errno)
    : cause instanceof Error
    ? cause.message
    : String(cause);
}
