/**
 * The processes that own sockets, in memory that threads share. A number,
 * which the socket table's slots carry, names each of them.
 *
 * One thread appends ({@linkcode Owners}); any thread reads, without locks: an
 * entry is never changed, and is there before its number is used.
 *
 * @module
 */

/** A process as it was when it first used a socket. */
export interface Owner {
  /** Process (thread-group) id. */
  readonly pid: number;
  /** Thread that made the socket; the process id where that is not known. */
  readonly tid: number;
  /** Name of the process, at most 15 bytes (proc_pid_comm(5)). */
  readonly comm: string;
  /** Command line; empty when the process was gone already. */
  readonly args: readonly string[];
}

/** Owners that are told apart; later ones are known by number alone. */
const MOST_OWNERS = 1 << 15;
/** Bytes of all their names and arguments. */
const TEXT_SIZE = 4 << 20;
/** Bytes kept of one command line. */
const MOST_ARGS = 4096;
/** Bytes kept of a name. */
const MOST_COMM = 64;

// Words: 0 number of entries, then four for each: process, thread, where its
// text ends, bytes of the name in it.
const COUNT = 0;
const ENTRIES = 1;
const ENTRY_WORDS = 4;
const WORDS = ENTRIES + MOST_OWNERS * ENTRY_WORDS;

/** Makes the memory of a table; untouched pages of it cost nothing. */
export function createOwnerTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * WORDS + TEXT_SIZE);
}

/** A view on a table. */
export class OwnerTable {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #text: Uint8Array<SharedArrayBuffer>;
  readonly #known: Owner[] = [];

  /** Opens memory made by {@linkcode createOwnerTable}. */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, WORDS);
    this.#text = new Uint8Array(memory, 4 * WORDS);
  }

  /** Number of owners that have an entry. */
  get size(): number {
    return Atomics.load(this.#words, COUNT);
  }

  /** The owner of a number, or undefined where the table was full. */
  get(number: number): Owner | undefined {
    const known = this.#known[number];
    if (known !== undefined || number < 0 || number >= this.size) return known;
    const entry = ENTRIES + number * ENTRY_WORDS;
    const start = this.#textEnd(number);
    const end = this.#words[entry + 2]!;
    const middle = start + this.#words[entry + 3]!;
    const args = this.#decode(middle, end);
    return this.#known[number] = {
      pid: this.#words[entry]!,
      tid: this.#words[entry + 1]!,
      comm: this.#decode(start, middle),
      args: args === "" ? [] : args.split("\0"),
    };
  }

  /** Appends an owner; returns its number, or -1 when there is no room. */
  append(owner: Owner): number {
    const number = this.size;
    const start = this.#textEnd(number);
    const encoder = new TextEncoder();
    const comm = encoder.encode(owner.comm).subarray(0, MOST_COMM);
    const args = encoder.encode(owner.args.join("\0")).subarray(0, MOST_ARGS);
    const end = start + comm.length + args.length;
    if (number === MOST_OWNERS || end > TEXT_SIZE) return -1;
    this.#text.set(comm, start);
    this.#text.set(args, start + comm.length);
    const entry = ENTRIES + number * ENTRY_WORDS;
    this.#words[entry] = owner.pid;
    this.#words[entry + 1] = owner.tid;
    this.#words[entry + 2] = end;
    this.#words[entry + 3] = comm.length;
    Atomics.store(this.#words, COUNT, number + 1);
    return number;
  }

  /** Where the text of the entries before `number` ends. */
  #textEnd(number: number): number {
    return number === 0
      ? 0
      : this.#words[ENTRIES + (number - 1) * ENTRY_WORDS + 2]!;
  }

  #decode(start: number, end: number): string {
    // Decoders refuse views on shared memory.
    return new TextDecoder().decode(this.#text.slice(start, end));
  }
}
