/**
 * Writing packets into capture files. Needs nothing but the right to write the
 * file, and to read it when something is appended.
 *
 * @module
 */
import { LinkType } from "../../bytes/link_type.ts";
import { CaptureStream } from "../../pcap/capture_stream.ts";
import type { PcapFileHeader } from "../../pcap/header.ts";
import { TraceError, TraceUriError } from "./errors.ts";
import { readChunks } from "./file_source.ts";
import type { Packet } from "./packet.ts";
import {
  type EncoderOptions,
  type PacketEncoder,
  PcapEncoder,
  PcapngEncoder,
} from "./packet_encoder.ts";

/** Settings of {@linkcode createTraceWriter}. */
export interface TraceWriterOptions {
  /**
   * Add to a file that is there instead of replacing it. A pcap file must have
   * the link type of the packets; pcapng files get another section. Default
   * false.
   */
  readonly append?: boolean;
  /** Default: `gzip` for names that end in `.gz`, else `none`. */
  readonly compression?: "none" | "gzip";
  /**
   * Most bytes to keep of each packet, link header included; 0 (the default)
   * for all.
   */
  readonly snaplen?: number;
  /**
   * Times in pcap files in nanoseconds (the default) instead of microseconds;
   * pcapng files always have nanoseconds.
   */
  readonly nanoseconds?: boolean;
  /** Link type of a pcap file that gets no packets. Default Ethernet. */
  readonly linkType?: number;
}

/** Formats that can be written. */
type WriterFormat = "pcap" | "pcapng";

/** Bytes that are put together before they are written. */
const BUFFER_SIZE = 1 << 18;

const FORMATS: Readonly<Record<string, WriterFormat>> = {
  pcapfile: "pcap",
  pcap: "pcap",
  pcapng: "pcapng",
};

/**
 * Writes packets into a file; {@linkcode createTraceWriter} makes it.
 *
 * @example Write one packet
 * ```ts
 * import { Packet } from "./packet.ts";
 * import { createTraceWriter, type TraceWriter } from "./trace_writer.ts";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile({ suffix: ".pcap" });
 * const writer: TraceWriter = await createTraceWriter(path);
 * const data = new Uint8Array(60);
 * await writer.write(new Packet({ timestamp: 0n, linkType: 1, data }));
 * await writer.close();
 * assert.equal(writer.packets, 1);
 * assert.equal((await Deno.stat(path)).size, 24 + 16 + 60);
 * await Deno.remove(path);
 * ```
 */
export class TraceWriter implements AsyncDisposable {
  /** The name that the writer was made with. */
  readonly uri: string;
  readonly #encoder: PacketEncoder;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  /** Settles when everything has reached the file. */
  readonly #done: Promise<void>;
  readonly #snaplen: number;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #length = 0;
  #packets = 0;
  #isClosed = false;
  #writing: Promise<void> = Promise.resolve();

  /** Puts the parts together. */
  constructor(
    uri: string,
    encoder: PacketEncoder,
    file: WritableStream<Uint8Array<ArrayBuffer>>,
    options: {
      readonly compression: "none" | "gzip";
      readonly snaplen: number;
    },
  ) {
    this.uri = uri;
    this.#encoder = encoder;
    this.#snaplen = options.snaplen;
    if (options.compression === "gzip") {
      const gzip = new CompressionStream("gzip");
      this.#writer = gzip.writable.getWriter();
      this.#done = gzip.readable.pipeTo(file);
      this.#done.catch(() => {});
    } else {
      this.#writer = file.getWriter();
      this.#done = Promise.resolve();
    }
  }

  /** Packets written until now. */
  get packets(): number {
    return this.#packets;
  }

  /**
   * Writes a packet: soon, at the latest when the writer is closed. Await it
   * to wait for the disk when that is slower than the packets.
   *
   * @throws {TraceError} `state` after the writer was closed, `io` when an
   * earlier packet could not be written
   * @throws {MixedLinkTypesError} when a pcap file has another link type
   */
  async write(packet: Packet): Promise<void> {
    if (this.#isClosed) throw this.#failure("state", "it is closed");
    const parts = this.#encoder.encode(packet.cut(this.#snaplen));
    this.#packets++;
    for (const part of parts) this.#put(part);
    await this.#writing;
  }

  /**
   * Writes all packets until now. In compressed files some of them may still
   * wait for more.
   *
   * @throws {TraceError} `io` when that is not possible
   */
  async flush(): Promise<void> {
    this.#send();
    await this.#writing;
  }

  /**
   * Completes the file. Has no effect after the first call.
   *
   * @throws {TraceError} `io` when not everything could be written
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#packets === 0) this.#put(this.#encoder.empty());
    try {
      await this.flush();
    } finally {
      await this.#try(async () => {
        await this.#writer.close();
        await this.#done;
      });
    }
  }

  /** Completes the file: `await using writer = await createTraceWriter(…)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #put(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      const taken = rest.subarray(0, BUFFER_SIZE - this.#length);
      this.#buffer.set(taken, this.#length);
      this.#length += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#length === BUFFER_SIZE) this.#send();
    }
  }

  #send(): void {
    if (this.#length === 0) return;
    const bytes = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    this.#writing = this.#writing.then(() =>
      this.#try(() => this.#writer.write(bytes))
    );
    // Told by the next call that waits.
    this.#writing.catch(() => {});
  }

  async #try(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw this.#failure(
        "io",
        error instanceof Error ? error.message : String(error),
        error,
      );
    }
  }

  #failure(code: "state" | "io", reason: string, cause?: unknown): TraceError {
    const message = `Cannot write ${this.uri}: ${reason}`;
    return new TraceError(code, message, { cause });
  }
}

/**
 * Opens a capture file for writing.
 *
 * @param uri `pcapfile:FILE` or `pcapng:FILE`; a name without a format is a
 * pcapng file when it ends in `.pcapng` or `.pcapng.gz`, and a pcap file
 * otherwise; `-` is standard output.
 * @throws {TraceUriError} when the URI is not one of a file
 * @throws {TraceError} `io` when the file cannot be opened
 * @throws {CaptureFormatError} when something shall be appended to a file that
 * is damaged, or no capture file
 *
 * @example Write the packets of a file into another one
 * ```ts
 * import { openTrace } from "./open_trace.ts";
 * import { createTraceWriter } from "./trace_writer.ts";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile({ suffix: ".pcapng.gz" });
 * await using writer = await createTraceWriter(path);
 * const source = "tests/golden/data/filter_linktype_1.pcap";
 * for await (const packet of openTrace(source)) await writer.write(packet);
 * await writer.close();
 *
 * let count = 0;
 * for await (const _ of openTrace(path)) count++;
 * assert.equal(count, writer.packets);
 * await Deno.remove(path);
 * ```
 */
export async function createTraceWriter(
  uri: string,
  options: TraceWriterOptions = {},
): Promise<TraceWriter> {
  const { format, path } = parseOutput(uri);
  const {
    append = false,
    compression = path.endsWith(".gz") ? "gzip" : "none",
    nanoseconds = true,
    snaplen = 0,
    linkType = LinkType.ETHERNET,
  } = options;
  const header = append && path !== "-"
    ? await checkExisting(uri, path, format, compression)
    : undefined;
  const encoding: EncoderOptions = { nanoseconds, snaplen, linkType };
  const encoder = format === "pcap"
    ? new PcapEncoder(encoding, header)
    : new PcapngEncoder(encoding);
  const file = await openFile(uri, path, append);
  return new TraceWriter(uri, encoder, file, { compression, snaplen });
}

function parseOutput(uri: string): { format: WriterFormat; path: string } {
  const [, scheme, name = ""] = /^([a-z]+):(.*)$/s.exec(uri) ?? [];
  if (scheme !== undefined && Object.hasOwn(FORMATS, scheme)) {
    if (name === "") throw new TraceUriError(uri, "the file is not named");
    return { format: FORMATS[scheme]!, path: name };
  }
  if (uri === "" || scheme !== undefined && !name.includes("/")) {
    throw new TraceUriError(
      uri,
      "only files can be written: pcapfile:FILE, pcapng:FILE or FILE",
    );
  }
  const isNew = /\.pcapng(?:\.gz)?$/.test(uri);
  return { format: isNew ? "pcapng" : "pcap", path: uri };
}

async function openFile(
  uri: string,
  path: string,
  append: boolean,
): Promise<WritableStream<Uint8Array<ArrayBuffer>>> {
  if (path === "-") return sinkOf(Deno.stdout, () => {});
  try {
    const file = await Deno.open(path, {
      write: true,
      create: true,
      ...append ? { append } : { truncate: true },
    });
    return sinkOf(file, () => file.close());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TraceError("io", `Cannot write ${uri}: ${reason}`, {
      cause: error,
    });
  }
}

/** A stream that, unlike that of the runtime, tells of a full disk. */
function sinkOf(
  file: Pick<Deno.FsFile, "write">,
  close: () => void,
): WritableStream<Uint8Array<ArrayBuffer>> {
  return new WritableStream({
    async write(bytes): Promise<void> {
      try {
        for (let at = 0; at < bytes.length;) {
          at += await file.write(bytes.subarray(at));
        }
      } catch (error) {
        // Nobody closes a stream that has failed.
        close();
        throw error;
      }
    },
    close,
    abort: close,
  });
}

/**
 * Reads a file that something shall be appended to.
 *
 * @returns the header of a pcap file; undefined where there is nothing yet
 */
async function checkExisting(
  uri: string,
  path: string,
  format: WriterFormat,
  compression: "none" | "gzip",
): Promise<PcapFileHeader | undefined> {
  let file: Deno.FsFile;
  try {
    if ((await Deno.stat(path)).size === 0) return undefined;
    file = await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  using _ = file;
  const refuse = (reason: string): never => {
    throw new TraceError("io", `Cannot append to ${uri}: ${reason}`);
  };
  const magic = new Uint8Array(2);
  await file.read(magic);
  await file.seek(0, Deno.SeekMode.Start);
  const isGzip = magic[0] === 0x1f && magic[1] === 0x8b;
  if (isGzip !== (compression === "gzip")) {
    refuse(`it is ${isGzip ? "" : "not "}compressed`);
  }
  const stream = await CaptureStream.open(readChunks(file));
  if (stream.format !== format) refuse(`it is a ${stream.format} file`);
  const { header } = stream;
  if (header !== undefined) {
    if (header.byteOrder !== "little") refuse("it is in the other byte order");
    if (header.version.minor !== 4) refuse("it is in an old format");
  }
  // What is appended to a record that is cut off would be lost.
  for await (const _ of stream.batches());
  return header;
}
