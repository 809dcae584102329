/**
 * What a socket call is going to do, as its arguments and the socket say when
 * it is entered.
 *
 * @module
 */
import { realTime } from "../../ffi/clock.ts";
import { type Endpoint, isAnyAddress, isMapped } from "../../ffi/sockaddr.ts";
import { IPPROTO_TCP, type SocketState } from "../../ffi/socket.ts";
import type { SocketCall } from "./call_arguments.ts";
import type { Moment, SocketObserver } from "./socket_observer.ts";
import type { OpenCall, SocketBefore } from "./tracee.ts";

/**
 * Tells the observer what a call other than accept(2) is about to do.
 *
 * @returns what to settle at its end, if anything; undefined when the observer
 *   need not know how it ends
 */
export function beginCall<Call>(
  observer: SocketObserver<Call>,
  call: SocketCall,
  state: SocketState,
  owner: number,
  now: Moment,
): Pick<OpenCall<Call>, "pending"> | undefined {
  const { protocol } = state;
  switch (call.kind) {
    case "connect":
      // UDP sends nothing at connect(2): looking at it afterwards is enough.
      if (protocol !== IPPROTO_TCP || call.unspecified) {
        return { pending: undefined };
      }
      break;
    case "bind": {
      if (protocol === IPPROTO_TCP) return undefined;
      const port = call.endpoints[0]?.port ?? 0;
      if (port === 0) return { pending: undefined };
      return { pending: observer.beginLocal(state, port, owner, now) };
    }
    case "listen":
      if (protocol !== IPPROTO_TCP) return undefined;
      return {
        pending: observer.beginLocal(state, state.local.port, owner, now),
      };
    default:
      break;
  }
  const remotes = call.endpoints.map((endpoint) =>
    destination(endpoint, state)
  );
  if (remotes.length === 0) return undefined;
  const pending = observer.beginSending(state, remotes, owner, now);
  return pending === undefined ? undefined : { pending };
}

/** What is to be remembered of the socket until the end of the call. */
export function socketBefore(
  { kind, endpoints }: SocketCall,
  state: SocketState,
): SocketBefore {
  const { cookie, protocol, local } = state;
  const [first] = endpoints;
  return {
    cookie,
    protocol,
    localPort: local.port,
    named: first === undefined || kind === "bind"
      ? first
      : destination(first, state),
    began: realTime({ seconds: 0, nanoseconds: 0 }),
  };
}

/**
 * Where a packet to `endpoint` really goes: the unspecified address means this
 * host (Linux: ip_route_connect, tcp_v6_connect).
 */
function destination(endpoint: Endpoint, state: SocketState): Endpoint {
  if (!isAnyAddress(endpoint.address)) return endpoint;
  const address = new Uint8Array(16);
  if (!isAnyAddress(state.local.address)) {
    address.set(state.local.address);
  } else if (isMapped(endpoint.address)) {
    address.set([0xff, 0xff, 127, 0, 0, 1], 10);
  } else {
    address[15] = 1;
  }
  return { family: endpoint.family, port: endpoint.port, address };
}
