/**
 * Reading the records of the programs in the kernel.
 *
 * @module
 */
import {
  COMM_LENGTH,
  RECORD,
  SOCKET_FLAG,
} from "../../bpf/programs/views/layout.ts";
import { formatIpv4, formatIpv6 } from "../packet/address.ts";
import { KnownTexts } from "./known_texts.ts";

const AF_INET = 2;
const IPPROTO_UDP = 17;
/** Where the IPv4 address stands in a v4-mapped one. */
const MAPPED_OFFSET = 12;

const decoder = new TextDecoder();

/**
 * A window on bytes of the kernel that moves from record to record. It must
 * not be kept: take out rows (`record_rows.ts`).
 */
export class ViewRecord {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  #offset = 0;
  readonly #ipv4: KnownTexts;
  readonly #ipv6: KnownTexts;
  readonly #names: KnownTexts;

  /** Makes a window. */
  constructor(view: DataView, bytes: Uint8Array) {
    this.#view = view;
    this.#bytes = bytes;
    this.#ipv4 = new KnownTexts(1, (at) => formatIpv4(bytes, at));
    this.#ipv6 = new KnownTexts(4, (at) => formatIpv6(bytes, at));
    this.#names = new KnownTexts(4, (at) => this.#name(at));
  }

  /** Moves the window to a record. */
  moveTo(offset: number): this {
    this.#offset = offset;
    return this;
  }

  /** One of `RECORD_TYPE`. */
  get type(): number {
    return this.#u32(RECORD.type);
  }

  /** CLOCK_MONOTONIC of what is told, nanoseconds. */
  get now(): number {
    return this.#u64(RECORD.now);
  }

  /** When the socket was established or began to connect, alike; 0: before. */
  get start(): number {
    return this.#u64(RECORD.start);
  }

  /** When its state changed before, alike. */
  get changed(): number {
    return this.#u64(RECORD.time);
  }

  /** `SOCKET_FLAG`. */
  get flags(): number {
    return this.#u32(RECORD.flags);
  }

  /** errno value, or `CLOSED_EARLY`; 0 for none. */
  get error(): number {
    return this.#u32(RECORD.error);
  }

  /** State before the change. */
  get oldState(): number {
    return this.#u16(RECORD.oldState);
  }

  /** State after the change. */
  get newState(): number {
    return this.#u16(RECORD.newState);
  }

  /** Address of the socket in the kernel; tells living sockets apart. */
  get socket(): bigint {
    return this.#view.getBigUint64(this.#offset + RECORD.socket, true);
  }

  /** Sequence number of a segment that is sent again. */
  get sequence(): number {
    return this.#u32(RECORD.sequence);
  }

  /** `RETRANSMIT`. */
  get retransmit(): number {
    return this.#u32(RECORD.retransmit);
  }

  /** Process in the numbers of the machine's outermost PID namespace. */
  get tgid(): number {
    return this.#u32(RECORD.tgid);
  }

  /** Its thread, alike. */
  get tid(): number {
    return this.#u32(RECORD.tid);
  }

  /** Name of the thread. */
  get comm(): string {
    return this.#names.at(this.#view, this.#offset + RECORD.comm);
  }

  /** User of the process. */
  get uid(): number {
    return this.#u32(RECORD.uid);
  }

  /** Id of its cgroup. */
  get cgroup(): number {
    return this.#u64(RECORD.cgroup);
  }

  /** Inode of the network namespace. */
  get netns(): number {
    return this.#u32(RECORD.netns);
  }

  /** Family of the socket. */
  get family(): 4 | 6 {
    return this.#u16(RECORD.family) === AF_INET ? 4 : 6;
  }

  /** Transport protocol. */
  get protocol(): "tcp" | "udp" {
    return this.#u16(RECORD.protocol) === IPPROTO_UDP ? "udp" : "tcp";
  }

  /** Address of this end. */
  get localAddress(): string {
    return this.#address(RECORD.local);
  }

  /** Port of this end; 0 where none was chosen. */
  get localPort(): number {
    return this.#u16(RECORD.localPort);
  }

  /** Address of the other end. */
  get remoteAddress(): string {
    return this.#address(RECORD.remote);
  }

  /** Port of the other end. */
  get remotePort(): number {
    return this.#u16(RECORD.remotePort);
  }

  /** Bytes of data sent and acknowledged: without SYN and FIN. */
  get dataSent(): number {
    const { flags } = this;
    const acked = this.#u64(RECORD.bytesAcked);
    const fin = flags & SOCKET_FLAG.FIN_ACKED ? 1 : 0;
    return Math.max(acked - fin - this.#synCounted(flags, acked - fin), 0);
  }

  /** Bytes of data received: without the FIN. */
  get dataReceived(): number {
    const fin = this.flags & SOCKET_FLAG.FIN_RECEIVED ? 1 : 0;
    return Math.max(this.#u64(RECORD.bytesReceived) - fin, 0);
  }

  /** Segments sent again. */
  get retransmits(): number {
    return this.#u32(RECORD.retransmits);
  }

  /** Round-trip time in microseconds. */
  get roundTrip(): number {
    return this.#u32(RECORD.roundTrip) / 8;
  }

  /**
   * The SYN of the end that connected counts among the acknowledged bytes. Of
   * a socket that was there before, nothing says who connected: there the data
   * that was sent for the first time tells.
   */
  #synCounted(flags: number, acked: number): number {
    if (flags & SOCKET_FLAG.ACTIVE) {
      return flags & SOCKET_FLAG.ESTABLISHED ? 1 : 0;
    }
    if ((flags & SOCKET_FLAG.OPEN_BEFORE) === 0) return 0;
    const sent = this.#u64(RECORD.bytesSent) -
      this.#u64(RECORD.bytesRetransmitted);
    return acked === sent + 1 ? 1 : 0;
  }

  #address(field: number): string {
    const at = this.#offset + field;
    return this.family === 6
      ? this.#ipv6.at(this.#view, at)
      : this.#ipv4.at(this.#view, at + MAPPED_OFFSET);
  }

  #name(start: number): string {
    let end = start;
    while (end < start + COMM_LENGTH && this.#bytes[end] !== 0) end++;
    return decoder.decode(this.#bytes.slice(start, end));
  }

  #u16(field: number): number {
    return this.#view.getUint16(this.#offset + field, true);
  }

  #u32(field: number): number {
    return this.#view.getUint32(this.#offset + field, true);
  }

  /** Exact below 2^53. */
  #u64(field: number): number {
    return this.#u32(field) + this.#u32(field + 4) * 2 ** 32;
  }
}
