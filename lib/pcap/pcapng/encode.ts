/**
 * Encoding of pcapng blocks, always little-endian. Each function gives one
 * whole block to append to the file; packets of live captures are written in
 * place, see `packet_writer.ts`.
 *
 * A file begins with a section header, then come the interfaces, and only then
 * what refers to them.
 *
 * @module
 */

import type { PacketOwner } from "../capture_record.ts";
import { BlockBuilder } from "./block_builder.ts";
import {
  type DecryptionSecrets,
  type InterfaceStatistics,
  type ResolvedName,
  type SectionHeader,
  STATISTICS_FIELDS,
} from "./blocks.ts";
import {
  BLOCK_LENGTH_OFFSET,
  BlockType,
  BYTE_ORDER_MAGIC,
  InterfaceOption,
  NameRecord,
  OptionCode,
  PacketFlag,
  PacketOption,
  PROCESS_ENTRY_TYPE,
  ProcessEventOption,
  ProcessOption,
  SECTION_MAJOR,
  SECTION_MINOR,
  SectionOption,
  WIRESHARK_ENTERPRISE,
} from "./format.ts";
import { MAXIMUM_OPTION_LENGTH, viewOf } from "./options.ts";

const ENCODER = new TextEncoder();
/** What stands for a section of unknown length. */
const UNKNOWN_LENGTH = 0xffff_ffff_ffff_ffffn;
/** `if_tsresol` of nanoseconds. */
const NANOSECONDS = 9;
const IPV4_LENGTH = 4;
/** Bytes of type and length of a block that are not its body, at its start. */
const BODY_AT = 8;

/**
 * Encodes the block that a file begins with.
 *
 * @param header What to say about machine, program and capture.
 */
export function encodeSectionHeader(
  header: Partial<SectionHeader>,
): Uint8Array {
  const block = new BlockBuilder(BlockType.SECTION_HEADER)
    .uint32(BYTE_ORDER_MAGIC)
    .uint16(SECTION_MAJOR)
    .uint16(SECTION_MINOR)
    .uint64(UNKNOWN_LENGTH)
    .optionText(SectionOption.HARDWARE, header.hardware)
    .optionText(SectionOption.OS, header.os)
    .optionText(SectionOption.APPLICATION, header.application);
  addComments(block, header.comments);
  return block.finish();
}

/** An interface to describe. */
export interface InterfaceInput {
  /** What its packets begin with, see {@linkcode LinkType}. */
  readonly linkType: number;
  /**
   * Most bytes that any record holds, link header included; 0 for no limit.
   * Readers such as tcpdump want it to be the same for all interfaces.
   */
  readonly snaplen: number;
  /** Exponent of 10, negated, of the unit of times; 9 (ns) if left out. */
  readonly resolution?: number;
  /** For example `eth0`. */
  readonly name?: string | undefined;
  /** For people. */
  readonly description?: string | undefined;
  /** Filter expression under which it was captured. */
  readonly filter?: string | undefined;
  /** Operating system of the machine that it belongs to. */
  readonly os?: string | undefined;
  /** The device itself. */
  readonly hardware?: string | undefined;
  /** Bytes of frame check sequence after each packet. */
  readonly fcsLength?: number | undefined;
}

/**
 * Encodes the description of an interface. The first of a section has number
 * 0, the next one 1, and so on.
 */
export function encodeInterface(input: InterfaceInput): Uint8Array {
  const { filter } = input;
  return new BlockBuilder(BlockType.INTERFACE_DESCRIPTION)
    .uint16(input.linkType)
    .uint16(0)
    .uint32(input.snaplen)
    .optionText(InterfaceOption.NAME, input.name)
    .optionText(InterfaceOption.DESCRIPTION, input.description)
    .optionByte(
      InterfaceOption.TIME_RESOLUTION,
      input.resolution ?? NANOSECONDS,
    )
    .optionText(
      InterfaceOption.FILTER,
      filter === undefined ? undefined : `\0${filter}`,
    )
    .optionText(InterfaceOption.OS, input.os)
    .optionByte(InterfaceOption.FCS_LENGTH, input.fcsLength)
    .optionText(InterfaceOption.HARDWARE, input.hardware)
    .finish();
}

/** A packet as {@linkcode encodePacket} takes it. */
export interface PacketInput {
  /** Number of its interface. */
  readonly interface: number;
  /** In units of the interface, since 1970. */
  readonly time: bigint;
  /** Number of bytes that the packet had. */
  readonly originalLength: number;
  /** Captured bytes, link header included. */
  readonly data: Uint8Array;
  /** Whether it came or went. */
  readonly direction?: "in" | "out" | undefined;
  /** Whose it is; its name is told by a process block or a comment. */
  readonly process?: Pick<PacketOwner, "pid" | "tid"> | undefined;
  /** Number of its process event, see {@linkcode encodeProcessEvent}. */
  readonly event?: number | undefined;
  /** Remarks. */
  readonly comments?: readonly string[] | undefined;
  /** Packets lost since the one before. */
  readonly dropCount?: bigint | undefined;
}

/** Encodes a packet. */
export function encodePacket(packet: PacketInput): Uint8Array {
  const { data, direction, process, event } = packet;
  const block = new BlockBuilder(BlockType.ENHANCED_PACKET)
    .uint32(packet.interface)
    .time(packet.time)
    .uint32(data.length)
    .uint32(packet.originalLength)
    .bytes(data);
  addComments(block, packet.comments);
  if (direction !== undefined) {
    block.option(PacketOption.FLAGS, words(directionFlag(direction)));
  }
  block.optionLong(PacketOption.DROP_COUNT, packet.dropCount);
  if (process !== undefined) {
    const { pid, tid = 0 } = process;
    block.option(PacketOption.PROCESS_THREAD, words(pid, tid));
  }
  if (event !== undefined) {
    block.option(PacketOption.DARWIN_PROCESS, words(event));
  }
  return block.finish();
}

/** The flag of a direction. */
export function directionFlag(direction: "in" | "out"): number {
  return direction === "in" ? PacketFlag.INBOUND : PacketFlag.OUTBOUND;
}

/**
 * Encodes a Darwin process event: readers that know these blocks show the
 * process of each packet that refers to it. They are counted from 0 in the
 * section.
 *
 * @param owner The process; `tid` and `args` have no place here.
 */
export function encodeProcessEvent(
  owner: Pick<PacketOwner, "pid" | "comm">,
): Uint8Array {
  return new BlockBuilder(BlockType.DARWIN_PROCESS_EVENT)
    .uint32(owner.pid)
    .optionText(ProcessEventOption.NAME, owner.comm)
    .finish();
}

/** A process as {@linkcode encodeProcessBlock} takes it. */
export interface ProcessInput {
  readonly pid: number;
  /** Name of the command. */
  readonly comm?: string | undefined;
  /** Path of the executable. */
  readonly path?: string | undefined;
  /** Arguments, the command's name first. */
  readonly args?: readonly string[] | undefined;
  /** Number of the parent. */
  readonly parent?: number | undefined;
  /** Nanoseconds since 1970 when it began. */
  readonly startTime?: bigint | undefined;
}

/**
 * Encodes Wireshark's process block: everything about a process, which packets
 * name by its number. Wireshark up to 4.6 counts such a block as a packet.
 */
export function encodeProcessBlock(input: ProcessInput): Uint8Array {
  const { args, parent } = input;
  // Its body has the shape of a block of its own.
  const body = new BlockBuilder(0).uint32(input.pid)
    .optionText(ProcessOption.NAME, input.comm)
    .optionText(ProcessOption.PATH, input.path);
  if (args !== undefined) {
    const line = ENCODER.encode(args.map((arg) => `${arg}\0`).join(""));
    body.option(
      ProcessOption.COMMAND_LINE,
      line.subarray(0, MAXIMUM_OPTION_LENGTH),
    );
  }
  if (parent !== undefined) body.option(ProcessOption.PARENT, words(parent));
  body.optionLong(ProcessOption.START_TIME, input.startTime);
  const entry = body.finish().subarray(BODY_AT, -BLOCK_LENGTH_OFFSET);
  return new BlockBuilder(BlockType.CUSTOM)
    .uint32(WIRESHARK_ENTERPRISE)
    .uint32(PROCESS_ENTRY_TYPE)
    .uint32(entry.length)
    .bytes(entry)
    .finish();
}

/**
 * Encodes names of addresses; what does not fit a record is left out.
 *
 * @param resolved Addresses of 4 or 16 bytes with their names.
 */
export function encodeNameResolution(
  resolved: readonly ResolvedName[],
): Uint8Array {
  const block = new BlockBuilder(BlockType.NAME_RESOLUTION);
  for (const { address, names } of resolved) {
    const kind = address.length === IPV4_LENGTH
      ? NameRecord.IPV4
      : NameRecord.IPV6;
    let record = address;
    for (const name of names) {
      const bytes = ENCODER.encode(`${name}\0`);
      if (record.length + bytes.length > MAXIMUM_OPTION_LENGTH) break;
      const longer = new Uint8Array(record.length + bytes.length);
      longer.set(record);
      longer.set(bytes, record.length);
      record = longer;
    }
    block.uint16(kind).uint16(record.length).bytes(record);
  }
  return block.uint32(NameRecord.END).finish();
}

/**
 * Encodes what happened on an interface; at the end of a capture, mostly.
 *
 * @param statistics Times are in units of the interface.
 */
export function encodeInterfaceStatistics(
  statistics: InterfaceStatistics,
): Uint8Array {
  const { startTime, endTime } = statistics;
  const block = new BlockBuilder(BlockType.INTERFACE_STATISTICS)
    .uint32(statistics.interface)
    .time(statistics.time)
    .optionTime(STATISTICS_FIELDS.startTime, startTime)
    .optionTime(STATISTICS_FIELDS.endTime, endTime);
  for (
    const field of [
      "received",
      "interfaceDrops",
      "filterAccepted",
      "systemDrops",
      "delivered",
    ] as const
  ) block.optionLong(STATISTICS_FIELDS[field], statistics[field]);
  return block.finish();
}

/**
 * Encodes keys. They must stand before the packets that they make readable.
 *
 * @param secrets For example lines of `SSLKEYLOGFILE`.
 */
export function encodeDecryptionSecrets(
  secrets: DecryptionSecrets,
): Uint8Array {
  return new BlockBuilder(BlockType.DECRYPTION_SECRETS)
    .uint32(secrets.type)
    .uint32(secrets.data.length)
    .bytes(secrets.data)
    .finish();
}

function addComments(
  block: BlockBuilder,
  comments: readonly string[] = [],
): void {
  for (const comment of comments) {
    block.optionText(OptionCode.COMMENT, comment);
  }
}

/** 32-bit numbers as the value of an option. */
function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  for (const [at, value] of values.entries()) {
    viewOf(bytes).setUint32(4 * at, value, true);
  }
  return bytes;
}
