/**
 * Numbering the processes that own sockets, as the thread does that follows
 * them.
 *
 * @module
 */
import { readCommandLine } from "../proc/cmdline.ts";
import { readComm } from "../proc/comm.ts";
import type { OwnerTable } from "./owner_table.ts";

/** The number of everybody who found the table full. */
const NOBODY = 0x7fff_ffff;

interface NumberedOwner {
  readonly pid: number;
  readonly name: string;
  readonly number: number;
}

/** Numbers owners in the order in which they appear. */
export class Owners {
  readonly #table: OwnerTable;
  readonly #numbers = new Map<string, number>();
  /** By thread: what was asked for last, which is mostly asked for again. */
  readonly #latest = new Map<number, NumberedOwner>();

  /** @param table where they are written; nobody else may write there */
  constructor(table: OwnerTable) {
    this.#table = table;
  }

  /**
   * Number of a process and thread.
   *
   * @param name name of the thread at that time, where it is known: the same
   *   process under another name is another owner
   */
  numberOf(pid: number, tid: number = pid, name = ""): number {
    const latest = this.#latest.get(tid);
    if (latest?.pid === pid && latest.name === name) return latest.number;
    const number = this.#find(pid, tid, name);
    this.#latest.set(tid, { pid, name, number });
    return number;
  }

  #find(pid: number, tid: number, name: string): number {
    const key = `${pid} ${tid} ${name}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    // The process may have ended, or be called otherwise by now.
    const comm = tid === pid && name !== "" ? name : readName(pid) ?? name;
    const number = this.#table.append({ pid, tid, comm, args: readArgs(pid) });
    this.#numbers.set(key, number < 0 ? NOBODY : number);
    return number < 0 ? NOBODY : number;
  }
}

function readName(pid: number): string | undefined {
  try {
    return readComm(pid);
  } catch {
    return undefined; // hidepid
  }
}

function readArgs(pid: number): readonly string[] {
  try {
    return readCommandLine(pid) ?? [];
  } catch {
    return [];
  }
}
