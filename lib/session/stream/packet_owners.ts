/**
 * The owners of packets in a stream.
 *
 * @module
 */
import type { PacketOwner } from "../../pcap/capture_record.ts";
import type { OwnerTable } from "../../trace/owner_table.ts";

/** A command that was started, of which more is known than the kernel told. */
export interface Launched {
  readonly pid: number;
  /** Program and arguments. */
  readonly args: readonly string[];
}

/** Owners as packets have them: one object for all packets of an owner. */
export class PacketOwners {
  readonly #owners: Pick<OwnerTable, "get">;
  readonly #launched: Launched | undefined;
  readonly #known = new Map<number, PacketOwner>();

  /** @param owners where they are written down */
  constructor(owners: Pick<OwnerTable, "get">, launched?: Launched) {
    this.#owners = owners;
    this.#launched = launched;
  }

  /** The owner of a number; undefined when there are too many. */
  get(number: number): PacketOwner | undefined {
    const known = this.#known.get(number);
    if (known !== undefined) return known;
    const owner = this.#owners.get(number);
    if (owner === undefined) return undefined;
    const { pid, tid, comm } = owner;
    // A command may be gone before its arguments can be read.
    const args = owner.args.length === 0 && pid === this.#launched?.pid
      ? this.#launched.args
      : owner.args;
    const process = Object.freeze({
      pid,
      tid,
      comm,
      ...(args.length === 0 ? {} : { args: args.join(" ") }),
    });
    this.#known.set(number, process);
    return process;
  }
}
