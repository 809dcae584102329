/**
 * What a capture filter tests, worked out from rules: intervals of local
 * ports and grouped remote endpoints.
 *
 * @module
 */
import type { Interval } from "./decision_tree.ts";
import { MAX_PORT, toIntervals } from "./port_set.ts";

/** IPPROTO_TCP. */
export const TCP = 6;
/** IPPROTO_UDP. */
export const UDP = 17;
/** IPPROTO_UDPLITE. */
export const UDP_LITE = 136;

/** IPPROTO_ICMP. */
const ICMP = 1;
/** IPPROTO_ICMPV6. */
const ICMPV6 = 58;

/** Protocols with ports that a filter can want. */
export type PortProtocol = typeof TCP | typeof UDP | typeof UDP_LITE;

/**
 * Address and port of the far side of a socket.
 * See {@linkcode compileCaptureFilter}.
 */
export interface RemoteEndpoint {
  /** 6 for TCP, 17 for UDP, 136 for UDP-Lite. */
  readonly protocol: 6 | 17 | 136;
  /**
   * 4 bytes of IPv4 or 16 bytes of IPv6, in network order. An IPv4-mapped
   * IPv6 address stands for the IPv4 address; the unspecified address (all
   * zeros) for any address, as Linux puts another one in its place.
   */
  readonly address: Uint8Array;
  /** Port number. */
  readonly port: number;
}

/** What a capture wants. See {@linkcode compileCaptureFilter}. */
export interface CaptureRules {
  /** Local TCP ports, sorted ascending, unique. */
  readonly tcpPorts: readonly number[];
  /** Local UDP ports, sorted ascending, unique. */
  readonly udpPorts: readonly number[];
  /** Local UDP-Lite ports, sorted ascending, unique. */
  readonly udpLitePorts?: readonly number[];
  /** Far ends of calls under way, whose local port is not known yet. */
  readonly remotes: readonly RemoteEndpoint[];
  /** Take every TCP packet. */
  readonly allTcp?: boolean;
  /** Take every UDP packet. */
  readonly allUdp?: boolean;
  /** Take every UDP-Lite packet. */
  readonly allUdpLite?: boolean;
  /** Take ICMP and ICMPv6, whatever it is about, if anything else is taken. */
  readonly icmp?: boolean;
}

/** Added to the port in a {@linkcode RemoteRule} key when it is about IPv6. */
export const IPV6_KEY = 0x10000;

/** A remote endpoint as the filter tests it. */
export interface RemoteRule {
  /** Port, plus {@linkcode IPV6_KEY} for IPv6. */
  readonly key: number;
  /** Address as 32-bit words: one, four, or none for any address. */
  readonly words: readonly number[];
}

/** What the filter does with one protocol. */
export interface ProtocolPlan {
  /** Protocol number in the IP header. */
  readonly protocol: PortProtocol | typeof ICMP | typeof ICMPV6;
  /** Take every packet; the rest of the plan is then empty. */
  readonly all: boolean;
  /** Local ports. */
  readonly ports: readonly Interval[];
  /** Remote endpoints, to test when the local port does not match. */
  readonly remotes: readonly RemoteRule[];
  /** Keys whose address is not looked at. */
  readonly remoteKeys: readonly Interval[];
}

/** Bytes of an IPv6 address before the IPv4 address that is mapped into it. */
const IPV4_MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const IPV4_LENGTH = 4;
const IPV6_LENGTH = 16;

/**
 * Works out the plans of the protocols that the rules want.
 *
 * @throws {RangeError} when a number is not a port.
 * @throws {TypeError} when an address has neither 4 nor 16 bytes.
 */
export function planCapture(rules: CaptureRules): ProtocolPlan[] {
  const tcp = planProtocol(TCP, rules.tcpPorts, rules);
  const udp = planProtocol(UDP, rules.udpPorts, rules);
  const udpLite = planProtocol(UDP_LITE, rules.udpLitePorts ?? [], rules);
  const plans = [
    rules.allTcp ? takeAll(tcp) : tcp,
    rules.allUdp ? takeAll(udp) : udp,
    rules.allUdpLite ? takeAll(udpLite) : udpLite,
  ].filter(({ all, ports, remotes, remoteKeys }) =>
    all || ports.length + remotes.length + remoteKeys.length > 0
  );
  if (plans.length === 0 || !rules.icmp) return plans;
  return [...plans, allOf(ICMP), allOf(ICMPV6)];
}

/** The plan that takes every packet of the protocol. */
export function takeAll({ protocol }: ProtocolPlan): ProtocolPlan {
  return allOf(protocol);
}

function allOf(protocol: ProtocolPlan["protocol"]): ProtocolPlan {
  return { protocol, all: true, ports: [], remotes: [], remoteKeys: [] };
}

/** The plan without a look at remote addresses, only at their ports. */
export function dropAddresses(plan: ProtocolPlan): ProtocolPlan {
  const keys = [...plan.remotes.map(({ key }) => key)];
  for (const { low, high } of plan.remoteKeys) {
    for (let key = low; key <= high; key++) keys.push(key);
  }
  return { ...plan, remotes: [], remoteKeys: keyIntervals(keys) };
}

function planProtocol(
  protocol: PortProtocol,
  ports: readonly number[],
  rules: CaptureRules,
): ProtocolPlan {
  const remotes = rules.remotes
    .filter((remote) => remote.protocol === protocol)
    .flatMap(toRules);
  const anyAddress = remotes.filter(({ words }) => words.length === 0)
    .map(({ key }) => key);
  const remoteKeys = keyIntervals(anyAddress);
  const covered = new Set(anyAddress);
  return {
    protocol,
    all: false,
    ports: toIntervals(ports),
    remotes: remotes.filter(({ key }) => !covered.has(key)),
    remoteKeys,
  };
}

function toRules({ address, port }: RemoteEndpoint): RemoteRule[] {
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    throw new RangeError(
      `Cannot compile filter: ${port} is not a port (0 to ${MAX_PORT})`,
    );
  }
  if (address.length !== IPV4_LENGTH && address.length !== IPV6_LENGTH) {
    throw new TypeError(
      `Cannot compile filter: an address has 4 or 16 bytes, ` +
        `not ${address.length}`,
    );
  }
  const plain = unmap(address);
  if (plain.every((byte) => byte === 0)) {
    return [{ key: port, words: [] }, { key: port + IPV6_KEY, words: [] }];
  }
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
  const words: number[] = [];
  for (let at = 0; at < plain.length; at += 4) words.push(view.getUint32(at));
  const key = plain.length === IPV4_LENGTH ? port : port + IPV6_KEY;
  return [{ key, words }];
}

function unmap(address: Uint8Array): Uint8Array {
  return address.length === IPV6_LENGTH &&
      IPV4_MAPPED_PREFIX.every((byte, index) => address[index] === byte)
    ? address.subarray(IPV4_MAPPED_PREFIX.length)
    : address;
}

/** Joins keys into intervals, those of IPv4 apart from those of IPv6. */
function keyIntervals(keys: readonly number[]): Interval[] {
  return [0, IPV6_KEY].flatMap((family) =>
    toIntervals(
      keys.filter((key) => key - key % IPV6_KEY === family)
        .map((key) => key - family),
    ).map(({ low, high }) => ({ low: low + family, high: high + family }))
  );
}
