/**
 * Reading the files of proc(5) of processes that may end at any moment.
 *
 * A process that is gone gives `undefined`; a process that the caller has no
 * right to look at throws {@linkcode ProcPermissionError}; nothing else is
 * expected and passes through.
 *
 * @module
 */

/** Where procfs is mounted, unless a caller says otherwise. */
export const PROC_ROOT = "/proc";

/** The caller may not look at this part of another process (EACCES, EPERM). */
export class ProcPermissionError extends Error {
  /** Name of the class. */
  override readonly name = "ProcPermissionError";
  /** errno name, for callers that do not compare classes. */
  readonly code = "EACCES";
  /** The file or directory that was refused. */
  readonly path: string;

  /** Makes the error for `path`. */
  constructor(path: string, options: { cause?: unknown } = {}) {
    super(`Cannot read ${path}: permission denied`, options);
    this.path = path;
  }
}

/**
 * Reads a text file of procfs. Bytes that are not UTF-8 become U+FFFD.
 *
 * @param path Full path of the file.
 * @returns The content, or `undefined` when the process is gone.
 * @throws {ProcPermissionError} when the kernel refuses.
 */
export function readProcText(path: string): string | undefined {
  return attempt(path, Deno.readTextFileSync);
}

/**
 * Reads a symbolic link of procfs, such as `/proc/PID/exe`.
 *
 * @param path Full path of the link.
 * @returns The target as text, or `undefined` when the process is gone or the
 * link points to nothing (as `exe` of a kernel thread does).
 * @throws {ProcPermissionError} when the kernel refuses.
 */
export function readProcLink(path: string): string | undefined {
  return attempt(path, Deno.readLinkSync);
}

/**
 * Lists the entries of a procfs directory whose names are decimal numbers,
 * in ascending order.
 *
 * @param path Full path of the directory.
 * @returns The numbers, or `undefined` when the process is gone.
 * @throws {ProcPermissionError} when the kernel refuses.
 */
export function readProcNumbers(path: string): number[] | undefined {
  return attempt(path, (directory) => {
    const numbers: number[] = [];
    // readDirSync yields lazily in some versions, so it is drained in here.
    for (const { name } of Deno.readDirSync(directory)) {
      const number = parseDecimal(name);
      if (number !== undefined) numbers.push(number);
    }
    return numbers.sort((a, b) => a - b);
  });
}

/**
 * Reads a non-negative decimal number that fills the whole text.
 *
 * @param text Text such as `4242`.
 * @returns The number, or `undefined` for anything else.
 */
export function parseDecimal(text: string): number | undefined {
  return DECIMAL_REGEXP.test(text) ? Number(text) : undefined;
}

// At most 15 digits, so that the result is always a safe integer.
const DECIMAL_REGEXP = /^[0-9]{1,15}$/;

// ENOENT: no such process, or the entry vanished. ESRCH: the file was opened
// while the process lived and read after it was reaped. ENOTDIR: an entry of
// a fixture tree or an odd mount.
const VANISHED_CODES: ReadonlySet<unknown> = new Set([
  "ENOENT",
  "ESRCH",
  "ENOTDIR",
]);
const REFUSED_CODES: ReadonlySet<unknown> = new Set(["EACCES", "EPERM"]);

function attempt<T>(path: string, read: (path: string) => T): T | undefined {
  try {
    return read(path);
  } catch (error) {
    const code = codeOf(error);
    if (VANISHED_CODES.has(code)) return undefined;
    if (REFUSED_CODES.has(code)) {
      throw new ProcPermissionError(path, { cause: error });
    }
    throw error;
  }
}

/** Deno has names for some errors only; its messages have all numbers. */
function codeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && error.code !== undefined) return error.code;
  return error.message.includes("(os error 3)") ? "ESRCH" : undefined;
}
