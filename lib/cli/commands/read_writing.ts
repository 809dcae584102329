/**
 * Packets that are read, in a new file.
 *
 * @module
 */

import type { CaptureStream } from "../../pcap/capture_stream.ts";
import {
  type CaptureEncoder,
  captureEncoder,
  type ConvertOptions,
  MixedLinkTypesError,
} from "../../pcap/convert.ts";
import type { CaptureItem } from "../../pcap/merge.ts";
import { PROGRAM } from "../help.ts";
import { FileError, type FileOutput } from "../host.ts";
import { VERSION } from "../version.ts";
import type { Taker } from "./read_taker.ts";

/** Bytes that are written at a time. */
const BUFFER_SIZE = 256 << 10;

/**
 * Makes what writes packets into a file.
 *
 * @param create Makes the file, when it is clear that it can be written.
 * @throws {FileError}
 */
export function writingTaker(
  streams: readonly CaptureStream[],
  options: Pick<ConvertOptions, "format" | "nanoseconds">,
  create: () => FileOutput,
): Taker {
  const encoder = sayingHow(() =>
    captureEncoder(streams, {
      ...options,
      application: `${PROGRAM} ${VERSION}`,
    })
  );
  return new WritingTaker(create(), encoder);
}

/** Adds to an error what can be done. */
function sayingHow<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof MixedLinkTypesError)) throw error;
    throw new FileError(error.message, {
      cause: error,
      hint: "Write pcapng: --format pcapng",
    });
  }
}

class WritingTaker implements Taker {
  readonly #output: FileOutput;
  readonly #encoder: CaptureEncoder;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #length = 0;

  constructor(output: FileOutput, encoder: CaptureEncoder) {
    this.#output = output;
    this.#encoder = encoder;
  }

  get isClosed(): boolean {
    return this.#output.isClosed;
  }

  take(stream: number, item: CaptureItem): void {
    try {
      this.#append(sayingHow(() => this.#encoder.encode(stream, item)));
    } catch (error) {
      // The file has at least what was before.
      this.flush();
      throw error;
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
