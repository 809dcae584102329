/**
 * What the tracker tells about sockets, as it travels between threads.
 *
 * @module
 */
import { CALL, CALL_SHIFT, EVENT_TYPE } from "../../../bpf/programs/layout.ts";
import { errnoName } from "../../../ffi/errno.ts";
import {
  type TransportName,
  transportName,
} from "../../packet/protocol_port.ts";
import type { TrackerEvent } from "../../trace/ebpf_events.ts";
import { addressText } from "../summary.ts";

/** Kinds of events that are told. */
export type RawKind =
  | "bound"
  | "connecting"
  | "listening"
  | "accepted"
  | "released"
  | "closed"
  /** A socket that was there before; only ptrace tells. */
  | "existing"
  /** connect(2) ended, or bind(2) or listen(2) failed. */
  | "returned";

/** One event; plain data. */
export interface RawSocketEvent {
  readonly kind: RawKind;
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  /** SO_COOKIE: names the socket as long as the machine runs. */
  readonly cookie: bigint;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly protocol: TransportName;
  readonly localAddress: string;
  /** 0 where it is not known. */
  readonly localPort: number;
  readonly remoteAddress: string;
  /** 0 where there is none. */
  readonly remotePort: number;
  /** The call that returned. */
  readonly call?: "connect" | "bind" | "listen";
  /** Its error, such as `EADDRINUSE`; empty for none. */
  readonly error?: string;
  /** How long it took in nanoseconds, where that is known. */
  readonly duration?: number;
}

const KINDS: ReadonlyMap<number, RawKind> = new Map([
  [EVENT_TYPE.BOUND, "bound"],
  [EVENT_TYPE.CONNECTED, "connecting"],
  [EVENT_TYPE.LISTENING, "listening"],
  [EVENT_TYPE.ACCEPTED, "accepted"],
  [EVENT_TYPE.RELEASED, "released"],
  [EVENT_TYPE.CLOSED, "closed"],
  [EVENT_TYPE.RETURNED, "returned"],
]);
const CALLS = {
  [CALL.CONNECT]: "connect",
  [CALL.BIND]: "bind",
  [CALL.LISTEN]: "listen",
} as const;

/**
 * Copies an event out of the ring.
 *
 * @returns undefined when it is about something else than a socket's life
 */
export function rawEvent(
  event: TrackerEvent,
  timestamp: bigint,
): RawSocketEvent | undefined {
  const kind = KINDS.get(event.type);
  if (kind === undefined) return undefined;
  const local = new Uint8Array(16);
  const remote = new Uint8Array(16);
  event.readLocal(local);
  event.readRemote(remote);
  return {
    kind,
    timestamp,
    cookie: event.cookie,
    pid: event.tgid,
    tid: event.tid,
    comm: event.comm,
    protocol: transportName(event.protocol),
    localAddress: addressText(local),
    localPort: event.localPort,
    remoteAddress: addressText(remote),
    remotePort: event.remotePort,
    ...kind === "returned" ? resultOf(event.extra) : {},
  };
}

/** What a call returned. */
function resultOf(result: number): Pick<RawSocketEvent, "call" | "error"> {
  const errno = result & ((1 << CALL_SHIFT) - 1);
  return {
    call: CALLS[result >> CALL_SHIFT as keyof typeof CALLS],
    error: errno === 0 ? "" : errnoName(errno),
  };
}
