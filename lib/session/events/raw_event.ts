/**
 * What the tracker tells about sockets, as it travels between threads.
 *
 * @module
 */
import { EVENT_TYPE } from "../../../bpf/programs/layout.ts";
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
  | "closed";

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
}

const KINDS: ReadonlyMap<number, RawKind> = new Map([
  [EVENT_TYPE.BOUND, "bound"],
  [EVENT_TYPE.CONNECTED, "connecting"],
  [EVENT_TYPE.LISTENING, "listening"],
  [EVENT_TYPE.ACCEPTED, "accepted"],
  [EVENT_TYPE.RELEASED, "released"],
  [EVENT_TYPE.CLOSED, "closed"],
]);

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
  };
}
