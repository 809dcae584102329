/**
 * Capture files in memory.
 *
 * @module
 */

import {
  type CaptureFiles,
  FileError,
  type FileOutput,
} from "../../../../lib/cli/host.ts";

/** Pieces in which files are read, small enough to cut packets. */
const CHUNK_SIZE = 1000;

/** Files that a test puts there; what is not there is read from disk. */
export class FakeFiles implements CaptureFiles {
  /** Bytes of each file; `-` is standard input. */
  readonly contents: Map<string, Uint8Array>;
  /** Bytes of each file that was written; `-` is standard output. */
  readonly written = new Map<string, Uint8Array>();
  /** Names of the files that are open. */
  readonly opened = new Set<string>();
  /** Set to let writing fail. */
  failure: string | undefined;
  /** How often can be written before the reader of a pipe goes away. */
  writes = Infinity;
  readonly #print: (text: string) => void;

  /**
   * @param print Takes what is written to standard output.
   */
  constructor(
    contents: Readonly<Record<string, Uint8Array>>,
    print: (text: string) => void,
  ) {
    this.contents = new Map(Object.entries(contents));
    this.#print = print;
  }

  async *open(path: string): AsyncGenerator<Uint8Array, void> {
    const bytes = this.#bytes(path);
    // One piece of memory for all, as the real files have.
    const chunk = new Uint8Array(CHUNK_SIZE);
    this.opened.add(path);
    try {
      for (let at = 0; at < bytes.length; at += CHUNK_SIZE) {
        const part = bytes.subarray(at, at + CHUNK_SIZE);
        chunk.fill(0xee);
        chunk.set(part);
        yield await Promise.resolve(chunk.subarray(0, part.length));
      }
    } finally {
      this.opened.delete(path);
    }
  }

  create(path: string): FileOutput {
    const { written } = this;
    const print = this.#print;
    const decoder = new TextDecoder();
    const write = (bytes: Uint8Array): void => {
      if (this.failure !== undefined) throw new FileError(this.failure);
      if (this.writes-- <= 0) return;
      if (path === "-") print(decoder.decode(bytes, { stream: true }));
      const before = written.get(path) ?? new Uint8Array(0);
      written.set(path, Uint8Array.from([...before, ...bytes]));
    };
    written.set(path, new Uint8Array(0));
    const isClosed = (): boolean => this.writes < 0;
    return {
      write,
      get isClosed(): boolean {
        return isClosed();
      },
      close(): void {},
    };
  }

  exists(path: string): boolean {
    if (this.contents.has(path)) return true;
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }

  areSame(one: string, other: string): boolean {
    return one === other;
  }

  #bytes(path: string): Uint8Array {
    const bytes = this.contents.get(path);
    if (bytes !== undefined) return bytes;
    try {
      return Deno.readFileSync(path);
    } catch {
      throw new FileError(`Cannot read ${path}: there is no such file`);
    }
  }
}
