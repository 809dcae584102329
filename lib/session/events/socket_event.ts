/**
 * From what the tracker tells, and the packets of handshakes, to events: the
 * tracker knows when a connection begins, the answer says how it went.
 *
 * @module
 */
import { TcpFlag } from "../../packet/transport/tcp.ts";
import type { Packet } from "../trace/packet.ts";
import type { RawSocketEvent } from "./raw_event.ts";

/** Something that a program did with a socket. */
export interface SocketEvent {
  /**
   * `connect` is told when the outcome is known; of UDP, also the first
   * datagram of a socket that is not connected. `close` is the end of a
   * connection, or of a socket that had a port.
   */
  readonly kind: "connect" | "bind" | "listen" | "accept" | "close";
  /** Nanoseconds since 1970: when a connection began, or the rest happened. */
  readonly timestamp: bigint;
  /** Process. */
  readonly pid: number;
  /** Thread. */
  readonly tid: number;
  /** Name of the process, at most 15 bytes. */
  readonly comm: string;
  /** Transport protocol. */
  readonly protocol: "tcp" | "udp" | "udplite";
  /** Own address as text. */
  readonly localAddress: string;
  /** Own port; 0 while there is none. */
  readonly localPort: number;
  /** Address of the other end; undefined where there is none. */
  readonly remoteAddress: string | undefined;
  /** Port of the other end; undefined where there is none. */
  readonly remotePort: number | undefined;
  /**
   * `ok`; of connections also `ECONNREFUSED`, or `failed` when no answer came
   * or the program gave up. Calls that fail at once are not told of.
   */
  readonly result: "ok" | "ECONNREFUSED" | "failed";
  /** Milliseconds from the beginning of a TCP connection to its answer. */
  readonly latency: number | undefined;
}

/** A connection without an answer so far. */
interface Attempt {
  readonly event: RawSocketEvent;
  /** The end, when it was told before the packets of the handshake came. */
  close: RawSocketEvent | undefined;
  /** When to stop waiting for them, milliseconds of the caller's clock. */
  deadline: number;
}

/** How long packets may come after the tracker told of the end, ms. */
const PATIENCE = 500;
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** See the module's text. */
export class SocketEvents {
  readonly #tell: (event: SocketEvent) => void;
  /** What was last told of a socket, by cookie. */
  readonly #sockets = new Map<bigint, RawSocketEvent>();
  /** By both ends. */
  readonly #attempts = new Map<string, Attempt>();

  /** @param tell called for each event */
  constructor(tell: (event: SocketEvent) => void) {
    this.#tell = tell;
  }

  /** Whether the outcome of a connection is awaited that has ended. */
  get waits(): boolean {
    return [...this.#attempts.values()].some(({ close }) =>
      close !== undefined
    );
  }

  /**
   * Takes an event of the tracker.
   *
   * @param now milliseconds of any clock
   */
  event(raw: RawSocketEvent, now: number): void {
    switch (raw.kind) {
      case "bound":
        this.#remember(raw);
        this.#emit("bind", raw);
        return;
      case "listening":
        this.#remember(raw);
        this.#emit("listen", raw);
        return;
      case "accepted":
        this.#remember(raw);
        this.#emit("accept", raw);
        return;
      case "connecting":
        this.#remember(raw);
        if (raw.protocol !== "tcp") this.#emit("connect", raw);
        else {
          this.#attempts.set(keyOf(raw), {
            event: raw,
            close: undefined,
            deadline: Infinity,
          });
        }
        return;
      case "released":
        // Of a connection, `closed` tells.
        if (raw.protocol === "tcp" && raw.remotePort !== 0) return;
        this.#close(raw, now);
        return;
      case "closed":
        this.#close(raw, now);
        return;
    }
  }

  /** Takes a packet of the program. */
  packet(packet: Packet): void {
    const { flow, tcp } = packet;
    if (flow === undefined || tcp === undefined) return;
    const key = `${flow.destination} ${flow.destinationPort} ${flow.source} ` +
      `${flow.sourcePort}`;
    const attempt = this.#attempts.get(key);
    if (attempt === undefined) return;
    const { SYN, ACK, RST } = TcpFlag;
    const isAnswer = (tcp.flags & (SYN | ACK)) === (SYN | ACK);
    if (!isAnswer && (tcp.flags & RST) === 0) return;
    this.#settle(
      key,
      attempt,
      isAnswer ? "ok" : "ECONNREFUSED",
      packet.timestamp,
    );
  }

  /** Stops waiting for packets where that took long enough. */
  tick(now: number): void {
    for (const [key, attempt] of this.#attempts) {
      if (attempt.deadline <= now) this.#settle(key, attempt, "failed");
    }
  }

  /** Nothing more comes. */
  finish(): void {
    for (const [key, attempt] of this.#attempts) {
      this.#settle(key, attempt, "failed");
    }
  }

  #remember(raw: RawSocketEvent): void {
    if (raw.cookie !== 0n) this.#sockets.set(raw.cookie, raw);
  }

  #close(raw: RawSocketEvent, now: number): void {
    const known = this.#sockets.get(raw.cookie);
    this.#sockets.delete(raw.cookie);
    // Its end is not always told by the process itself.
    const close = known === undefined ? raw : {
      ...known,
      timestamp: raw.timestamp,
    };
    const attempt = this.#attempts.get(keyOf(close));
    if (attempt === undefined || raw.kind !== "closed") {
      if (close.localPort !== 0) this.#emit("close", close);
      return;
    }
    attempt.close = close;
    attempt.deadline = now + PATIENCE;
  }

  #settle(
    key: string,
    { event, close }: Attempt,
    result: SocketEvent["result"],
    answered?: bigint,
  ): void {
    this.#attempts.delete(key);
    this.#emit(
      "connect",
      event,
      result,
      answered === undefined
        ? undefined
        : Math.max(0, Number(answered - event.timestamp)) /
          NANOSECONDS_PER_MILLISECOND,
    );
    if (close !== undefined) this.#emit("close", close);
  }

  #emit(
    kind: SocketEvent["kind"],
    raw: RawSocketEvent,
    result: SocketEvent["result"] = "ok",
    latency?: number,
  ): void {
    const hasRemote = raw.remotePort !== 0;
    this.#tell({
      kind,
      timestamp: raw.timestamp,
      pid: raw.pid,
      tid: raw.tid,
      comm: raw.comm,
      protocol: raw.protocol,
      localAddress: raw.localAddress,
      localPort: raw.localPort,
      remoteAddress: hasRemote ? raw.remoteAddress : undefined,
      remotePort: hasRemote ? raw.remotePort : undefined,
      result,
      latency,
    });
  }
}

function keyOf(raw: RawSocketEvent): string {
  return `${raw.localAddress} ${raw.localPort} ${raw.remoteAddress} ` +
    `${raw.remotePort}`;
}
