/**
 * What the socket table says about a socket in a given state.
 *
 * @module
 */
import { type Endpoint, isAnyAddress, isMapped } from "../../ffi/sockaddr.ts";
import type { SocketState } from "../../ffi/socket.ts";
import { endsKey } from "../packet/ends_key.ts";
import { netnsNumber, SlotFlag, SlotKind } from "./table.ts";
import { ANY_ADDRESS, type Moment, type SlotContent } from "./table_writer.ts";

const TCP = 6;

/** A remote endpoint. */
export interface RemoteEnd {
  /** 16 bytes, IPv4 v4-mapped. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** The slot of a socket's connection to a remote end. */
export function connectedSlot(
  state: SocketState,
  remote: RemoteEnd,
  owner: number,
  from: Moment,
): SlotContent {
  return {
    kind: SlotKind.CONNECTED,
    protocol: state.protocol,
    localPort: state.local.port,
    localAddress: state.local.address,
    remotePort: remote.port,
    remoteAddress: remote.address,
    flags: localFlags(state),
    from,
    owner,
    netns: netnsNumber(state.netns),
  };
}

/** The slot of a socket that anybody may send to. */
export function localSlot(
  state: SocketState,
  owner: number,
  from: Moment,
): SlotContent {
  return {
    kind: SlotKind.LOCAL,
    protocol: state.protocol,
    localPort: state.local.port,
    localAddress: state.local.address,
    remotePort: 0,
    remoteAddress: ANY_ADDRESS,
    flags: localFlags(state),
    from,
    owner,
    netns: netnsNumber(state.netns),
  };
}

/**
 * What a socket's slot depends on, as a text; empty for a socket whose packets
 * cannot exist yet.
 */
export function shapeOf(state: SocketState, remote: RemoteEnd): string {
  const { port, address } = state.local;
  if (port === 0) return "";
  if (remote.port !== 0) return endsKey(port, remote.port, remote.address);
  return state.protocol !== TCP || state.listening
    ? endsKey(port, 0, address)
    : "";
}

/**
 * Which local addresses a socket may use besides the one it is bound to.
 * Sockets bound to a group address send from an ordinary one.
 */
function localFlags(state: SocketState): number {
  const { address } = state.local;
  if (isGroupAddress(state.local)) {
    return SlotFlag.ANY_IPV4 | SlotFlag.ANY_IPV6;
  }
  if (!isAnyAddress(address)) return 0;
  if (isMapped(address)) return SlotFlag.ANY_IPV4;
  return state.v6Only
    ? SlotFlag.ANY_IPV6
    : SlotFlag.ANY_IPV4 | SlotFlag.ANY_IPV6;
}

/** Multicast and limited broadcast (RFC 1112, RFC 4291 2.7, RFC 919). */
function isGroupAddress({ address }: Endpoint): boolean {
  if (isMapped(address)) return address[12]! >= 224;
  return address[0] === 0xff;
}
