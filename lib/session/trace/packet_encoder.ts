/**
 * Packets as the bytes of a capture file.
 *
 * @module
 */
import { MixedLinkTypesError } from "../../pcap/convert.ts";
import { MAXIMUM_SNAPLEN } from "../../pcap/format.ts";
import type { PcapFileHeader } from "../../pcap/header.ts";
import {
  encodeInterface,
  encodePacket,
  encodeProcessEvent,
  encodeSectionHeader,
} from "../../pcap/pcapng/encode.ts";
import {
  formatProcessComment,
  parseProcessComment,
} from "../../pcap/pcapng/process_comment.ts";
import { encodeFileHeader, encodeRecord } from "../../pcap/writer.ts";
import type { Packet, PacketOwner } from "./packet.ts";

/**
 * Makes the bytes of a file, packet by packet.
 * See {@linkcode createTraceWriter}.
 */
export interface PacketEncoder {
  /**
   * The bytes that a packet adds to the file.
   *
   * @throws {MixedLinkTypesError} when the packet does not fit into the file
   */
  encode(packet: Packet): Uint8Array[];
  /** What a file without packets consists of. */
  empty(): Uint8Array;
}

/** How packets become a file. */
export interface EncoderOptions {
  /** Time stamps of pcap files in nanoseconds instead of microseconds. */
  readonly nanoseconds: boolean;
  /** Most bytes that are kept of a packet; 0 for all. */
  readonly snaplen: number;
  /** Link type of a pcap file without packets. */
  readonly linkType: number;
}

/** The classic format: one link type, no processes. */
export class PcapEncoder implements PacketEncoder {
  readonly #options: EncoderOptions;
  #linkType: number | undefined;
  #nanoseconds: boolean;

  /** @param header that of the file to append to, if there is one */
  constructor(options: EncoderOptions, header?: PcapFileHeader) {
    this.#options = options;
    this.#linkType = header?.linkType;
    this.#nanoseconds = header?.nanoseconds ?? options.nanoseconds;
  }

  encode(packet: Packet): Uint8Array[] {
    const { timestamp, data, wireLength, linkType } = packet;
    const parts: Uint8Array[] = [];
    if (this.#linkType === undefined) parts.push(this.#header(linkType));
    this.#linkType ??= linkType;
    if (linkType !== this.#linkType) {
      throw new MixedLinkTypesError(this.#linkType, linkType);
    }
    parts.push(encodeRecord(
      { timestamp, data, originalLength: wireLength },
      { nanoseconds: this.#nanoseconds },
    ));
    return parts;
  }

  empty(): Uint8Array {
    return this.#linkType === undefined
      ? this.#header(this.#options.linkType)
      : new Uint8Array(0);
  }

  #header(linkType: number): Uint8Array {
    const { snaplen } = this.#options;
    return encodeFileHeader({
      linkType,
      snaplen: snaplen === 0 ? MAXIMUM_SNAPLEN : snaplen,
      nanoseconds: this.#nanoseconds,
    });
  }
}

/**
 * The newer format: interfaces, directions, processes, and remarks. What is
 * appended to a file is a section of its own.
 */
export class PcapngEncoder implements PacketEncoder {
  readonly #options: EncoderOptions;
  readonly #interfaces = new Map<string, number>();
  readonly #processes = new Map<string, number>();
  #hasBegun = false;

  /** Begins a section. */
  constructor(options: EncoderOptions) {
    this.#options = options;
  }

  encode(packet: Packet): Uint8Array[] {
    const parts = this.#hasBegun ? [] : [this.empty()];
    this.#hasBegun = true;
    const id = this.#interfaceOf(packet, parts);
    const { process, comments, direction } = packet;
    const remarks = [...comments];
    const event = process === undefined
      ? undefined
      : this.#processOf(process, parts, remarks);
    parts.push(encodePacket({
      interface: id,
      time: packet.timestamp,
      originalLength: packet.wireLength,
      data: packet.data,
      direction: direction === "other" ? undefined : direction,
      process,
      event,
      comments: remarks,
    }));
    return parts;
  }

  empty(): Uint8Array {
    return this.#hasBegun
      ? new Uint8Array(0)
      : encodeSectionHeader({ application: "tracedump" });
  }

  #interfaceOf(packet: Packet, parts: Uint8Array[]): number {
    const { linkType, interface: name } = packet;
    const key = `${linkType} ${name ?? ""}`;
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    const id = this.#interfaces.size;
    this.#interfaces.set(key, id);
    const { snaplen } = this.#options;
    parts.push(encodeInterface({ linkType, snaplen, name }));
    return id;
  }

  /** Describes a process when it appears for the first time. */
  #processOf(
    process: PacketOwner,
    parts: Uint8Array[],
    remarks: string[],
  ): number {
    const { pid, comm } = process;
    const key = `${pid} ${comm ?? ""}`;
    const known = this.#processes.get(key);
    if (known !== undefined) return known;
    const event = this.#processes.size;
    this.#processes.set(key, event);
    parts.push(
      encodeProcessEvent({ pid, ...comm === undefined ? {} : { comm } }),
    );
    if (!remarks.some((remark) => parseProcessComment(remark) !== undefined)) {
      remarks.unshift(formatProcessComment(process));
    }
    return event;
  }
}
