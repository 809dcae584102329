/**
 * The real files behind {@linkcode CaptureFiles}.
 *
 * @module
 */

import { type CaptureFiles, FileError, type FileOutput } from "./host.ts";

/** Name of standard input and output. */
const STANDARD = "-";
/**
 * Bytes that are read at a time: many enough that handing them over between
 * threads does not count, few enough for the processor's cache.
 */
const CHUNK_SIZE = 1 << 20;
/** Time between two tries to write to a full non-blocking pipe or terminal. */
const WRITE_WAIT = 5;

/** Something that is written synchronously. */
export interface Writable {
  writeSync(bytes: Uint8Array): number;
}

/** Makes the files of this machine. */
export function denoFiles(): CaptureFiles {
  return { open, create, exists, areSame };
}

/**
 * Writes all bytes.
 *
 * @throws what the system says against it
 */
export function writeAll(output: Writable, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(output.writeSync(rest));
    } catch (error) {
      // Another program may have made a shared terminal non-blocking.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      pause(WRITE_WAIT);
    }
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

async function* open(path: string): AsyncGenerator<Uint8Array, void> {
  const file = path === STANDARD ? Deno.stdin : tryTo("read", path, () => {
    const file = Deno.openSync(path);
    if (file.statSync().isDirectory) {
      file.close();
      throw new Deno.errors.IsADirectory();
    }
    return file;
  });
  let chunk = new Uint8Array(CHUNK_SIZE);
  let spare = new Uint8Array(CHUNK_SIZE);
  try {
    let reading = file.read(chunk);
    for (;;) {
      const length = await reading;
      if (length === null) return;
      // The next chunk is read while this one is looked at.
      reading = file.read(spare);
      // Told when it is waited for, if ever.
      reading.catch(() => {});
      yield chunk.subarray(0, length);
      [chunk, spare] = [spare, chunk];
    }
  } catch (error) {
    throw fileError("read", path, error);
  } finally {
    if (file instanceof Deno.FsFile) file.close();
  }
}

function create(path: string): FileOutput {
  const file = path === STANDARD
    ? Deno.stdout
    : tryTo("write", path, () =>
      Deno.openSync(path, { write: true, create: true, truncate: true }));
  let isClosed = false;
  return {
    get isClosed(): boolean {
      return isClosed;
    },
    write(bytes: Uint8Array): void {
      if (isClosed) return;
      try {
        writeAll(file, bytes);
      } catch (error) {
        if (!(error instanceof Deno.errors.BrokenPipe)) {
          throw fileError("write", path, error);
        }
        isClosed = true;
      }
    },
    close(): void {
      if (file !== Deno.stdout) file.close();
    },
  };
}

function exists(path: string): boolean {
  try {
    return !Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function areSame(one: string, other: string): boolean {
  try {
    const first = Deno.statSync(one);
    const second = Deno.statSync(other);
    // Devices such as /dev/null may be both.
    return first.isFile && first.dev === second.dev && first.ino === second.ino;
  } catch {
    return false;
  }
}

function tryTo<T>(verb: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fileError(verb, path, error);
  }
}

/** Makes a sentence of what the system says. */
function fileError(verb: string, path: string, error: unknown): unknown {
  const reason = reasonOf(error);
  return reason === undefined
    ? error
    : new FileError(`Cannot ${verb} ${path}: ${reason}`, { cause: error });
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "it is not permitted";
  }
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.NotCapable) return "Deno does not permit it";
  // "No space left on device (os error 28)"
  const [, text] = /^(.+) \(os error \d+\)/.exec(
    error instanceof Error ? error.message : "",
  ) ?? [];
  return text === undefined
    ? undefined
    : text.charAt(0).toLowerCase() + text.slice(1);
}
