/**
 * What can become of packets that are read.
 *
 * @module
 */

import {
  CaptureRecord,
  type CaptureStream,
} from "../../pcap/capture_stream.ts";
import { type CaptureEncoder, captureEncoder } from "../../pcap/convert.ts";
import type { CaptureItem } from "../../pcap/merge.ts";
import { PacketPrinter } from "../../text/packet_printer.ts";
import type { PrintNames, PrintOptions } from "../../text/print_options.ts";
import { AddressNames } from "../address_names.ts";
import type { FileOutput } from "../host.ts";
import { VERSION } from "../version.ts";
import { PROGRAM } from "../help.ts";
import { JsonPrinter } from "./read_json.ts";

/** Bytes that are written at a time. */
const BUFFER_SIZE = 256 << 10;
/** Characters that are written at a time. */
const TEXT_SIZE = 64 << 10;

/** Takes the items of files, in their order. */
export interface Taker {
  /** Takes an item; packets that are not wanted are not given. */
  take(stream: number, item: CaptureItem): void;
  /** Hands on what was taken: more may be long in coming. */
  flush(): void;
  /** The last call. */
  finish(): void;
}

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

/** Counts packets. */
export class CountingTaker implements Taker {
  readonly #output: FileOutput;
  /** Packets until now. */
  count = 0;

  constructor(output: FileOutput) {
    this.#output = output;
  }

  take(_stream: number, item: CaptureItem): void {
    if (item instanceof CaptureRecord) this.count++;
  }

  flush(): void {}

  finish(): void {
    const { count } = this;
    const text = `${count} packet${count === 1 ? "" : "s"}\n`;
    this.#output.write(new TextEncoder().encode(text));
  }
}

/** Writes packets into a file. */
export class WritingTaker implements Taker {
  readonly #output: FileOutput;
  readonly #encoder: CaptureEncoder;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #length = 0;
  /** Packets until now. */
  count = 0;

  constructor(
    output: FileOutput,
    streams: readonly CaptureStream[],
    format: "pcap" | "pcapng",
    nanoseconds: boolean,
  ) {
    this.#output = output;
    const application = `${PROGRAM} ${VERSION}`;
    this.#encoder = captureEncoder(streams, {
      format,
      application,
      nanoseconds,
    });
  }

  take(stream: number, item: CaptureItem): void {
    this.#append(this.#encoder.encode(stream, item));
    if (item instanceof CaptureRecord) this.count++;
  }

  flush(): void {
    if (this.#length === 0) return;
    this.#output.write(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }

  finish(): void {
    this.#append(this.#encoder.finish());
    this.flush();
    this.#output.close();
  }

  #append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > BUFFER_SIZE) this.flush();
    if (bytes.length > BUFFER_SIZE) {
      this.#output.write(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}
