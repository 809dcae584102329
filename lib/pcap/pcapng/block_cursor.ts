/**
 * Cutting a pcapng file into blocks and packets.
 *
 * @module
 */

import { ChunkBuffer } from "../../bytes/chunk_buffer.ts";
import {
  type CaptureInterface,
  CaptureRecord,
  type PacketTest,
  type RecordLayout,
} from "../capture_record.ts";
import { CaptureFormatError } from "../error.ts";
import { CaptureBlock } from "./block.ts";
import { decodeProcessBlock, decodeProcessEvent } from "./blocks.ts";
import {
  ALIGNMENT,
  BLOCK_FRAME_LENGTH,
  BLOCK_LENGTH_OFFSET,
  BlockType,
  BYTE_ORDER_MAGIC,
  BYTE_ORDER_OFFSET,
  INTERFACE_OPTIONS_OFFSET,
  MAXIMUM_BLOCK_LENGTH,
  OptionCode,
  PACKET_CAPTURED_OFFSET,
  PACKET_DATA_OFFSET,
  PACKET_INTERFACE_OFFSET,
  PACKET_ORIGINAL_OFFSET,
  PACKET_TIME_LOWER_OFFSET,
  PACKET_TIME_UPPER_OFFSET,
  padded,
  SECTION_MAJOR,
  SECTION_MAJOR_OFFSET,
  SECTION_MINOR_OFFSET,
  SECTION_OPTIONS_OFFSET,
  SIMPLE_DATA_OFFSET,
  SIMPLE_ORIGINAL_OFFSET,
} from "./format.ts";
import { SectionInterface } from "./interface.ts";
import { OPTION_HEAD_LENGTH, readText } from "./options.ts";
import {
  parseProcessComment,
  PROCESS_COMMENT_START,
} from "./process_comment.ts";
import { ProcessTable } from "./process_table.ts";

const COMMENT_START = new TextEncoder().encode(PROCESS_COMMENT_START);

/**
 * Cuts bytes into blocks as they are pushed. Blocks that hold packets are given
 * as records, all others as they are.
 */
export class BlockCursor {
  readonly #buffer = new ChunkBuffer();
  #littleEndian = true;
  #interfaces: SectionInterface[] = [];
  #processes = new ProcessTable();
  #isComplete = false;
  #isOpen = false;

  /**
   * Appends bytes of the file.
   *
   * @param chunk Is kept, and records are views on it.
   */
  push(chunk: Uint8Array): void {
    this.#buffer.push(chunk);
  }

  /** States that no more bytes come. */
  complete(): void {
    this.#isComplete = true;
  }

  /** Interfaces of the section, as far as it was read. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#interfaces.map(({ description }) => description);
  }

  /** Copies what was not read yet, so that pushed chunks can change. */
  keep(): void {
    this.#buffer.keep();
  }

  /**
   * The next packet or other block.
   *
   * @param select Leaves out other packets.
   * @returns `undefined` when more bytes are needed or, after
   *   {@linkcode BlockCursor.complete}, when there are no more blocks.
   * @throws {CaptureFormatError} When the file is damaged here, or ends within
   *   a block.
   */
  next(select?: PacketTest): CaptureRecord | CaptureBlock | undefined {
    const buffer = this.#buffer;
    for (;;) {
      if (!buffer.has(BLOCK_FRAME_LENGTH)) return this.#needMore();
      const type = buffer.view.getUint32(buffer.position, this.#littleEndian);
      if (type === BlockType.SECTION_HEADER) this.#chooseByteOrder();
      else if (!this.#isOpen) this.#fail("it is outside of any section");
      const length = this.#readLength();
      if (!buffer.has(length)) return this.#needMore();
      this.#checkEnd(length);
      const item = this.#read(type, length, select);
      buffer.consume(length);
      if (item !== undefined) return item;
    }
  }

  #checkEnd(length: number): void {
    const { view, position } = this.#buffer;
    const at = position + length - BLOCK_LENGTH_OFFSET;
    const again = view.getUint32(at, this.#littleEndian);
    if (again !== length) {
      this.#fail(`its two lengths differ: ${length} and ${again}`);
    }
  }

  /** Reads one block; gives nothing for a packet that is not wanted. */
  #read(
    type: number,
    length: number,
    select: PacketTest | undefined,
  ): CaptureRecord | CaptureBlock | undefined {
    switch (type) {
      case BlockType.ENHANCED_PACKET:
        return this.#readPacket(length, select);
      case BlockType.SIMPLE_PACKET:
        return this.#readSimplePacket(length, select);
      case BlockType.PACKET:
        return this.#readObsoletePacket(length, select);
    }
    const { position, offset, bytes } = this.#buffer;
    const raw = bytes.subarray(position, position + length);
    return this.#readBlock(
      new CaptureBlock(type, offset, raw, this.#littleEndian),
    );
  }

  #readLength(): number {
    const { view, position } = this.#buffer;
    const length = view.getUint32(
      position + BLOCK_LENGTH_OFFSET,
      this.#littleEndian,
    );
    if (length % ALIGNMENT !== 0) {
      this.#fail(`length ${length} is not a multiple of ${ALIGNMENT}`);
    }
    if (length < BLOCK_FRAME_LENGTH) {
      this.#fail(`length ${length} is less than ${BLOCK_FRAME_LENGTH}`);
    }
    if (length > MAXIMUM_BLOCK_LENGTH) {
      this.#fail(`length ${length} exceeds ${MAXIMUM_BLOCK_LENGTH}`);
    }
    return length;
  }

  #chooseByteOrder(): void {
    const { view, position } = this.#buffer;
    const at = position + BYTE_ORDER_OFFSET;
    const magic = view.getUint32(at, true);
    const swapped = view.getUint32(at, false);
    if (magic !== BYTE_ORDER_MAGIC && swapped !== BYTE_ORDER_MAGIC) {
      this.#fail(`byte-order magic ${swapped.toString(16)} is unknown`);
    }
    this.#littleEndian = magic === BYTE_ORDER_MAGIC;
  }

  #readBlock(block: CaptureBlock): CaptureBlock {
    switch (block.type) {
      case BlockType.SECTION_HEADER:
        this.#openSection(block);
        break;
      case BlockType.INTERFACE_DESCRIPTION:
        this.#checkRoom(block.raw.length, INTERFACE_OPTIONS_OFFSET);
        this.#interfaces.push(
          new SectionInterface(
            block,
            this.#interfaces.length,
            this.#processes,
          ),
        );
        break;
      case BlockType.DARWIN_PROCESS_EVENT: {
        const owner = decodeProcessEvent(block);
        if (owner !== undefined) this.#processes.addEvent(block.offset, owner);
        break;
      }
      case BlockType.CUSTOM:
      case BlockType.CUSTOM_PRIVATE: {
        const owner = decodeProcessBlock(block);
        if (owner !== undefined) this.#processes.learn(block.offset, owner);
        break;
      }
    }
    return block;
  }

  #openSection(block: CaptureBlock): void {
    this.#checkRoom(block.raw.length, SECTION_OPTIONS_OFFSET);
    const { view, littleEndian } = block;
    const major = view.getUint16(SECTION_MAJOR_OFFSET, littleEndian);
    const minor = view.getUint16(SECTION_MINOR_OFFSET, littleEndian);
    if (major !== SECTION_MAJOR) {
      this.#fail(`version ${major}.${minor} is not supported`);
    }
    this.#isOpen = true;
    this.#interfaces = [];
    this.#processes = new ProcessTable();
  }

  #readPacket(
    length: number,
    select: PacketTest | undefined,
  ): CaptureRecord | undefined {
    this.#checkRoom(length, PACKET_DATA_OFFSET);
    const { view, position } = this.#buffer;
    const id = view.getUint32(
      position + PACKET_INTERFACE_OFFSET,
      this.#littleEndian,
    );
    const from = this.#interface(id);
    const captured = this.#capturedLength(length);
    const options = PACKET_DATA_OFFSET + padded(captured);
    const end = length - BLOCK_LENGTH_OFFSET;
    if (options < end) this.#learn(position + options, position + end);
    return this.#readTimedPacket(captured, from, from.enhanced, select);
  }

  #readObsoletePacket(
    length: number,
    select: PacketTest | undefined,
  ): CaptureRecord | undefined {
    this.#checkRoom(length, PACKET_DATA_OFFSET);
    const { view, position } = this.#buffer;
    const id = view.getUint16(
      position + PACKET_INTERFACE_OFFSET,
      this.#littleEndian,
    );
    const from = this.#interface(id);
    const captured = this.#capturedLength(length);
    return this.#readTimedPacket(captured, from, from.obsolete, select);
  }

  #capturedLength(length: number): number {
    const { view, position } = this.#buffer;
    const captured = view.getUint32(
      position + PACKET_CAPTURED_OFFSET,
      this.#littleEndian,
    );
    if (PACKET_DATA_OFFSET + captured + BLOCK_LENGTH_OFFSET > length) {
      this.#fail(
        `a block of ${length} bytes cannot hold a packet of ${captured}`,
      );
    }
    return captured;
  }

  #readTimedPacket(
    captured: number,
    { description, scale }: SectionInterface,
    layout: RecordLayout,
    select: PacketTest | undefined,
  ): CaptureRecord | undefined {
    const { view, position, offset, bytes } = this.#buffer;
    const littleEndian = this.#littleEndian;
    const start = position + PACKET_DATA_OFFSET;
    const original = view.getUint32(
      position + PACKET_ORIGINAL_OFFSET,
      littleEndian,
    );
    if (
      select !== undefined &&
      !select(bytes, start, start + captured, original, description)
    ) return undefined;
    scale.set(
      view.getUint32(position + PACKET_TIME_UPPER_OFFSET, littleEndian),
      view.getUint32(position + PACKET_TIME_LOWER_OFFSET, littleEndian),
    );
    return new CaptureRecord(
      offset,
      scale.seconds,
      scale.nanoseconds,
      original,
      captured,
      bytes,
      start,
      layout,
    );
  }

  #readSimplePacket(
    length: number,
    select: PacketTest | undefined,
  ): CaptureRecord | undefined {
    this.#checkRoom(length, SIMPLE_DATA_OFFSET);
    const { description, simple } = this.#interface(0);
    const { view, position, offset, bytes } = this.#buffer;
    const original = view.getUint32(
      position + SIMPLE_ORIGINAL_OFFSET,
      this.#littleEndian,
    );
    const captured = Math.min(
      original,
      description.snaplen || original,
      length - SIMPLE_DATA_OFFSET - BLOCK_LENGTH_OFFSET,
    );
    const start = position + SIMPLE_DATA_OFFSET;
    if (
      select !== undefined &&
      !select(bytes, start, start + captured, original, description)
    ) return undefined;
    return new CaptureRecord(
      offset,
      0,
      0,
      original,
      captured,
      bytes,
      start,
      simple,
    );
  }

  /** Looks for a comment that names a process. Runs for every packet. */
  #learn(start: number, end: number): void {
    const { view, bytes, offset } = this.#buffer;
    let at = start;
    while (at + OPTION_HEAD_LENGTH <= end) {
      const code = view.getUint16(at, this.#littleEndian);
      const length = view.getUint16(at + 2, this.#littleEndian);
      at += OPTION_HEAD_LENGTH;
      if (code === OptionCode.END || at + length > end) return;
      if (code === OptionCode.COMMENT && beginsComment(bytes, at)) {
        const comment = readText(bytes.subarray(at, at + length));
        const owner = parseProcessComment(comment);
        if (owner !== undefined) this.#processes.learn(offset, owner);
        return;
      }
      at += padded(length);
    }
  }

  #interface(id: number): SectionInterface {
    return this.#interfaces[id] ??
      this.#fail(`interface ${id} is not described before it`);
  }

  /** Fails when a block is too short for its fixed fields. */
  #checkRoom(length: number, fields: number): void {
    if (length < fields + BLOCK_LENGTH_OFFSET) {
      this.#fail(
        `length ${length} is less than ${fields + BLOCK_LENGTH_OFFSET}`,
      );
    }
  }

  #needMore(): undefined {
    const { position, remaining, view } = this.#buffer;
    if (!this.#isComplete || remaining === 0) return undefined;
    const length = remaining < BLOCK_FRAME_LENGTH
      ? BLOCK_FRAME_LENGTH
      : view.getUint32(position + BLOCK_LENGTH_OFFSET, this.#littleEndian);
    this.#fail(`the file ends after ${remaining} of ${length} bytes`);
  }

  #fail(reason: string): never {
    const { offset } = this.#buffer;
    throw new CaptureFormatError(
      `Cannot read pcapng block at offset ${offset}: ${reason}`,
      offset,
    );
  }
}

function beginsComment(bytes: Uint8Array, at: number): boolean {
  return COMMENT_START.every((byte, i) => bytes[at + i] === byte);
}
