/**
 * From what the tracker tells, and the packets of handshakes, to events: the
 * tracker knows when a connection begins, and what calls return; the answer
 * says how a connection went, and when.
 *
 * @module
 */
import { TcpFlag } from "../../packet/transport/tcp.ts";
import type { Packet } from "../trace/packet.ts";
import type { RawSocketEvent } from "./raw_event.ts";

/**
 * How a call or connection went: `ok`, the name of the error that the call
 * returned, such as `ECONNREFUSED` (errno(3)), or `failed` when no answer came
 * or the program gave up.
 *
 * See {@linkcode traceSockets}.
 */
export type SocketResult = "ok" | "failed" | `E${string}`;

/** Something that a program did with a socket. See {@linkcode traceSockets}. */
export interface SocketEvent {
  /**
   * `connect` is told when the outcome is known; of UDP, also the first
   * datagram of a socket that is not connected. `close` is the end of a
   * connection, or of a socket that had a port. Calls of connect(2), bind(2)
   * and listen(2) that fail are told with their error.
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
  /** Own address as text; of a bind that failed, the one that was wanted. */
  readonly localAddress: string;
  /** Own port, likewise; 0 while there is none. */
  readonly localPort: number;
  /** Address of the other end; undefined where there is none. */
  readonly remoteAddress: string | undefined;
  /** Port of the other end; undefined where there is none. */
  readonly remotePort: number | undefined;
  /** How it went; only `connect`, `bind` and `listen` fail. */
  readonly result: SocketResult;
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
  /** What it is then: what connect(2) returned, if it did. */
  result: SocketResult;
}

/** A connection whose call has not told of its result. */
interface Begun {
  readonly key: string;
  /** When that is not to be expected any more. */
  deadline: number;
}

/** A packet that answered a connection of which nobody has told yet. */
interface Answer {
  readonly result: SocketResult;
  readonly timestamp: bigint;
  /** Until when it is kept. */
  readonly deadline: number;
}

/**
 * How long packets may come after the tracker told of the end, the tracker's
 * events after packets, and the end of a call after that of its connection, ms.
 */
const PATIENCE = 500;
const NANOSECONDS_PER_MILLISECOND = 1e6;
const REFUSED = "ECONNREFUSED";

/** See the module's text. */
export class SocketEvents {
  readonly #tell: (event: SocketEvent) => void;
  /** What was last told of a socket, by cookie. */
  readonly #sockets = new Map<bigint, RawSocketEvent>();
  /** By both ends. */
  readonly #attempts = new Map<string, Attempt>();
  /** By cookie. */
  readonly #begun = new Map<bigint, Begun>();
  /** By both ends; those that came early. */
  readonly #answers = new Map<string, Answer>();
  #now = 0;

  /** @param tell called for each event */
  constructor(tell: (event: SocketEvent) => void) {
    this.#tell = tell;
  }

  /**
   * Takes an event of the tracker.
   *
   * @param now milliseconds of any clock
   */
  event(raw: RawSocketEvent, now: number): void {
    this.#now = now;
    switch (raw.kind) {
      case "existing":
        this.#remember(raw);
        return;
      case "bound": {
        // Datagrams give sockets ports, too, which may be told again.
        const known = this.#sockets.get(raw.cookie);
        const isTold = known?.kind === "bound" &&
          known.localPort === raw.localPort;
        this.#remember(raw);
        if (!isTold) this.#emit("bind", raw);
        return;
      }
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
        else this.#begin(raw);
        return;
      case "released":
        // Of a connection, `closed` tells.
        if (raw.protocol === "tcp" && raw.remotePort !== 0) return;
        this.#close(raw, now);
        return;
      case "closed":
        this.#close(raw, now);
        return;
      case "returned":
        this.#returned(raw, now);
        return;
    }
  }

  #begin(raw: RawSocketEvent): void {
    const key = keyOf(raw);
    const attempt: Attempt = {
      event: raw,
      close: undefined,
      deadline: Infinity,
      result: "failed",
    };
    this.#attempts.set(key, attempt);
    if (raw.cookie !== 0n) {
      this.#begun.set(raw.cookie, { key, deadline: Infinity });
    }
    const early = this.#answers.get(key);
    if (early === undefined || early.timestamp < raw.timestamp) return;
    this.#answers.delete(key);
    this.#settle(key, attempt, early.result, early.timestamp);
  }

  #returned(raw: RawSocketEvent, now: number): void {
    const { call = "connect", cookie, error = "" } = raw;
    const result = error === "" ? "ok" : error as SocketResult;
    if (call !== "connect" || raw.protocol !== "tcp") {
      if (result !== "ok") this.#emit(call, raw, result);
      return;
    }
    const begun = this.#begun.get(cookie);
    if (begun === undefined) {
      if (result === "ok") return;
      const latency = result === REFUSED ? raw.duration : undefined;
      this.#emit("connect", raw, result, milliseconds(latency));
      return;
    }
    this.#begun.delete(cookie);
    const attempt = this.#attempts.get(begun.key);
    if (attempt?.event.cookie !== cookie) return;
    attempt.result = result;
    // The packet tells when that was.
    if (result === "ok" || result === REFUSED) {
      attempt.deadline = Math.min(attempt.deadline, now + PATIENCE);
    } else this.#settle(begun.key, attempt, result);
  }

  /** Takes a packet of the program. */
  packet(packet: Packet): void {
    const { flow, tcp } = packet;
    if (flow === undefined || tcp === undefined) return;
    const key = `${flow.destination} ${flow.destinationPort} ${flow.source} ` +
      `${flow.sourcePort}`;
    const { SYN, ACK, RST } = TcpFlag;
    const isAnswer = (tcp.flags & (SYN | ACK)) === (SYN | ACK);
    if (!isAnswer && (tcp.flags & RST) === 0) return;
    const result = isAnswer ? "ok" : REFUSED;
    const { timestamp } = packet;
    const attempt = this.#attempts.get(key);
    if (attempt !== undefined) this.#settle(key, attempt, result, timestamp);
    else {
      this.#answers.set(key, {
        result,
        timestamp,
        deadline: this.#now + PATIENCE,
      });
    }
  }

  /** Stops waiting where that took long enough. */
  tick(now: number): void {
    this.#now = now;
    for (const [key, attempt] of this.#attempts) {
      if (attempt.deadline <= now) this.#settle(key, attempt, attempt.result);
    }
    dropLate(this.#begun, now);
    dropLate(this.#answers, now);
  }

  /** Nothing more comes. */
  finish(): void {
    for (const [key, attempt] of this.#attempts) {
      this.#settle(key, attempt, attempt.result);
    }
  }

  #remember(raw: RawSocketEvent): void {
    if (raw.cookie !== 0n) this.#sockets.set(raw.cookie, raw);
  }

  #close(raw: RawSocketEvent, now: number): void {
    const known = this.#sockets.get(raw.cookie);
    this.#sockets.delete(raw.cookie);
    const begun = this.#begun.get(raw.cookie);
    if (begun !== undefined) begun.deadline = now + PATIENCE;
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
    result: SocketResult,
    answered?: bigint,
  ): void {
    this.#attempts.delete(key);
    this.#emit(
      "connect",
      event,
      result,
      milliseconds(
        answered === undefined
          ? undefined
          : Math.max(0, Number(answered - event.timestamp)),
      ),
    );
    if (close !== undefined) this.#emit("close", close);
  }

  #emit(
    kind: SocketEvent["kind"],
    raw: RawSocketEvent,
    result: SocketResult = "ok",
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

function milliseconds(nanoseconds: number | undefined): number | undefined {
  return nanoseconds === undefined
    ? undefined
    : nanoseconds / NANOSECONDS_PER_MILLISECOND;
}

function dropLate<Key>(
  waiting: Map<Key, { readonly deadline: number }>,
  now: number,
): void {
  for (const [key, { deadline }] of waiting) {
    if (deadline <= now) waiting.delete(key);
  }
}
