/**
 * The network namespaces that events of the kernel come from: what the program
 * does there goes on while they are entered.
 *
 * @module
 */
import type { TrackerEvent } from "../trace/ebpf_events.ts";
import { type NetworkNamespaces, openAll } from "./network_namespaces.ts";

/** What an event tells about who did something, and when. */
type Origin = Pick<TrackerEvent, "tgid" | "tid" | "time">;

/** Enters the namespaces that events come from. */
export class EventNamespaces {
  readonly #namespaces: NetworkNamespaces;
  readonly #targets: () => Iterable<number>;
  readonly #warn: (text: string) => void;
  /** When namespaces were entered, by cookie: CLOCK_MONOTONIC, ns. */
  readonly #entered = new Map<bigint, number>();

  /**
   * @param targets lists the program's processes
   * @param warn tells the user
   */
  constructor(
    namespaces: NetworkNamespaces,
    targets: () => Iterable<number>,
    warn: (text: string) => void,
  ) {
    this.#namespaces = namespaces;
    this.#targets = targets;
    this.#warn = warn;
  }

  /** Whether packets of a namespace are seen, from now on at least. */
  isSeen(netns: bigint, { tgid, tid }: Origin): boolean {
    if (!this.#namespaces.isNew(netns)) return this.#namespaces.isSeen(netns);
    const paths = [`/proc/${tgid}/task/${tid}/ns/net`];
    for (const pid of [tgid, ...this.#targets()]) {
      paths.push(`/proc/${pid}/ns/net`);
    }
    const seen = this.#namespaces.enter(netns, tgid, openAll(paths));
    if (seen) this.#entered.set(netns, this.#namespaces.since(netns));
    return seen;
  }

  /** Tells once when the program was faster than we. */
  tellIfLate(netns: bigint, { time }: Origin): void {
    if (time >= (this.#entered.get(netns) ?? 0)) return;
    this.#entered.delete(netns);
    this.#warn(
      "the program uses another network namespace that was entered too late: " +
        "first packets there may be missing (--tracker ptrace misses none)",
    );
  }
}
