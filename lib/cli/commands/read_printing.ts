/**
 * Packets that are read, as lines. Loaded only to print: the decoders are a
 * large part of the program.
 *
 * @module
 */

import { CaptureRecord } from "../../pcap/capture_stream.ts";
import type { CaptureItem } from "../../pcap/merge.ts";
import { PacketPrinter } from "../../text/packet_printer.ts";
import type { PrintNames, PrintOptions } from "../../text/print_options.ts";
import { AddressNames } from "../address_names.ts";
import type { FileOutput } from "../host.ts";
import { JsonPrinter } from "./read_json.ts";
import type { Taker } from "./read_taker.ts";

/** Characters that are written at a time. */
const TEXT_SIZE = 64 << 10;

/** Prints packets; blocks between them tell the names of hosts. */
export class PrintingTaker implements Taker {
  readonly #output: FileOutput;
  readonly #format: (record: CaptureRecord) => string;
  readonly #names: AddressNames | undefined;
  readonly #encoder = new TextEncoder();
  #text = "";

  /**
   * @param kind What to print.
   * @param ports Names of ports; without, only numbers are printed.
   */
  constructor(
    output: FileOutput,
    kind: "print" | "json",
    options: PrintOptions,
    ports: PrintNames["port"],
  ) {
    this.#output = output;
    if (ports !== undefined) this.#names = new AddressNames();
    const names = this.#names;
    const printer = new (kind === "json" ? JsonPrinter : PacketPrinter)({
      ...options,
      names: ports === undefined
        ? undefined
        : { port: ports, host: (address) => names?.nameOf(address) },
    });
    this.#format = (record) => printer.format(record);
  }

  get isClosed(): boolean {
    return this.#output.isClosed;
  }

  take(_stream: number, item: CaptureItem): void {
    if (!(item instanceof CaptureRecord)) {
      this.#names?.learn(item);
      return;
    }
    this.#text += `${this.#format(item)}\n`;
    if (this.#text.length > TEXT_SIZE) this.flush();
  }

  flush(): void {
    if (this.#text === "") return;
    this.#output.write(this.#encoder.encode(this.#text));
    this.#text = "";
  }

  finish(): void {
    this.flush();
  }
}
