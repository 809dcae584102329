/**
 * Packets as JSON, one object a line.
 *
 * @module
 */

import { formatLinkType } from "../../bytes/link_type.ts";
import { decodePacket, flowOf } from "../../packet/packet.ts";
import type { CaptureRecord } from "../../pcap/capture_stream.ts";
import { PacketPrinter } from "../../text/packet_printer.ts";
import type { PrintOptions } from "../../text/print_options.ts";

const NANOSECONDS_PER_SECOND = 1_000_000_000n;
const MILLISECONDS_PER_SECOND = 1_000;
/** Most milliseconds that a `Date` takes. */
const MAX_DATE = 8.64e15;

/** Makes the objects of a capture, in the order of its packets. */
export class JsonPrinter {
  readonly #printer: PacketPrinter;
  #number = 0;

  /**
   * Begins before the first packet.
   *
   * @param options How `info` is printed; always with numbers.
   */
  constructor(options: PrintOptions) {
    this.#printer = new PacketPrinter({
      ...options,
      names: undefined,
      time: "none",
      payload: "none",
      numbered: false,
      color: false,
    });
  }

  /** The object of the next packet. */
  format(record: CaptureRecord): string {
    const { data, originalLength, interface: from, details } = record;
    const { linkType, name } = from;
    const flow = flowOf(
      decodePacket(data, linkType, { originalLength, depth: "transport" }),
    );
    // The packet's source stands in fields of its own.
    const info = this.#printer.format({
      data,
      originalLength,
      seconds: record.seconds,
      nanoseconds: record.nanoseconds,
      interface: { linkType },
    });
    return JSON.stringify({
      number: ++this.#number,
      time: record.isTimed ? isoTime(record.timestamp) : undefined,
      interface: name,
      direction: details.direction,
      process: details.process,
      linkType: formatLinkType(linkType),
      length: originalLength,
      captured: record.capturedLength,
      ...flow,
      comments: details.comments.length === 0 ? undefined : details.comments,
      info,
    });
  }
}

/** ISO 8601 with nanoseconds; `undefined` beyond what a date can be. */
export function isoTime(timestamp: bigint): string | undefined {
  let seconds = timestamp / NANOSECONDS_PER_SECOND;
  let nanoseconds = timestamp % NANOSECONDS_PER_SECOND;
  if (nanoseconds < 0n) {
    seconds -= 1n;
    nanoseconds += NANOSECONDS_PER_SECOND;
  }
  const milliseconds = Number(seconds) * MILLISECONDS_PER_SECOND;
  if (Math.abs(milliseconds) > MAX_DATE) return undefined;
  const text = new Date(milliseconds).toISOString();
  return `${text.slice(0, -".000Z".length)}.${
    String(nanoseconds).padStart(9, "0")
  }Z`;
}
