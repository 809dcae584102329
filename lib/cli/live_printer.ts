/**
 * Packets as lines on standard output, while they are captured.
 *
 * @module
 */

import type { Packet } from "../session/trace/packet.ts";
import { PacketPrinter } from "../text/packet_printer.ts";
import type { PrintOptions } from "../text/print_options.ts";
import type { TextOutput } from "./host.ts";

const NANOSECONDS_PER_SECOND = 1_000_000_000n;

/** Prints packets in their order. */
export class LivePrinter {
  readonly #printer: PacketPrinter;
  readonly #output: TextOutput;

  /** Prints numbers, not names: nobody is asked while packets come. */
  constructor(options: PrintOptions, output: TextOutput) {
    this.#printer = new PacketPrinter(options);
    this.#output = output;
  }

  /** Prints the next packets. */
  print(packets: readonly Packet[]): void {
    let text = "";
    for (const packet of packets) {
      const { timestamp, interface: name, direction, process } = packet;
      text += this.#printer.format({
        data: packet.data,
        originalLength: packet.wireLength,
        seconds: Number(timestamp / NANOSECONDS_PER_SECOND),
        nanoseconds: Number(timestamp % NANOSECONDS_PER_SECOND),
        interface: {
          linkType: packet.linkType,
          ...name === undefined ? {} : { name },
        },
        ...direction === "in" || direction === "out" ? { direction } : {},
        ...process === undefined ? {} : { process },
      });
      text += "\n";
    }
    this.#output.write(text);
  }
}
