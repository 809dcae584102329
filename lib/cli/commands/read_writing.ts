/**
 * Packets that are read, in a new file.
 *
 * @module
 */

import type { CaptureStream } from "../../pcap/capture_stream.ts";
import {
  type CaptureEncoder,
  captureEncoder,
  MixedLinkTypesError,
} from "../../pcap/convert.ts";
import type { CaptureItem } from "../../pcap/merge.ts";
import { PROGRAM } from "../help.ts";
import { FileError, type FileOutput } from "../host.ts";
import { VERSION } from "../version.ts";
import type { Taker } from "./read_taker.ts";

/** Bytes that are written at a time. */
const BUFFER_SIZE = 256 << 10;

/** Writes packets into a file. */
export class WritingTaker implements Taker {
  readonly #output: FileOutput;
  readonly #encoder: CaptureEncoder;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #length = 0;

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
    try {
      this.#append(this.#encoder.encode(stream, item));
    } catch (error) {
      if (!(error instanceof MixedLinkTypesError)) throw error;
      throw new FileError(error.message, {
        cause: error,
        hint: "Write pcapng: --format pcapng",
      });
    }
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
