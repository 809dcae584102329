/**
 * What a tracker tells about sockets. Implemented by the socket registry;
 * trackers know only this.
 *
 * @module
 */
import type { SocketState } from "../../ffi/socket.ts";

/** A moment as packets carry it. */
export interface Moment {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Takes socket events; every function acts before it returns. */
export interface SocketObserver<Call> {
  /**
   * A call is about to open a TCP connection or to send datagrams; it goes on
   * after this returns.
   *
   * @returns what to settle when the outcome is known, if that matters
   */
  beginSending(
    state: SocketState,
    remotes: readonly { readonly address: Uint8Array; readonly port: number }[],
    owner: number,
    now: Moment,
  ): Call | undefined;
  /** A call is about to bind, or to listen on, a local port. */
  beginLocal(
    state: Pick<SocketState, "protocol" | "netns">,
    port: number,
    owner: number,
    now: Moment,
  ): Call;
  /** The outcome of a call. */
  settle(
    call: Call,
    state: SocketState | undefined,
    failed: boolean,
    now: Moment,
  ): void;
  /** A socket as it is now; needs `apply` afterwards. */
  observe(state: SocketState, owner: number, from: Moment, now: Moment): void;
  /** Brings what was observed into force. */
  apply(): void;
}
