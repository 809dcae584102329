/**
 * Packets of capture files. Needs nothing but the right to read the file.
 *
 * @module
 */
import type { CaptureRecord } from "../../pcap/capture_record.ts";
import { CaptureStream } from "../../pcap/capture_stream.ts";
import { TraceError } from "./errors.ts";
import { Packet } from "./packet.ts";
import type { PacketSource, SourceCounts } from "./source.ts";

/** Bytes that are read at a time. */
const CHUNK_SIZE = 1 << 18;

const STDIN = "-";

/** Reads a file from beginning to end. */
export class FileSource implements PacketSource {
  readonly selectsByItself = false;
  readonly #path: string;
  readonly #uri: string;
  #file: Deno.FsFile | undefined;
  #batches: AsyncGenerator<CaptureRecord[], void> | undefined;
  #captured = 0;

  /**
   * Opens nothing yet.
   *
   * @param path `-` for standard input
   * @param uri names the trace in messages
   */
  constructor(path: string, uri: string) {
    this.#path = path;
    this.#uri = uri;
  }

  async start(): Promise<void> {
    if (this.#batches !== undefined) return;
    try {
      const chunks = readChunks(await this.#open());
      this.#batches = (await CaptureStream.open(chunks)).batches();
    } catch (error) {
      await this.close();
      throw fileFailure(this.#uri, error);
    }
  }

  async pause(): Promise<void> {}

  async read(): Promise<readonly Packet[] | undefined> {
    try {
      const batch = await this.#batches?.next();
      if (!batch?.value) return undefined;
      this.#captured += batch.value.length;
      return batch.value.map(packetOf);
    } catch (error) {
      throw fileFailure(this.#uri, error);
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    file?.close();
  }

  counts(): SourceCounts {
    return { captured: this.#captured, dropped: undefined };
  }

  async #open(): Promise<Pick<Deno.FsFile, "read">> {
    if (this.#path === STDIN) return Deno.stdin;
    return this.#file = await Deno.open(this.#path, { read: true });
  }
}

/** A file in large pieces. */
export async function* readChunks(
  file: Pick<Deno.FsFile, "read">,
): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    // Packets are views on it: it cannot be used again.
    const chunk = new Uint8Array(CHUNK_SIZE);
    const length = await file.read(chunk);
    if (length === null) return;
    yield chunk.subarray(0, length);
  }
}

function packetOf(record: CaptureRecord): Packet {
  const { timestamp, data, originalLength, interface: { linkType, name } } =
    record;
  return new Packet(
    { timestamp, linkType, data, wireLength: originalLength, interface: name },
    record,
  );
}

/** Makes a sentence of what the system says about a file. */
export function fileFailure(uri: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof Deno.errors.NotFound) {
    return new TraceError(
      "not-found",
      `Cannot open trace ${JSON.stringify(uri)}: there is no such file`,
      { cause: error },
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new TraceError(
      "permission",
      `Cannot open trace ${JSON.stringify(uri)}: the file may not be opened`,
      { cause: error },
    );
  }
  if (error instanceof Deno.errors.NotCapable) {
    return new TraceError(
      "permission",
      `Cannot open trace ${JSON.stringify(uri)}: ` +
        "the program may not open it; run it with --allow-read",
      { cause: error },
    );
  }
  if (error instanceof SyntaxError || error instanceof TraceError) return error;
  return new TraceError(
    "io",
    `Cannot read ${JSON.stringify(uri)}: ${error.message}`,
    { cause: error },
  );
}
