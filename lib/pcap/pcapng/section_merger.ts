/**
 * Captures of any format in one pcapng section: interfaces and process events
 * get new numbers, everything else is kept.
 *
 * @module
 */

import { CaptureRecord } from "../capture_record.ts";
import type { CaptureStream } from "../capture_stream.ts";
import type { CaptureItem } from "../merge.ts";
import type { CaptureBlock } from "./block.ts";
import { decodeSectionHeader } from "./blocks.ts";
import { toLittleEndian } from "./byte_order.ts";
import {
  encodeInterface,
  encodePacket,
  encodeSectionHeader,
} from "./encode.ts";
import {
  BLOCK_LENGTH_OFFSET,
  BlockType,
  OptionCode,
  PACKET_CAPTURED_OFFSET,
  PACKET_DATA_OFFSET,
  PACKET_INTERFACE_OFFSET,
  PACKET_TIME_LOWER_OFFSET,
  PACKET_TIME_UPPER_OFFSET,
  PacketOption,
  padded,
  STATISTICS_INTERFACE_OFFSET,
} from "./format.ts";
import { OPTION_HEAD_LENGTH, viewOf } from "./options.ts";
import {
  NO_EVENT,
  PACKET_HEAD_LENGTH,
  PACKET_TAIL_LENGTH,
  writePacketHead,
  writePacketTail,
} from "./packet_writer.ts";

const NOTHING = new Uint8Array(0);
const WORD = 0x1_0000_0000;
const MICROSECONDS = 6;
const NANOSECONDS = 9;
const MICROSECONDS_PER_SECOND = 1_000_000;
const FIRST_BUFFER_SIZE = 1 << 18;

/** New numbers of what one section of a stream describes. */
interface Numbers {
  readonly interfaces: number[];
  readonly events: number[];
}

/** Makes one section of the items of streams. */
export class SectionMerger {
  readonly #streams: readonly CaptureStream[];
  readonly #application: string;
  readonly #numbers: Numbers[];
  /** Interfaces by their blocks: equal ones become one. */
  readonly #interfaces = new Map<string, number>();
  #events = 0;
  #isBegun = false;
  #pieces: Uint8Array[] = [];
  #buffer = new Uint8Array(FIRST_BUFFER_SIZE);

  /**
   * Begins with nothing.
   *
   * @param streams Streams whose items will come.
   * @param application Program and version that makes the file.
   */
  constructor(streams: readonly CaptureStream[], application: string) {
    this.#streams = streams;
    this.#application = application;
    this.#numbers = streams.map(() => ({ interfaces: [], events: [] }));
  }

  /** See {@linkcode CaptureEncoder}. */
  encode(stream: number, item: CaptureItem): Uint8Array {
    this.#pieces = [];
    if (!(item instanceof CaptureRecord)) this.#addBlock(stream, item);
    else if (this.#streams[stream]?.header === undefined) {
      this.#addPacket(stream, item);
    } else this.#addPcapRecord(stream, item);
    return this.#join();
  }

  /** See {@linkcode CaptureEncoder}. */
  finish(): Uint8Array {
    this.#pieces = [];
    this.#begin();
    return this.#join();
  }

  #begin(first?: CaptureBlock): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const { hardware, os, comments } = first === undefined
      ? { comments: [] }
      : decodeSectionHeader(first);
    this.#pieces.push(encodeSectionHeader({
      application: this.#application,
      comments,
      ...hardware === undefined ? {} : { hardware },
      ...os === undefined ? {} : { os },
    }));
    // Readers want to be told of an interface even if it has no packets.
    for (const [stream, { header }] of this.#streams.entries()) {
      if (header === undefined) continue;
      const { linkType, snaplen, nanoseconds, fcsLength } = header;
      const block = encodeInterface({
        linkType,
        snaplen,
        resolution: nanoseconds ? NANOSECONDS : MICROSECONDS,
        fcsLength,
      });
      this.#numbers[stream]!.interfaces.push(this.#addInterface(block));
    }
  }

  #addBlock(stream: number, block: CaptureBlock): void {
    const numbers = this.#numbers[stream]!;
    if (block.type === BlockType.SECTION_HEADER) {
      this.#begin(block);
      this.#numbers[stream] = { interfaces: [], events: [] };
      return;
    }
    this.#begin();
    const raw = block.littleEndian ? block.raw : toLittleEndian(block.raw);
    switch (block.type) {
      case BlockType.INTERFACE_DESCRIPTION:
        numbers.interfaces.push(this.#addInterface(raw));
        return;
      case BlockType.INTERFACE_STATISTICS:
        this.#pieces.push(
          this.#renumbered(raw, STATISTICS_INTERFACE_OFFSET, numbers),
        );
        return;
      case BlockType.DARWIN_PROCESS_EVENT:
        numbers.events.push(this.#events++);
        break;
      // Means nothing in another file, as its writer says.
      case BlockType.CUSTOM_PRIVATE:
        return;
    }
    this.#pieces.push(raw);
  }

  /** Adds a description unless an equal one is there; gives its number. */
  #addInterface(block: Uint8Array): number {
    const key = block.join();
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    const id = this.#interfaces.size;
    this.#interfaces.set(key, id);
    this.#pieces.push(block);
    return id;
  }

  #renumbered(raw: Uint8Array, at: number, numbers: Numbers): Uint8Array {
    if (raw.length < at + 4 + BLOCK_LENGTH_OFFSET) return raw;
    const block = raw.slice();
    const view = viewOf(block);
    const id = numbers.interfaces[view.getUint32(at, true)];
    // Statistics of an interface that is not described belong nowhere.
    if (id === undefined) return NOTHING;
    view.setUint32(at, id, true);
    return block;
  }

  #addPacket(stream: number, record: CaptureRecord): void {
    const numbers = this.#numbers[stream]!;
    const id = numbers.interfaces[record.interface.id] ?? 0;
    if (!record.isTimed) {
      this.#pieces.push(this.#simplePacket(id, record));
      return;
    }
    const { raw } = record;
    const isLittle = isLittleEndian(raw);
    const block = isLittle ? raw.slice() : toLittleEndian(raw);
    const view = viewOf(block);
    if (view.getUint32(0, true) === BlockType.PACKET) {
      view.setUint16(PACKET_INTERFACE_OFFSET, id, true);
    } else {
      view.setUint32(PACKET_INTERFACE_OFFSET, id, true);
      renumberEvents(view, numbers.events);
    }
    this.#pieces.push(block);
  }

  /** A simple packet is of the first interface; of any other it cannot be. */
  #simplePacket(id: number, record: CaptureRecord): Uint8Array {
    const { raw, originalLength, data } = record;
    if (id === 0) return isLittleEndian(raw) ? raw : toLittleEndian(raw);
    return encodePacket({ interface: id, time: 0n, originalLength, data });
  }

  #addPcapRecord(stream: number, record: CaptureRecord): void {
    this.#begin();
    const { originalLength, capturedLength } = record;
    const id = this.#numbers[stream]!.interfaces[0] ?? 0;
    const room = PACKET_HEAD_LENGTH + capturedLength + PACKET_TAIL_LENGTH;
    if (room > this.#buffer.length) this.#buffer = new Uint8Array(room);
    const buffer = this.#buffer;
    const view = viewOf(buffer);
    writePacketHead(
      view,
      0,
      id,
      record.seconds,
      record.nanoseconds,
      capturedLength,
      originalLength,
    );
    if (this.#streams[stream]?.header?.nanoseconds === false) {
      const time = record.seconds * MICROSECONDS_PER_SECOND +
        record.nanoseconds / 1000;
      view.setUint32(PACKET_TIME_UPPER_OFFSET, time / WORD, true);
      view.setUint32(PACKET_TIME_LOWER_OFFSET, time % WORD, true);
    }
    buffer.set(record.data, PACKET_HEAD_LENGTH);
    const end = writePacketTail(view, 0, capturedLength, 0, 0, 0, NO_EVENT);
    this.#pieces.push(buffer.subarray(0, end));
  }

  #join(): Uint8Array {
    const [only, second] = this.#pieces;
    if (only === undefined) return NOTHING;
    if (second === undefined) return only;
    const joined = new Uint8Array(
      this.#pieces.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }
}

/** Tells from a block's length; both orders agree on no length that is read. */
function isLittleEndian(raw: Uint8Array): boolean {
  return viewOf(raw).getUint32(BLOCK_LENGTH_OFFSET, true) === raw.length;
}

/** Turns the numbers of process events into those of the new section. */
function renumberEvents(view: DataView, events: readonly number[]): void {
  const end = view.byteLength - BLOCK_LENGTH_OFFSET;
  let at = PACKET_DATA_OFFSET +
    padded(view.getUint32(PACKET_CAPTURED_OFFSET, true));
  while (at + OPTION_HEAD_LENGTH <= end) {
    const code = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    const valueAt = at + OPTION_HEAD_LENGTH;
    if (code === OptionCode.END || valueAt + length > end) return;
    const isEvent = code === PacketOption.DARWIN_PROCESS ||
      code === PacketOption.DARWIN_EFFECTIVE_PROCESS;
    if (isEvent && length >= 4) {
      const event = events[view.getUint32(valueAt, true)];
      if (event !== undefined) view.setUint32(valueAt, event, true);
    }
    at = valueAt + padded(length);
  }
}
