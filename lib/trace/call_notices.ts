/**
 * What following calls tells, and asks, besides socket events. Implemented by
 * whoever has calls followed.
 *
 * @module
 */
import type { Timestamp } from "../../ffi/clock.ts";
import type { SocketState } from "../../ffi/socket.ts";
import type { SocketCall } from "./call_arguments.ts";
import type { SocketBefore } from "./tracee.ts";

/** How a call goes or went, for those who tell people about calls. */
export interface CallNews {
  readonly pid: number;
  readonly tid: number;
  readonly kind: SocketCall["kind"];
  /** The socket when the call began; of accept(2) nothing is known. */
  readonly before: SocketBefore | undefined;
  /** The socket now, or the one that was accepted; valid during the call. */
  readonly state: SocketState | undefined;
  /** What the call returned, `-errno` for errors; unset while it goes on. */
  readonly result: number | undefined;
  /** Whether an error leaves open what becomes of the connection. */
  readonly isUndecided: boolean;
  readonly now: Timestamp;
}

/** Asked and told about what is found beside sockets. */
export interface CallTrackerNotices {
  /** The program uses io_uring, whose calls cannot be seen. */
  ioUring(pid: number): void;
  /** The program uses a protocol that is not followed. */
  missed(pid: number, protocol: string): void;
  /**
   * Makes sure that packets of a socket's network namespace are seen from now
   * on, and tells whether they are.
   *
   * @param netns SO_NETNS_COOKIE
   * @param socket a descriptor of ours of the socket
   */
  isSeen(netns: bigint, socket: number, pid: number): boolean;
  /** A watched call ended; unset when nobody wants to know. */
  call?: (pid: number, tid: number, text: string) => void;
  /** Told of calls and their results; unset when nobody wants to know. */
  news?: (news: CallNews) => void;
  /** Told of sockets that were there before; unset likewise. */
  existing?: (state: SocketState, pid: number) => void;
}
