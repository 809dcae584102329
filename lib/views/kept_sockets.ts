/**
 * What the programs keep of sockets, read from outside.
 *
 * @module
 */
import { SLOT, SLOTS, SOCKET } from "../../bpf/programs/views/layout.ts";
import type { BpfMap } from "../../ffi/bpf_map.ts";
import type { Mapping } from "../../ffi/memory.ts";

/** Called for each socket with its bytes (`SOCKET`) and its flags. */
export type KeptSocketCallback = (socket: Uint8Array, flags: number) => void;

/** An array of slots, and the hash map for what finds no slot. */
export class KeptSockets implements Disposable {
  readonly #memory: Mapping;
  readonly #others: BpfMap;

  /**
   * Maps the slots.
   *
   * @throws {SyscallError}
   */
  constructor(slots: BpfMap, others: BpfMap) {
    this.#memory = slots.mapMemory(SLOTS * SLOT.size);
    this.#others = others;
  }

  /** Visits them; the bytes are valid until the callback returns. */
  visit(callback: KeptSocketCallback): void {
    const kept = new Uint8Array(SOCKET.size);
    const view = new DataView(kept.buffer);
    const flags = (): number => view.getUint32(SOCKET.flags, true);
    const buffer = this.#memory.buffer();
    const slots = new DataView(buffer);
    for (let slot = 0; slot < SLOTS; slot++) {
      const at = slot * SLOT.size;
      if (slots.getBigUint64(at + SLOT.key, true) === 0n) continue;
      kept.set(new Uint8Array(buffer, at + SLOT.socket, SOCKET.size));
      callback(kept, flags());
    }
    for (const key of this.#others.keys()) {
      if (this.#others.lookup(key, kept)) callback(kept, flags());
    }
  }

  /** Unmaps the slots. */
  [Symbol.dispose](): void {
    this.#memory.close();
  }
}
