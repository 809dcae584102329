/**
 * The processes that own sockets, numbered: numbers travel in shared memory.
 *
 * @module
 */
import { readComm } from "../proc/comm.ts";

/** A process as it was when it first used a socket. */
export interface Owner {
  readonly pid: number;
  readonly comm: string;
}

/** Numbers owners in the order in which they appear. */
export class Owners {
  readonly #list: Owner[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #onNew: (owner: Owner) => void;

  /** @param onNew told of each owner when it gets its number */
  constructor(onNew: (owner: Owner) => void = () => {}) {
    this.#onNew = onNew;
  }

  /** Number of a process under a name, by default its present one. */
  numberOf(pid: number, comm: string = readComm(pid) ?? ""): number {
    const key = `${pid} ${comm}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      const owner = { pid, comm };
      number = this.#list.push(owner) - 1;
      this.#numbers.set(key, number);
      this.#onNew(owner);
    }
    return number;
  }

  /** All owners, by number. */
  get list(): readonly Owner[] {
    return this.#list;
  }
}
