/**
 * TLS keys of a launched command: programs that know `SSLKEYLOGFILE` append
 * them to a file, which is read while the command runs.
 *
 * Source: draft-ietf-tls-keylogfile.
 *
 * @module
 */
import { joinBytes } from "../bytes/join.ts";
import type { User } from "../../ffi/process.ts";
import { CaptureError } from "./types.ts";

/** Name of the variable that tells programs where to write their keys. */
const KEY_LOG_VARIABLE = "SSLKEYLOGFILE";
/** Node.js does not know that one, but has an option. */
const NODE_VARIABLE = "NODE_OPTIONS";

/** Most bytes read at a time, but for a line that is longer. */
const MOST = 1 << 16;
const LINE_FEED = 10;

/** A file of keys; plain data. */
export interface KeyLogSetup {
  /** Where the keys go. */
  readonly path: string;
  /** Bytes that were there before. */
  readonly start: number;
}

/**
 * Variables that make a command write its keys.
 *
 * @returns none without a file
 */
export function keyLogEnvironment(
  file: KeyLogSetup | undefined,
): Readonly<Record<string, string>> {
  if (file === undefined) return {};
  const { path } = file;
  // Quotes and backslashes are read as in JSON.
  const option = `--tls-keylog=${
    /[\s"\\]/.test(path) ? JSON.stringify(path) : path
  }`;
  const others = Deno.env.get(NODE_VARIABLE);
  return {
    [KEY_LOG_VARIABLE]: path,
    [NODE_VARIABLE]: others === undefined ? option : `${others} ${option}`,
  };
}

/** A file for keys that nobody else may read. */
export class KeyLogFile implements KeyLogSetup, Disposable {
  readonly path: string;
  readonly start: number;
  readonly #folder: string | undefined;

  /**
   * Makes the file, or takes the one that the user's environment names.
   *
   * @param user whom the command runs as, if not as this program
   * @throws {CaptureError} `output`, when the user's is none to read back from
   * @throws {Error} when it cannot be made
   */
  constructor(user: Pick<User, "uid" | "gid"> | undefined) {
    const own = Deno.env.get(KEY_LOG_VARIABLE);
    if (own !== undefined && own !== "") {
      checkReadable(own);
      this.path = own;
      this.start = sizeOf(own);
      return;
    }
    this.#folder = Deno.makeTempDirSync({ prefix: "tracedump-keys-" });
    this.path = `${this.#folder}/keys.log`;
    this.start = 0;
    Deno.writeFileSync(this.path, new Uint8Array(0), { mode: 0o600 });
    if (user !== undefined) {
      Deno.chownSync(this.#folder, user.uid, user.gid);
      Deno.chownSync(this.path, user.uid, user.gid);
    }
  }

  /** Removes the file if it was made for this capture. */
  [Symbol.dispose](): void {
    if (this.#folder === undefined) return;
    try {
      Deno.removeSync(this.#folder, { recursive: true });
    } catch {
      // Somebody else was faster.
    }
  }
}

/** Reads what is appended to a file of keys. */
export class KeyLogReader implements Disposable {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  #position: number;
  /** A line that is not complete yet. */
  #rest: Uint8Array = new Uint8Array(0);
  readonly #buffer = new Uint8Array(MOST);

  /** Opens the file when it is there. */
  constructor({ path, start }: KeyLogSetup) {
    this.#path = path;
    this.#position = start;
  }

  /** Whole lines that came since the last time; some of them, if there are many. */
  read(): Uint8Array | undefined {
    const file = this.#open();
    if (file === undefined) return undefined;
    for (;;) {
      const count = file.readSync(this.#buffer) ?? 0;
      if (count === 0) return undefined;
      const bytes = joinBytes([this.#rest, this.#buffer.subarray(0, count)]);
      const end = bytes.lastIndexOf(LINE_FEED) + 1;
      this.#rest = bytes.slice(end);
      if (end > 0) return bytes.subarray(0, end);
    }
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #open(): Deno.FsFile | undefined {
    if (this.#file !== undefined) return this.#file;
    try {
      this.#file = Deno.openSync(this.#path);
      this.#file.seekSync(this.#position, Deno.SeekMode.Start);
    } catch {
      // The user's own file may not be there yet.
    }
    return this.#file;
  }
}

/** Reading a terminal or a pipe would wait, and take from others. */
function checkReadable(path: string): void {
  try {
    if (Deno.statSync(path).isFile) return;
  } catch {
    return; // It may come yet.
  }
  throw new CaptureError(
    "output",
    `Cannot read TLS keys from ${path}: it is not a file`,
    { hint: `Set ${KEY_LOG_VARIABLE} to a file, or to nothing` },
  );
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}
