/**
 * The traced threads by their ids, and the processes that they belong to.
 *
 * @module
 */
import { readStatus } from "../proc/status.ts";
import { type TracedProcess, Tracee } from "./tracee.ts";

/** See the module's text. */
export class Tracees<Call> {
  readonly #follow: boolean;
  readonly #threads = new Map<number, Tracee<Call>>();
  readonly #processes = new Map<number, TracedProcess>();

  /** @param follow whether children's packets are wanted */
  constructor(follow: boolean) {
    this.#follow = follow;
  }

  /** Threads. */
  get size(): number {
    return this.#threads.size;
  }

  /** Ids of the processes. */
  get processIds(): number[] {
    return [...this.#processes.keys()];
  }

  /** Ids of those whose packets are wanted. */
  get followedIds(): number[] {
    return [...this.#processes.values()].filter(({ followed }) => followed)
      .map(({ pid }) => pid);
  }

  /** Whether a thread is known. */
  has(tid: number): boolean {
    return this.#threads.has(tid);
  }

  /** A thread, if it is known. */
  get(tid: number): Tracee<Call> | undefined {
    return this.#threads.get(tid);
  }

  /** All threads. */
  [Symbol.iterator](): IterableIterator<Tracee<Call>> {
    return this.#threads.values();
  }

  /** One thread of each process. */
  *leaders(): Generator<Tracee<Call>> {
    const seen = new Set<TracedProcess>();
    for (const tracee of this) {
      if (seen.has(tracee.process)) continue;
      seen.add(tracee.process);
      yield this.#threads.get(tracee.process.pid) ?? tracee;
    }
  }

  /**
   * Registers a thread.
   *
   * @param followed whether packets of its process are wanted, should that be
   *   new
   */
  register(tid: number, pid: number, followed: boolean): Tracee<Call> {
    let process = this.#processes.get(pid);
    if (process === undefined) {
      process = { pid, followed, threads: 0 };
      this.#processes.set(pid, process);
    }
    const tracee = new Tracee<Call>(tid, process);
    this.#threads.set(tid, tracee);
    return tracee;
  }

  /**
   * Registers a thread that the kernel attached to by itself.
   *
   * @param status of the thread, as it is read by default
   * @returns undefined when it is gone
   */
  discover(tid: number, status = readStatus(tid)): Tracee<Call> | undefined {
    if (status === undefined) return undefined;
    const parent = this.#processes.get(status.ppid);
    // A child whose parent is gone already is somebody's child all the same.
    const followed = this.#processes.has(status.tgid) ||
      this.#follow && (parent?.followed ?? true);
    return this.register(tid, status.tgid, followed);
  }

  /** Forgets a thread; its process stays known. */
  remove({ tid, process }: Tracee<Call>): void {
    this.#threads.delete(tid);
    process.threads--;
  }

  /**
   * Forgets a process.
   *
   * @returns false when it was not known any more
   */
  removeProcess({ pid }: TracedProcess): boolean {
    return this.#processes.delete(pid);
  }

  /** Forgets everybody. */
  clear(): void {
    this.#threads.clear();
    this.#processes.clear();
  }
}
