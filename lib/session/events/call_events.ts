/**
 * From calls as the ptrace tracker sees them to the events that the eBPF
 * tracker tells.
 *
 * @module
 */
import { errnoName } from "../../../ffi/errno.ts";
import type { Endpoint } from "../../../ffi/sockaddr.ts";
import { IPPROTO_TCP, type SocketState } from "../../../ffi/socket.ts";
import { transportName } from "../../packet/protocol_port.ts";
import { readComm } from "../../proc/comm.ts";
import type { CallNews } from "../../trace/call_notices.ts";
import type { SocketBefore } from "../../trace/tracee.ts";
import { addressText } from "../summary.ts";
import type { RawKind, RawSocketEvent } from "./raw_event.ts";

type Time = CallNews["now"];

const EINPROGRESS = 115;
const NOWHERE: Endpoint = { family: 0, port: 0, address: new Uint8Array(16) };

/** See the module's text. */
export class CallEvents {
  readonly #tell: (event: RawSocketEvent) => void;
  /** Sockets whose end is to be told, by cookie. */
  readonly #open = new Set<bigint>();
  /** Those of them whose connection was told and that await its result. */
  readonly #connecting = new Set<bigint>();
  /** Those that were bound. */
  readonly #bound = new Set<bigint>();

  /** @param tell called for each event */
  constructor(tell: (event: RawSocketEvent) => void) {
    this.#tell = tell;
  }

  /** How many sockets have not ended. */
  get open(): number {
    return this.#open.size;
  }

  /** Takes what became of a call. */
  take(news: CallNews): void {
    switch (news.kind) {
      case "connect":
        this.#connect(news);
        return;
      case "bind":
      case "listen":
        this.#local(news);
        return;
      case "accept":
        if (news.state?.protocol === IPPROTO_TCP) {
          this.#emit("accepted", news, news.state);
        }
        return;
      default:
        this.#send(news);
    }
  }

  /** A socket was there before. */
  existing(state: SocketState, pid: number, now: Time): void {
    this.#emit("existing", { pid, tid: pid, now }, state);
  }

  /** A socket ended. */
  closed(cookie: bigint, now: Time): void {
    if (!this.#open.delete(cookie)) return;
    this.#connecting.delete(cookie);
    this.#bound.delete(cookie);
    this.#tell({
      ...describe("closed", { pid: 0, tid: 0, now }, NOWHERE, NOWHERE),
      cookie,
      comm: "",
    });
  }

  #connect(news: CallNews): void {
    const { before, state, result, isUndecided, now } = news;
    if (before === undefined) return;
    const { cookie, protocol, named } = before;
    if (named === undefined) return;
    if (protocol !== IPPROTO_TCP) {
      if (result === 0 && state !== undefined) {
        this.#emit("connecting", news, state);
      } else if (result !== undefined) {
        this.#returned(news, before, "connect");
      }
      return;
    }
    const isNew = !this.#connecting.has(cookie) ||
      -(result ?? 0) === EINPROGRESS;
    const begins = result === undefined || result === 0 || isUndecided;
    if (begins && isNew && state !== undefined && state.local.port !== 0) {
      this.#connecting.add(cookie);
      this.#begin(news, before, state);
    }
    if (result === undefined || isUndecided) return;
    this.#connecting.delete(cookie);
    this.#returned(news, before, "connect", nanoseconds(now, before.began));
  }

  #local(news: CallNews): void {
    const { kind, before, state, result } = news;
    if (before === undefined || result === undefined) return;
    if (result < 0) {
      this.#returned(news, before, kind === "bind" ? "bind" : "listen");
    } else if (state !== undefined) {
      if (kind === "bind") this.#bound.add(state.cookie);
      this.#emit(kind === "bind" ? "bound" : "listening", news, state);
    }
  }

  /** A datagram gave its socket a port, or data opened a connection. */
  #send(news: CallNews): void {
    const { before, state } = news;
    if (before?.localPort !== 0 || state === undefined) return;
    if (state.local.port === 0) return;
    if (before.protocol === IPPROTO_TCP) this.#begin(news, before, state);
    else this.#emit("bound", news, state);
  }

  #begin(news: CallNews, before: SocketBefore, state: SocketState): void {
    const { began, named = NOWHERE } = before;
    // A socket that connects has no peer yet.
    this.#emit("connecting", { ...news, now: began }, {
      ...state,
      remote: named,
    });
  }

  #emit(
    kind: RawKind,
    who: Pick<CallNews, "pid" | "tid" | "now">,
    state: Pick<SocketState, "cookie" | "protocol" | "local" | "remote">,
  ): void {
    this.#open.add(state.cookie);
    this.#tell({
      ...describe(kind, who, state.local, state.remote),
      cookie: state.cookie,
      protocol: transportName(state.protocol),
    });
  }

  #returned(
    news: CallNews,
    { cookie, protocol, named, localPort }: SocketBefore,
    call: "connect" | "bind" | "listen",
    duration?: number,
  ): void {
    const { state } = news;
    const result = news.result ?? 0;
    // After an attempt that failed, the port of it is still told.
    const isOld = call === "connect" && state?.local.port === localPort &&
      !this.#bound.has(cookie);
    const local = call === "bind"
      ? named
      : isOld
      ? { ...state.local, port: 0 }
      : state?.local;
    const remote = call === "connect" ? named : undefined;
    this.#tell({
      ...describe("returned", news, local ?? NOWHERE, remote ?? NOWHERE),
      cookie,
      protocol: transportName(protocol),
      call,
      error: result < 0 ? errnoName(-result) : "",
      ...duration === undefined ? {} : { duration },
    });
  }
}

function describe(
  kind: RawKind,
  { pid, tid, now }: Pick<CallNews, "pid" | "tid" | "now">,
  local: Endpoint,
  remote: Endpoint,
): RawSocketEvent {
  return {
    kind,
    timestamp: BigInt(now.seconds) * 1_000_000_000n + BigInt(now.nanoseconds),
    cookie: 0n,
    pid,
    tid,
    comm: tid === 0 ? "" : readComm(tid) ?? "",
    protocol: "tcp",
    localAddress: addressText(local.address),
    localPort: local.port,
    remoteAddress: addressText(remote.address),
    remotePort: remote.port,
  };
}

function nanoseconds(now: Time, before: Time): number {
  return (now.seconds - before.seconds) * 1e9 + now.nanoseconds -
    before.nanoseconds;
}
