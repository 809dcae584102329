/**
 * The files of a capture that goes on in a new file now and then: their names,
 * when it is time, and which of them are kept.
 *
 * @module
 */
import { formatLocalTime } from "../../ffi/clock.ts";
import type { RotationOptions } from "./types.ts";

/** Whether a capture makes more than one file. */
export function isRotated({ size, seconds }: RotationOptions): boolean {
  return size !== undefined || seconds !== undefined;
}

/** Names the files one after the other. */
export class OutputFiles {
  readonly #path: string;
  readonly #rotation: RotationOptions;
  /** Names in the order of the files; those that were removed are not there. */
  readonly #kept: string[] = [];
  readonly #used = new Set<string>();
  #count = 0;
  /** When the first file began, in seconds since 1970. */
  #start = 0;
  /** Number of the time span that the present file belongs to. */
  #span = 0;

  /** @param path name as the user gave it, with the conversions of strftime(3) */
  constructor(path: string, rotation: RotationOptions = {}) {
    this.#path = path;
    this.#rotation = rotation;
  }

  /** The files that are there now, oldest first. */
  get kept(): readonly string[] {
    return this.#kept;
  }

  /**
   * Begins the next file.
   *
   * @param seconds time of its first packet
   * @returns its name, and that of one that has had its day
   */
  next(seconds: number): { path: string; outdated: string | undefined } {
    if (this.#count++ === 0) this.#start = seconds;
    this.#span = this.#spanOf(seconds);
    const path = this.#unused(this.#nameAt(seconds));
    this.#kept.push(path);
    const { files = Infinity } = this.#rotation;
    const isTooMany = this.#kept.length > files;
    return { path, outdated: isTooMany ? this.#kept.shift() : undefined };
  }

  /**
   * Whether a packet has to go into the next file.
   *
   * @param size bytes of the present file with the packet
   * @param seconds time of the packet
   */
  isFull(size: number, seconds: number): boolean {
    const { size: most = Infinity } = this.#rotation;
    return size > most || this.#spanOf(seconds) > this.#span;
  }

  #spanOf(seconds: number): number {
    const { seconds: length } = this.#rotation;
    return length === undefined
      ? 0
      : Math.floor((seconds - this.#start) / length);
  }

  /** Local time where the name asks for it, else a number. */
  #nameAt(seconds: number): string {
    return hasTime(this.#path)
      ? formatLocalTime(this.#path, seconds)
      : numbered(this.#path, String(this.#count).padStart(5, "0"));
  }

  /** Two files may begin in the same second. */
  #unused(path: string): string {
    let name = path;
    for (let more = 2; this.#used.has(name); more++) {
      name = numbered(path, String(more));
    }
    this.#used.add(name);
    return name;
  }
}

/** Whether a name has conversions of strftime(3). */
function hasTime(path: string): boolean {
  return /%[^%]/.test(path);
}

/** Puts a number before the ending of a file name: `dump-00001.pcap`. */
export function numbered(path: string, number: string): string {
  const slash = path.lastIndexOf("/") + 1;
  const dot = path.indexOf(".", slash + 1);
  const at = dot < 0 ? path.length : dot;
  return `${path.slice(0, at)}-${number}${path.slice(at)}`;
}
