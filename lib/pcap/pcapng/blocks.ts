/**
 * Decoding of the blocks that hold no packets. What is damaged in a block is
 * left out.
 *
 * @module
 */

import type { PacketOwner } from "../capture_record.ts";
import type { CaptureBlock } from "./block.ts";
import {
  CUSTOM_DATA_OFFSET,
  CUSTOM_ENTERPRISE_OFFSET,
  NameRecord,
  NAMES_OFFSET,
  OptionCode,
  padded,
  PROCESS_ENTRY_TYPE,
  PROCESS_EVENT_OPTIONS_OFFSET,
  PROCESS_EVENT_PID_OFFSET,
  ProcessEventOption,
  ProcessOption,
  SECRETS_DATA_OFFSET,
  SECRETS_LENGTH_OFFSET,
  SECRETS_TYPE_OFFSET,
  SECTION_OPTIONS_OFFSET,
  SectionOption,
  STATISTICS_INTERFACE_OFFSET,
  STATISTICS_OPTIONS_OFFSET,
  STATISTICS_TIME_OFFSET,
  StatisticsOption,
  WIRESHARK_ENTERPRISE,
} from "./format.ts";
import { readLong, readOptions, readText } from "./options.ts";

/** Where an entry of Wireshark's custom blocks has its parts. */
const ENTRY_PID_OFFSET = CUSTOM_DATA_OFFSET + 8;
const ENTRY_OPTIONS_OFFSET = ENTRY_PID_OFFSET + 4;
/** Bytes of type and length of a record with names. */
const NAME_HEAD_LENGTH = 4;
const IPV4_LENGTH = 4;
const IPV6_LENGTH = 16;
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a section header says. */
export interface SectionHeader {
  readonly hardware?: string;
  readonly os?: string;
  readonly application?: string;
  readonly comments: readonly string[];
}

/** Reads a section header. */
export function decodeSectionHeader(block: CaptureBlock): SectionHeader {
  const comments: string[] = [];
  const texts: { hardware?: string; os?: string; application?: string } = {};
  for (const { code, value } of block.options(SECTION_OPTIONS_OFFSET)) {
    switch (code) {
      case OptionCode.COMMENT:
        comments.push(readText(value));
        break;
      case SectionOption.HARDWARE:
        texts.hardware = readText(value);
        break;
      case SectionOption.OS:
        texts.os = readText(value);
        break;
      case SectionOption.APPLICATION:
        texts.application = readText(value);
        break;
    }
  }
  return { ...texts, comments };
}

/** Names of one address. See {@linkcode decodeNameResolution}. */
export interface ResolvedName {
  /** 4 or 16 bytes: a view. */
  readonly address: Uint8Array;
  /** At least one. */
  readonly names: readonly string[];
}

/**
 * Reads the IPv4 and IPv6 addresses of a name resolution block.
 *
 * @example Learn names of hosts
 * ```ts
 * import { CaptureBlock } from "./block.ts";
 * import { decodeNameResolution } from "./blocks.ts";
 * import { BlockType } from "./format.ts";
 * import { CaptureStream } from "../capture_stream.ts";
 * import assert from "node:assert/strict";
 *
 * const stream = await CaptureStream.open(async function* () {
 *   yield await Deno.readFile("tests/golden/data/processes.pcapng");
 * }());
 * for await (const items of stream.items()) {
 *   for (const item of items) {
 *     if (!(item instanceof CaptureBlock)) continue;
 *     if (item.type !== BlockType.NAME_RESOLUTION) continue;
 *     for (const { names } of decodeNameResolution(item)) {
 *       assert(names.length > 0);
 *     }
 *   }
 * }
 * ```
 */
export function decodeNameResolution(block: CaptureBlock): ResolvedName[] {
  const { view, raw, bodyEnd, littleEndian } = block;
  const resolved: ResolvedName[] = [];
  let at = NAMES_OFFSET;
  while (at + NAME_HEAD_LENGTH <= bodyEnd) {
    const kind = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    at += NAME_HEAD_LENGTH;
    if (kind === NameRecord.END || at + length > bodyEnd) break;
    const addressLength = kind === NameRecord.IPV4
      ? IPV4_LENGTH
      : kind === NameRecord.IPV6
      ? IPV6_LENGTH
      : undefined;
    if (addressLength !== undefined && addressLength < length) {
      const text = DECODER.decode(
        raw.subarray(at + addressLength, at + length),
      );
      resolved.push({
        address: raw.subarray(at, at + addressLength),
        names: text.split("\0").filter((name) => name !== ""),
      });
    }
    at += padded(length);
  }
  return resolved;
}

/** What happened on an interface until a moment. */
export interface InterfaceStatistics {
  /** Number of the interface. */
  readonly interface: number;
  /** The moment, in the units of the interface. */
  readonly time: bigint;
  /** Beginning of the capture, in the same units. */
  readonly startTime?: bigint;
  /** End of the capture, in the same units. */
  readonly endTime?: bigint;
  /** Packets that the interface got. */
  readonly received?: bigint;
  /** Packets that it dropped. */
  readonly interfaceDrops?: bigint;
  /** Packets that passed the filter. */
  readonly filterAccepted?: bigint;
  /** Packets that the operating system dropped. */
  readonly systemDrops?: bigint;
  /** Packets that came to the program. */
  readonly delivered?: bigint;
}

/** Options of a statistics block by the fields that they are. */
export const STATISTICS_FIELDS = {
  startTime: StatisticsOption.START_TIME,
  endTime: StatisticsOption.END_TIME,
  received: StatisticsOption.RECEIVED,
  interfaceDrops: StatisticsOption.INTERFACE_DROPS,
  filterAccepted: StatisticsOption.FILTER_ACCEPTED,
  systemDrops: StatisticsOption.SYSTEM_DROPS,
  delivered: StatisticsOption.DELIVERED,
} as const;

/**
 * Reads a statistics block.
 *
 * @returns `undefined` when it is too short.
 */
export function decodeInterfaceStatistics(
  block: CaptureBlock,
): InterfaceStatistics | undefined {
  const { view, littleEndian, bodyEnd } = block;
  if (bodyEnd < STATISTICS_OPTIONS_OFFSET) return undefined;
  const counts: Partial<Record<keyof typeof STATISTICS_FIELDS, bigint>> = {};
  for (const { code, value } of block.options(STATISTICS_OPTIONS_OFFSET)) {
    for (const field of Object.keys(STATISTICS_FIELDS)) {
      const known = field as keyof typeof STATISTICS_FIELDS;
      if (STATISTICS_FIELDS[known] !== code) continue;
      // Both halves of a time stand upper first, whatever the byte order is.
      const isTime = known === "startTime" || known === "endTime";
      const count = isTime
        ? readTime(value, littleEndian)
        : readLong(value, littleEndian);
      if (count !== undefined) counts[known] = count;
    }
  }
  const at = STATISTICS_TIME_OFFSET;
  return {
    interface: view.getUint32(STATISTICS_INTERFACE_OFFSET, littleEndian),
    time: BigInt(view.getUint32(at, littleEndian)) << 32n |
      BigInt(view.getUint32(at + 4, littleEndian)),
    ...counts,
  };
}

function readTime(
  value: Uint8Array,
  littleEndian: boolean,
): bigint | undefined {
  const swapped = readLong(value, littleEndian);
  if (swapped === undefined || !littleEndian) return swapped;
  return (swapped & 0xffff_ffffn) << 32n | swapped >> 32n;
}

/** Keys that make packets readable. */
export interface DecryptionSecrets {
  /** See {@linkcode SecretsType}. */
  readonly type: number;
  /** A view. */
  readonly data: Uint8Array;
}

/**
 * Reads a secrets block.
 *
 * @returns `undefined` when it is too short.
 */
export function decodeDecryptionSecrets(
  block: CaptureBlock,
): DecryptionSecrets | undefined {
  const { view, raw, littleEndian, bodyEnd } = block;
  if (bodyEnd < SECRETS_DATA_OFFSET) return undefined;
  const length = view.getUint32(SECRETS_LENGTH_OFFSET, littleEndian);
  if (SECRETS_DATA_OFFSET + length > bodyEnd) return undefined;
  return {
    type: view.getUint32(SECRETS_TYPE_OFFSET, littleEndian),
    data: raw.subarray(SECRETS_DATA_OFFSET, SECRETS_DATA_OFFSET + length),
  };
}

/**
 * Reads a Darwin process event.
 *
 * @returns `undefined` when it is too short.
 */
export function decodeProcessEvent(
  block: CaptureBlock,
): PacketOwner | undefined {
  if (block.bodyEnd < PROCESS_EVENT_OPTIONS_OFFSET) return undefined;
  const pid = block.view.getUint32(
    PROCESS_EVENT_PID_OFFSET,
    block.littleEndian,
  );
  const name = block.options(PROCESS_EVENT_OPTIONS_OFFSET)
    .find(({ code }) => code === ProcessEventOption.NAME);
  return name === undefined ? { pid } : { pid, comm: readText(name.value) };
}

/**
 * Reads Wireshark's process block.
 *
 * @param block A custom block.
 * @returns `undefined` when it is another one.
 */
export function decodeProcessBlock(
  block: CaptureBlock,
): PacketOwner | undefined {
  const { view, raw, littleEndian, bodyEnd } = block;
  if (bodyEnd < ENTRY_OPTIONS_OFFSET) return undefined;
  const enterprise = view.getUint32(CUSTOM_ENTERPRISE_OFFSET, littleEndian);
  const entry = view.getUint32(CUSTOM_DATA_OFFSET, true);
  const length = view.getUint32(CUSTOM_DATA_OFFSET + 4, true);
  const end = ENTRY_PID_OFFSET + length;
  if (
    enterprise !== WIRESHARK_ENTERPRISE || entry !== PROCESS_ENTRY_TYPE ||
    length < ENTRY_OPTIONS_OFFSET - ENTRY_PID_OFFSET || end > bodyEnd
  ) return undefined;
  const texts: { comm?: string; args?: string } = {};
  for (
    const { code, value } of readOptions(raw, ENTRY_OPTIONS_OFFSET, end, true)
  ) {
    if (code === ProcessOption.NAME) texts.comm = readText(value);
    else if (code === ProcessOption.COMMAND_LINE) {
      texts.args = DECODER.decode(value).split("\0").filter((arg) => arg !== "")
        .join(" ");
    }
  }
  return { pid: view.getUint32(ENTRY_PID_OFFSET, true), ...texts };
}
