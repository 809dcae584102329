/**
 * What the eBPF tracker's programs tell: reading their event ring.
 *
 * @module
 */
import {
  COMM_LENGTH,
  EVENT,
  EVENT_TYPE,
  type EventTypeName,
} from "../../bpf/programs/layout.ts";
import { parseCommandLine } from "../proc/cmdline.ts";
import type { BpfRingBuffer } from "../../ffi/bpf_ring_buffer.ts";
import type { SocketState } from "../../ffi/socket.ts";

const TCP = 6;

const NAMES: ReadonlyMap<number, EventTypeName> = new Map(
  (Object.keys(EVENT_TYPE) as EventTypeName[])
    .map((name) => [EVENT_TYPE[name], name]),
);

/**
 * One event: a window on the ring that moves from record to record. It must
 * not be kept; take out what is needed.
 */
export class TrackerEvent {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #commWords = new Int32Array(COMM_LENGTH / 4);
  #comm = "";
  #offset = 0;

  /** Makes a window on the data of a ring. */
  constructor(view: DataView, bytes: Uint8Array) {
    this.#view = view;
    this.#bytes = bytes;
  }

  /** Moves the window to a record. */
  moveTo(offset: number): this {
    this.#offset = offset;
    return this;
  }

  /** One of `EVENT_TYPE`. */
  get type(): number {
    return this.#u32(EVENT.type);
  }

  /** Name of the type, for messages. */
  get typeName(): EventTypeName | "UNKNOWN" {
    return NAMES.get(this.type) ?? "UNKNOWN";
  }

  /** Nanoseconds of CLOCK_MONOTONIC; exact for the first 104 days. */
  get time(): number {
    return this.#u32(EVENT.time) + this.#u32(EVENT.time + 4) * 2 ** 32;
  }

  /** SO_COOKIE of the socket; 0 for processes and where it has none yet. */
  get cookie(): bigint {
    return this.#view.getBigUint64(this.#offset + EVENT.cookie, true);
  }

  /** Cookie of the network namespace; 0 where it is not known. */
  get netns(): bigint {
    return this.#view.getBigUint64(this.#offset + EVENT.netns, true);
  }

  /** Process, in the numbers of the machine's outermost PID namespace. */
  get tgid(): number {
    return this.#u32(EVENT.tgid);
  }

  /** Thread, in the same numbers. */
  get tid(): number {
    return this.#u32(EVENT.tid);
  }

  /** AF_INET or AF_INET6: family of the socket, not of its packets. */
  get family(): number {
    return this.#u16(EVENT.family);
  }

  /** IPPROTO_TCP or IPPROTO_UDP. */
  get protocol(): number {
    return this.#u16(EVENT.protocol);
  }

  /** Local port, 0 while it is not known. */
  get localPort(): number {
    return this.#u16(EVENT.localPort);
  }

  /** Remote port, 0 when not connected. */
  get remotePort(): number {
    return this.#u16(EVENT.remotePort);
  }

  /** The child's process id of `FORKED`, the result of `RETURNED`. */
  get extra(): number {
    return this.#u32(EVENT.extra);
  }

  /** The command line of `ARGUMENTS`; the last argument may be cut. */
  get arguments(): string[] {
    const start = this.#offset + EVENT.size;
    const bytes = this.#bytes.slice(start, start + this.extra);
    return parseCommandLine(new TextDecoder().decode(bytes));
  }

  /**
   * Whether the socket listens, or may do so from now on.
   *
   * @param tellsListening whether there is an event at listen(2); else a port
   *   that is bound may be listened at without a further word
   */
  listens(tellsListening: boolean): boolean {
    const { type } = this;
    return type === EVENT_TYPE.LISTENING ||
      !tellsListening && type === EVENT_TYPE.BOUND && this.protocol === TCP;
  }

  /** Copies the local address, 16 bytes, IPv4 v4-mapped. */
  readLocal(target: Uint8Array): void {
    this.#copy(EVENT.local, target);
  }

  /** Copies the remote address, 16 bytes, IPv4 v4-mapped. */
  readRemote(target: Uint8Array): void {
    this.#copy(EVENT.remote, target);
  }

  /**
   * Writes down the socket as it is now.
   *
   * @param netns cookie of its network namespace
   * @param listens see {@linkcode TrackerEvent.listens}
   */
  readSocket(state: SocketState, netns: bigint, listens: boolean): void {
    const { family } = this;
    const { local, remote } = state;
    state.cookie = this.cookie;
    state.netns = netns;
    state.protocol = this.protocol;
    state.family = family;
    state.v6Only = false;
    state.listening = listens;
    local.family = family;
    local.port = this.localPort;
    this.readLocal(local.address);
    remote.family = family;
    remote.port = this.remotePort;
    this.readRemote(remote.address);
  }

  /** Name of the process; empty where it is not known. */
  get comm(): string {
    const words = this.#commWords;
    let same = true;
    for (let i = 0; i < words.length; i++) {
      const word = this.#u32(EVENT.comm + 4 * i) | 0;
      same &&= words[i] === word;
      words[i] = word;
    }
    // Decoding takes longer than all the rest, and names come in a row.
    if (!same) this.#comm = this.#decodeComm();
    return this.#comm;
  }

  #decodeComm(): string {
    const start = this.#offset + EVENT.comm;
    let end = start;
    while (end < start + COMM_LENGTH && this.#bytes[end] !== 0) end++;
    return new TextDecoder().decode(this.#bytes.slice(start, end));
  }

  #u16(field: number): number {
    return this.#view.getUint16(this.#offset + field, true);
  }

  #u32(field: number): number {
    return this.#view.getUint32(this.#offset + field, true);
  }

  #copy(field: number, target: Uint8Array): void {
    const start = this.#offset + field;
    for (let i = 0; i < 16; i++) target[i] = this.#bytes[start + i]!;
  }
}

/** Longest time to wait for an event that is being written, milliseconds. */
const PATIENCE = 2000;
/** Time between two looks at it, alike. */
const PAUSE = 1;

/** The reading end of the event ring. */
export class EventRing {
  readonly #ring: BpfRingBuffer;
  readonly #event: TrackerEvent;
  readonly #observe: (event: TrackerEvent) => void;
  /** Nobody changes it. */
  readonly #pause = new Int32Array(new SharedArrayBuffer(4));
  #heldUp = 0;

  /**
   * Reads a ring.
   *
   * @param observe Sees each event before the reader's callback.
   */
  constructor(ring: BpfRingBuffer, observe: (event: TrackerEvent) => void) {
    this.#ring = ring;
    this.#event = new TrackerEvent(ring.view, ring.bytes);
    this.#observe = observe;
  }

  /** Whether events wait; costs two loads. */
  get isEmpty(): boolean {
    return this.#ring.pending === 0;
  }

  /** How often an event that was being written was not waited for. */
  get heldUp(): number {
    return this.#heldUp;
  }

  /**
   * Hands over all events so far, oldest first. Nobody is woken when events
   * come but those that must not wait: call it before packets are judged, and
   * every few milliseconds. An event about a socket is there before its first
   * packet, but it may stand behind one that another processor is writing,
   * whose thread may have been interrupted meanwhile: that is waited for.
   *
   * @param patience Longest time to wait, milliseconds.
   * @returns the number of events
   */
  read(callback: (event: TrackerEvent) => void, patience = PATIENCE): number {
    const ring = this.#ring;
    const { end } = ring;
    let count = this.#readComplete(callback);
    if (ring.hasRead(end)) return count;
    const deadline = performance.now() + patience;
    while (performance.now() < deadline) {
      Atomics.wait(this.#pause, 0, 0, PAUSE);
      count += this.#readComplete(callback);
      if (ring.hasRead(end)) return count;
    }
    this.#heldUp++;
    return count;
  }

  #readComplete(callback: (event: TrackerEvent) => void): number {
    return this.#ring.read((offset) => {
      const event = this.#event.moveTo(offset);
      this.#observe(event);
      callback(event);
    });
  }
}
