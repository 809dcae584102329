/**
 * The file that packets go into: records are put together behind the ring, in
 * the same mapping, and written in large pieces.
 *
 * @module
 */
import { errnoText } from "../../ffi/errno.ts";
import { takeBack, writeAll } from "../../ffi/file.ts";
import type { PacketRing } from "../capture/packet_ring.ts";
import type { CaptureStatistics, FileFormat } from "./file_format.ts";
import type { PacketSink, SinkEnd } from "./packet_sink.ts";

/** Room behind each ring for records that are not written yet. */
export const OUTPUT_SIZE = 4 << 20;

const EPIPE = 32;

/** Writes records of one format to a descriptor, which it borrows. */
export class FileSink implements PacketSink {
  readonly #fd: number;
  readonly #format: FileFormat;
  #ring: PacketRing;
  /** Where the next record begins in the memory of the ring. */
  #at: number;
  #end: SinkEnd | undefined;

  /**
   * Writes what the file begins with: readers of a pipe wait for it.
   *
   * @param ring a ring with {@linkcode OUTPUT_SIZE} bytes behind it
   */
  constructor(fd: number, format: FileFormat, ring: PacketRing) {
    this.#fd = fd;
    this.#format = format;
    this.#ring = ring;
    this.#at = ring.tailAt;
    this.#append(format.begin());
    this.flush();
  }

  get end(): SinkEnd | undefined {
    return this.#end;
  }

  place(ring: PacketRing, owner: number, room: number): number {
    const { headLength, tailLength } = this.#format;
    if (ring !== this.#ring) {
      this.flush();
      this.#ring = ring;
      this.#at = ring.tailAt;
    }
    const before = this.#format.before(ring, owner);
    const needed = headLength + room + tailLength + (before?.length ?? 0);
    if (this.#at + needed > ring.tailAt + OUTPUT_SIZE) this.flush();
    if (before !== undefined) this.#append(before);
    return this.#at + headLength;
  }

  take(
    ring: PacketRing,
    start: number,
    end: number,
    owner: number,
    sent: boolean,
  ): void {
    this.#at = this.#format.record(ring, start, end, owner, sent);
  }

  flush(): void {
    const { address, bytes, tailAt } = this.#ring;
    const length = this.#at - tailAt;
    this.#at = tailAt;
    if (length === 0 || this.#end !== undefined) return;
    const { written, errno } = writeAll(this.#fd, address + tailAt, length);
    if (errno === 0) return;
    this.#end = errno === EPIPE
      ? { reason: "closed" }
      : { reason: "failed", error: errnoText(errno) };
    // Leave a file that every reader takes: cut after the last whole record.
    const records = bytes.subarray(tailAt, tailAt + written);
    takeBack(this.#fd, written - this.#format.completeLength(records));
  }

  finish(statistics: CaptureStatistics): void {
    const last = this.#format.end(statistics);
    if (last !== undefined) this.#append(last);
    this.flush();
  }

  #append(block: Uint8Array): void {
    if (this.#at + block.length > this.#ring.tailAt + OUTPUT_SIZE) this.flush();
    this.#ring.bytes.set(block, this.#at);
    this.#at += block.length;
  }
}
