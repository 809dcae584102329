/**
 * Taking back rules of connections and ports that ended: the kernel marks
 * them and lets their last packets pass, user space removes them later.
 *
 * @module
 */
import {
  CONNECTION,
  CONNECTION_KEY,
  EVENT_TYPE,
  PORT,
  PORT_KEY_SIZE,
  writeConnectionKey,
  writePortKey,
} from "../../bpf/programs/layout.ts";
import type { BpfMap } from "../../ffi/bpf_map.ts";
import { Errno, SyscallError } from "../../ffi/errno.ts";
import type { TrackerEvent } from "./ebpf_events.ts";

/** A rule that may be removed at a time, ns of CLOCK_MONOTONIC. */
interface Ended {
  readonly kind: "connection" | "port";
  readonly key: Uint8Array;
  readonly due: number;
}

/** Removes ended rules some time after they ended. */
export class RuleCollector {
  readonly #conns: BpfMap;
  readonly #ports: BpfMap;
  readonly #connectionLinger: number;
  readonly #portLinger: number;
  readonly #connections: Ended[] = [];
  readonly #freePorts: Ended[] = [];
  readonly #local = new Uint8Array(16);
  readonly #remote = new Uint8Array(16);
  readonly #connection = new Uint8Array(CONNECTION.size);
  readonly #port = new Uint8Array(PORT.size);
  #canTake = true;

  /** Watches two maps; the durations are nanoseconds. */
  constructor(
    conns: BpfMap,
    ports: BpfMap,
    connectionLinger: number,
    portLinger: number,
  ) {
    this.#conns = conns;
    this.#ports = ports;
    this.#connectionLinger = connectionLinger;
    this.#portLinger = portLinger;
  }

  /** Rules that wait for their removal. */
  get waiting(): number {
    return this.#connections.length + this.#freePorts.length;
  }

  /** Notes what an event says about the end of a rule. */
  observe(event: TrackerEvent): void {
    switch (event.type) {
      case EVENT_TYPE.CLOSED: {
        const key = new Uint8Array(CONNECTION_KEY.size);
        event.readLocal(this.#local);
        event.readRemote(this.#remote);
        writeConnectionKey(
          key,
          event.protocol,
          { address: this.#local, port: event.localPort },
          { address: this.#remote, port: event.remotePort },
        );
        const due = event.time + this.#connectionLinger;
        this.#connections.push({ kind: "connection", key, due });
        break;
      }
      case EVENT_TYPE.RELEASED: {
        if (event.localPort === 0) break;
        const key = new Uint8Array(PORT_KEY_SIZE);
        writePortKey(key, event.protocol, event.localPort);
        const due = event.time + this.#portLinger;
        this.#freePorts.push({ kind: "port", key, due });
        break;
      }
    }
  }

  /**
   * Removes what is due.
   *
   * @param now nanoseconds of CLOCK_MONOTONIC
   * @returns the number of rules removed
   */
  collect(now: number): number {
    return this.#collectFrom(this.#connections, now) +
      this.#collectFrom(this.#freePorts, now);
  }

  /** Looks at all rules, for when events were lost. Takes longer. */
  collectAll(now: number): number {
    let removed = 0;
    for (const key of this.#conns.keys()) {
      if (this.#remove("connection", key, now)) removed++;
    }
    for (const key of this.#ports.keys()) {
      if (this.#remove("port", key, now)) removed++;
    }
    return removed;
  }

  #collectFrom(queue: Ended[], now: number): number {
    let done = 0;
    let removed = 0;
    // Due times grow along a queue, as the linger times are fixed.
    for (; done < queue.length; done++) {
      const { kind, key, due } = queue[done]!;
      if (due > now) break;
      if (this.#remove(kind, key, now)) removed++;
    }
    queue.splice(0, done);
    return removed;
  }

  /** Removes a rule unless it is in use again. */
  #remove(kind: Ended["kind"], key: Uint8Array, now: number): boolean {
    const map = kind === "connection" ? this.#conns : this.#ports;
    const value = kind === "connection" ? this.#connection : this.#port;
    if (!map.lookup(key, value) || !this.#isOver(kind, value, now)) {
      return false;
    }
    if (!this.#canTake) return map.delete(key);
    try {
      if (!map.take(key, value)) return false;
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      this.#canTake = false;
      return map.delete(key);
    }
    if (this.#isOver(kind, value, now)) return true;
    // It came to life between the two looks.
    map.update(key, value);
    return false;
  }

  #isOver(kind: Ended["kind"], value: Uint8Array, now: number): boolean {
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    if (kind === "port" && view.getUint32(PORT.sockets, true) > 0) {
      return false;
    }
    const closed = Number(view.getBigUint64(
      kind === "port" ? PORT.closed : CONNECTION.closed,
      true,
    ));
    const linger = kind === "port" ? this.#portLinger : this.#connectionLinger;
    return closed > 0 && closed + linger <= now;
  }
}

/** Kernels before 5.14 cannot look up and delete in one step. */
function isUnsupported(error: unknown): boolean {
  return error instanceof SyscallError &&
    (error.errno === Errno.EINVAL || error.errno === 524 /* ENOTSUPP */);
}
