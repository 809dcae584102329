/**
 * Packets as JSON, one object a line.
 *
 * @module
 */

import type { CaptureRecord } from "../../pcap/capture_stream.ts";
import { packetToJson } from "../../text/packet_json.ts";
import { PacketPrinter } from "../../text/packet_printer.ts";
import type { PrintOptions } from "../../text/print_options.ts";

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
    const { data, originalLength, seconds, nanoseconds, details } = record;
    const { comments } = details;
    const { linkType } = record.interface;
    // The packet's source stands in fields of its own.
    const info = this.#printer.format({
      data,
      originalLength,
      seconds,
      nanoseconds,
      interface: { linkType },
    });
    return JSON.stringify({
      ...packetToJson(record, ++this.#number),
      ...(record.isTimed ? {} : { time: undefined }),
      ...(comments.length === 0 ? {} : { comments }),
      info,
    });
  }
}
