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

/** A program that a process runs. */
interface Program {
  /** Unset where nobody told. */
  readonly args: readonly string[] | undefined;
  /** Tells it from what the same process ran before under the same name. */
  readonly execution: number;
}

/** Numbers owners in the order in which they appear. */
export class Owners {
  readonly #table: OwnerTable;
  readonly #numbers = new Map<string, number>();
  /** By thread: what was asked for last, which is mostly asked for again. */
  readonly #latest = new Map<number, NumberedOwner>();
  /** What processes run, as far as it was told. */
  readonly #programs = new Map<number, Program>();
  #executions = 0;

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
    const program = this.#programs.get(pid);
    const key = `${pid} ${tid} ${name} ${program?.execution ?? 0}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    // The process may have ended, or be called otherwise by now.
    const comm = tid === pid && name !== "" ? name : readName(pid) ?? name;
    const args = program?.args ?? readArgs(pid);
    const number = this.#table.append({ pid, tid, comm, args });
    this.#numbers.set(key, number < 0 ? NOBODY : number);
    return number < 0 ? NOBODY : number;
  }

  /**
   * A process runs another program.
   *
   * @param args its arguments; if unset they are read once they are needed
   */
  executed(pid: number, args?: readonly string[]): void {
    this.#programs.set(pid, { args, execution: ++this.#executions });
    this.#latest.delete(pid);
  }

  /** A process made a child, which runs the same program. */
  forked(pid: number, child: number): void {
    const program = this.#programs.get(pid);
    if (program === undefined) this.#programs.delete(child);
    else this.#programs.set(child, program);
    this.#latest.delete(child);
  }

  /** A process has ended; its number may be another's soon. */
  exited(pid: number): void {
    this.#programs.delete(pid);
    this.#latest.delete(pid);
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
