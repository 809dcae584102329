/**
 * Interfaces of a section, and the packets that were captured on them.
 *
 * @module
 */

import type {
  CaptureInterface,
  CaptureRecord,
  PacketDetails,
  PacketOwner,
  RecordLayout,
} from "../capture_record.ts";
import type { CaptureBlock } from "./block.ts";
import {
  BLOCK_LENGTH_OFFSET,
  BlockType,
  INTERFACE_LINK_TYPE_OFFSET,
  INTERFACE_OPTIONS_OFFSET,
  INTERFACE_SNAPLEN_OFFSET,
  InterfaceOption,
  OBSOLETE_DROPS_OFFSET,
  OBSOLETE_DROPS_UNKNOWN,
  OptionCode,
  PACKET_DATA_OFFSET,
  PacketFlag,
  PacketOption,
  padded,
  SIMPLE_DATA_OFFSET,
} from "./format.ts";
import {
  type BlockOption,
  readLong,
  readNumber,
  readOptions,
  readText,
  viewOf,
} from "./options.ts";
import { parseProcessComment } from "./process_comment.ts";
import type { ProcessTable } from "./process_table.ts";
import { TimeScale } from "./time_scale.ts";

/** First byte of a filter option that is text. */
const FILTER_IS_TEXT = 0;

/** Blocks that hold a packet. */
export type PacketBlockType =
  | typeof BlockType.ENHANCED_PACKET
  | typeof BlockType.SIMPLE_PACKET
  | typeof BlockType.PACKET;

/** An interface, how to read its times, and how its packets lie in the file. */
export class SectionInterface {
  /** What its block says. */
  readonly description: CaptureInterface;
  /** Its time stamps. */
  readonly scale: TimeScale;
  /** How its enhanced packets lie. */
  readonly enhanced: RecordLayout;
  /** How its simple packets lie. */
  readonly simple: RecordLayout;
  /** How its obsolete packets lie. */
  readonly obsolete: RecordLayout;

  /**
   * Reads the description.
   *
   * @param block An interface description.
   * @param id Its number in the section.
   * @param processes What the section tells about processes.
   */
  constructor(block: CaptureBlock, id: number, processes: ProcessTable) {
    const { littleEndian } = block;
    const options = block.options(INTERFACE_OPTIONS_OFFSET);
    this.scale = readScale(options, littleEndian);
    const { unitsPerSecond } = this.scale;
    this.description = {
      id,
      linkType: block.view.getUint16(INTERFACE_LINK_TYPE_OFFSET, littleEndian),
      snaplen: block.view.getUint32(INTERFACE_SNAPLEN_OFFSET, littleEndian),
      unitsPerSecond,
      ...readDescription(options),
    };
    const layout = (type: PacketBlockType): RecordLayout =>
      new BlockLayout(this.description, type, littleEndian, processes);
    this.enhanced = layout(BlockType.ENHANCED_PACKET);
    this.simple = layout(BlockType.SIMPLE_PACKET);
    this.obsolete = layout(BlockType.PACKET);
  }
}

function readScale(
  options: readonly BlockOption[],
  littleEndian: boolean,
): TimeScale {
  let resolution: number | undefined;
  let offset: bigint | undefined;
  for (const { code, value } of options) {
    if (code === InterfaceOption.TIME_RESOLUTION) resolution ??= value[0];
    else if (code === InterfaceOption.TIME_OFFSET) {
      const unsigned = readLong(value, littleEndian);
      if (unsigned !== undefined) offset ??= BigInt.asIntN(64, unsigned);
    }
  }
  return new TimeScale(resolution, offset);
}

type Description = Partial<
  Record<"name" | "description" | "filter" | "os" | "hardware", string>
>;

function readDescription(
  options: readonly BlockOption[],
): Description & { fcsLength?: number } {
  const texts: Description = {};
  let fcsLength: number | undefined;
  for (const { code, value } of options) {
    switch (code) {
      case InterfaceOption.NAME:
        texts.name ??= readText(value);
        break;
      case InterfaceOption.DESCRIPTION:
        texts.description ??= readText(value);
        break;
      case InterfaceOption.FILTER:
        if (value[0] === FILTER_IS_TEXT) {
          texts.filter ??= readText(value.subarray(1));
        }
        break;
      case InterfaceOption.OS:
        texts.os ??= readText(value);
        break;
      case InterfaceOption.HARDWARE:
        texts.hardware ??= readText(value);
        break;
      case InterfaceOption.FCS_LENGTH:
        fcsLength ??= value[0];
        break;
    }
  }
  return { ...texts, ...fcsLength === undefined ? {} : { fcsLength } };
}

/** Records of one interface in one kind of block. */
class BlockLayout implements RecordLayout {
  readonly interface: CaptureInterface;
  readonly isTimed: boolean;
  readonly headLength: number;
  readonly #type: PacketBlockType;
  readonly #littleEndian: boolean;
  readonly #processes: ProcessTable;

  constructor(
    description: CaptureInterface,
    type: PacketBlockType,
    littleEndian: boolean,
    processes: ProcessTable,
  ) {
    this.interface = description;
    this.isTimed = type !== BlockType.SIMPLE_PACKET;
    this.headLength = type === BlockType.SIMPLE_PACKET
      ? SIMPLE_DATA_OFFSET
      : PACKET_DATA_OFFSET;
    this.#type = type;
    this.#littleEndian = littleEndian;
    this.#processes = processes;
  }

  recordLength(record: CaptureRecord): number {
    const at = record.dataAt - this.headLength + BLOCK_LENGTH_OFFSET;
    return viewOf(record.chunk).getUint32(at, this.#littleEndian);
  }

  readDetails(record: CaptureRecord): PacketDetails {
    if (this.#type === BlockType.SIMPLE_PACKET) return { comments: [] };
    const details = new DetailsReader(
      readOptions(
        record.chunk,
        record.dataAt + padded(record.capturedLength),
        record.dataAt - this.headLength + this.recordLength(record) -
          BLOCK_LENGTH_OFFSET,
        this.#littleEndian,
      ),
      this.#littleEndian,
    );
    if (this.#type === BlockType.PACKET) {
      const at = record.dataAt - this.headLength + OBSOLETE_DROPS_OFFSET;
      const drops = viewOf(record.chunk).getUint16(at, this.#littleEndian);
      if (drops !== OBSOLETE_DROPS_UNKNOWN) details.dropCount = BigInt(drops);
    }
    return details.finish(this.#processes, record.offset);
  }
}

/** Gathers what the options of a packet say. */
class DetailsReader {
  readonly comments: string[] = [];
  dropCount: bigint | undefined;
  #direction: "in" | "out" | undefined;
  #pid: number | undefined;
  #tid: number | undefined;
  #event: number | undefined;
  #remark: PacketOwner | undefined;

  constructor(options: readonly BlockOption[], littleEndian: boolean) {
    for (const option of options) this.#take(option, littleEndian);
  }

  #take({ code, value }: BlockOption, littleEndian: boolean): void {
    switch (code) {
      case OptionCode.COMMENT: {
        const comment = readText(value);
        this.comments.push(comment);
        this.#remark ??= parseProcessComment(comment);
        break;
      }
      case PacketOption.FLAGS:
        this.#direction = directionOf(readNumber(value, littleEndian) ?? 0);
        break;
      case PacketOption.DROP_COUNT:
        this.dropCount = readLong(value, littleEndian);
        break;
      case PacketOption.PROCESS_THREAD:
        this.#pid = readNumber(value, littleEndian);
        this.#tid = readNumber(value, littleEndian, 4);
        break;
      case PacketOption.DARWIN_PROCESS:
        this.#event = readNumber(value, littleEndian);
        break;
    }
  }

  finish(processes: ProcessTable, offset: number): PacketDetails {
    const process = this.#owner(processes, offset);
    const direction = this.#direction;
    const { comments, dropCount } = this;
    return {
      comments,
      ...direction === undefined ? {} : { direction },
      ...process === undefined ? {} : { process },
      ...dropCount === undefined ? {} : { dropCount },
    };
  }

  #owner(processes: ProcessTable, offset: number): PacketOwner | undefined {
    const event = this.#event === undefined
      ? undefined
      : processes.event(this.#event);
    const remark = this.#remark;
    // 0 stands for "none".
    const pid = this.#pid || event?.pid || remark?.pid;
    if (!pid) return undefined;
    return {
      ...processes.find(pid, offset),
      ...remark?.pid === pid ? remark : {},
      ...event?.pid === pid ? event : {},
      pid,
      ...this.#tid ? { tid: this.#tid } : {},
    };
  }
}

function directionOf(flags: number): "in" | "out" | undefined {
  switch (flags & PacketFlag.DIRECTION_MASK) {
    case PacketFlag.INBOUND:
      return "in";
    case PacketFlag.OUTBOUND:
      return "out";
    default:
      return undefined;
  }
}
