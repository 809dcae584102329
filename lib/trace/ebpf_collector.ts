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
import { KeyQueue } from "./key_queue.ts";

/** The part of a map that is needed here. */
export type RuleMap = Pick<
  BpfMap,
  "lookup" | "take" | "delete" | "update" | "visit"
>;

/** What an event tells about the end of a rule. */
export type EndEvent = Pick<
  TrackerEvent,
  | "type"
  | "time"
  | "protocol"
  | "localPort"
  | "remotePort"
  | "readLocal"
  | "readRemote"
>;

/** How the collector works. */
export interface CollectorOptions {
  /** Rules of connections. */
  readonly conns: RuleMap;
  /** Rules of ports. */
  readonly ports: RuleMap;
  /** Nanoseconds that packets of a closed connection still pass. */
  readonly connectionLinger: number;
  /** Nanoseconds that packets of a port without sockets still pass. */
  readonly portLinger: number;
  /** Ended rules that may wait; the oldest ones go earlier. */
  readonly maxWaiting: number;
}

/** `-ENOTSUPP`, which user space is not meant to see. */
const ENOTSUPP = 524;

/** When a rule ended, and whether that is so. */
interface RuleKind {
  readonly keySize: number;
  readonly valueSize: number;
  /** Nanoseconds that an ended rule stays. */
  readonly linger: number;
  /** CLOCK_MONOTONIC, ns; 0 for rules in use. */
  readonly endOf: (values: DataView, at: number) => number;
}

/** Rules of one kind. */
class Rules {
  readonly #map: RuleMap;
  readonly #queue: KeyQueue;
  readonly #key: Uint8Array;
  readonly #value: Uint8Array;
  readonly #view: DataView;
  readonly #kind: RuleKind;
  #canTake = true;

  constructor(map: RuleMap, kind: RuleKind, maxWaiting: number) {
    this.#map = map;
    this.#kind = kind;
    this.#queue = new KeyQueue(kind.keySize, maxWaiting);
    this.#key = new Uint8Array(kind.keySize);
    this.#value = new Uint8Array(kind.valueSize);
    this.#view = new DataView(this.#value.buffer);
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Notes a rule that ended at a time; makes room if there is none. */
  add(key: Uint8Array, end: number): void {
    if (this.#queue.isFull) {
      this.#queue.shift(this.#key);
      this.#remove(this.#key, Infinity);
    }
    this.#queue.push(key, end + this.#kind.linger);
  }

  /** Due times grow along the queue, more or less: the linger time is fixed. */
  collect(now: number): number {
    let removed = 0;
    while (this.#queue.due <= now) {
      this.#queue.shift(this.#key);
      if (this.#remove(this.#key, now)) removed++;
    }
    return removed;
  }

  /** Notes the rules that ended after a time. */
  addEnded(since: number): void {
    const { keySize, endOf } = this.#kind;
    this.#map.visit((keys, keyAt, values, valueAt) => {
      const end = endOf(values, valueAt);
      if (end < since || end === 0) return;
      this.add(keys.subarray(keyAt, keyAt + keySize), end);
    });
  }

  /** Removes a rule unless it is in use again. */
  #remove(key: Uint8Array, now: number): boolean {
    const value = this.#value;
    const view = this.#view;
    if (!this.#map.lookup(key, value) || !this.#isOver(view, now)) {
      return false;
    }
    if (!this.#canTake) return this.#map.delete(key);
    try {
      if (!this.#map.take(key, value)) return false;
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      this.#canTake = false;
      return this.#map.delete(key);
    }
    if (this.#isOver(view, now)) return true;
    // It came to life between the two looks.
    this.#map.update(key, value);
    return false;
  }

  #isOver(value: DataView, now: number): boolean {
    const end = this.#kind.endOf(value, 0);
    return end > 0 && end + this.#kind.linger <= now;
  }
}

/** Removes ended rules some time after they ended. */
export class RuleCollector {
  readonly #conns: Rules;
  readonly #ports: Rules;
  readonly #local = new Uint8Array(16);
  readonly #remote = new Uint8Array(16);
  readonly #connectionKey = new Uint8Array(CONNECTION_KEY.size);
  readonly #portKey = new Uint8Array(PORT_KEY_SIZE);

  /** Watches two maps. */
  constructor(options: CollectorOptions) {
    const { connectionLinger, portLinger, maxWaiting } = options;
    this.#conns = new Rules(options.conns, {
      keySize: CONNECTION_KEY.size,
      valueSize: CONNECTION.size,
      linger: connectionLinger,
      endOf: (values, at) => readTime(values, at + CONNECTION.closed),
    }, maxWaiting);
    this.#ports = new Rules(options.ports, {
      keySize: PORT_KEY_SIZE,
      valueSize: PORT.size,
      linger: portLinger,
      endOf: (values, at) =>
        values.getUint32(at + PORT.sockets, true) > 0
          ? 0
          : readTime(values, at + PORT.closed),
    }, maxWaiting);
  }

  /** Ended rules that wait for their removal. */
  get waiting(): number {
    return this.#conns.waiting + this.#ports.waiting;
  }

  /** Notes what an event says about the end of a rule. */
  observe(event: EndEvent): void {
    const { type, time, protocol, localPort } = event;
    if (type === EVENT_TYPE.CLOSED) {
      event.readLocal(this.#local);
      event.readRemote(this.#remote);
      writeConnectionKey(
        this.#connectionKey,
        protocol,
        { address: this.#local, port: localPort },
        { address: this.#remote, port: event.remotePort },
      );
      this.#conns.add(this.#connectionKey, time);
    } else if (type === EVENT_TYPE.RELEASED && localPort !== 0) {
      writePortKey(this.#portKey, protocol, localPort);
      this.#ports.add(this.#portKey, time);
    }
  }

  /**
   * Removes what is due.
   *
   * @param now nanoseconds of CLOCK_MONOTONIC
   * @returns the number of rules removed
   */
  collect(now: number): number {
    return this.#conns.collect(now) + this.#ports.collect(now);
  }

  /**
   * Notes a connection that ended without an event.
   *
   * @param key of its rule
   * @param end nanoseconds of CLOCK_MONOTONIC
   */
  connectionEnded(key: Uint8Array, end: number): void {
    this.#conns.add(key, end);
  }

  /**
   * Notes ports that were given up after a time, for when events were lost.
   *
   * @param since nanoseconds of CLOCK_MONOTONIC
   */
  catchUpPorts(since: number): void {
    this.#ports.addEnded(since);
  }
}

/** A time of CLOCK_MONOTONIC, ns. */
export function readTime(values: DataView, at: number): number {
  return values.getUint32(at, true) + values.getUint32(at + 4, true) * 2 ** 32;
}

/** Kernels before 5.14 cannot look up and delete in one step. */
function isUnsupported(error: unknown): boolean {
  return error instanceof SyscallError &&
    (error.errno === Errno.EINVAL || error.errno === ENOTSUPP);
}
