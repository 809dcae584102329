/**
 * What a section tells about processes, so that a packet that has but a number
 * gets the name.
 *
 * @module
 */

import type { PacketOwner } from "../capture_record.ts";

/**
 * So many processes are kept of a section; what is told about later ones is
 * forgotten, so that memory stays bounded.
 */
const MOST_PROCESSES = 65_536;

/** Something told about a process, and where. */
interface Entry {
  /** Offset in the file; packets after it are meant. */
  readonly offset: number;
  readonly owner: PacketOwner;
}

/**
 * The processes of one section. A process number can be used again: what was
 * told last before a packet counts for it.
 */
export class ProcessTable {
  readonly #events: Entry[] = [];
  readonly #byPid = new Map<number, Entry[]>();
  #size = 0;

  /**
   * Takes a Darwin process event; these are counted.
   *
   * @param offset Offset of its block.
   * @param owner What it says.
   */
  addEvent(offset: number, owner: PacketOwner): void {
    if (this.#events.length < MOST_PROCESSES) {
      this.#events.push({ offset, owner });
    }
    this.learn(offset, owner);
  }

  /**
   * Takes what is told about a process, in addition to what was told before.
   *
   * @param offset Offset of the block that tells it.
   * @param owner What it says.
   */
  learn(offset: number, owner: PacketOwner): void {
    const { pid } = owner;
    const entries = this.#byPid.get(pid);
    const known = entries?.at(-1)?.owner;
    const isKnown = known !== undefined &&
      (owner.comm === undefined || owner.comm === known.comm) &&
      (owner.args === undefined || owner.args === known.args);
    if (isKnown || this.#size >= MOST_PROCESSES) return;
    this.#size++;
    // Another name is another process, or another program in it.
    const isOther = known?.comm !== undefined && owner.comm !== undefined &&
      known.comm !== owner.comm;
    const entry = { offset, owner: isOther ? owner : { ...known, ...owner } };
    if (entries === undefined) this.#byPid.set(pid, [entry]);
    else entries.push(entry);
  }

  /** The process of an event, by its number from 0. */
  event(index: number): PacketOwner | undefined {
    return this.#events[index]?.owner;
  }

  /**
   * What was told about a process.
   *
   * @param pid Its number.
   * @param offset Offset of the packet for which it is asked.
   */
  find(pid: number, offset: number): PacketOwner | undefined {
    return this.#byPid.get(pid)?.findLast((entry) => entry.offset <= offset)
      ?.owner;
  }
}
