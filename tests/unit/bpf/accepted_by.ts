/**
 * What a capture filter should do, said in terms of the described packet.
 *
 * @module
 */
import type {
  CaptureRules,
  RemoteEndpoint,
} from "../../../bpf/capture_filter.ts";
import {
  buildPacket,
  type PacketDescription,
  startsWithTag,
  transportOffset,
} from "./packets.ts";

/**
 * Tells whether the rules want a packet.
 *
 * @returns `undefined` where the packet ends before its ports, so that both
 * answers are right.
 */
export function acceptedBy(
  rules: CaptureRules,
  packet: PacketDescription,
): boolean | undefined {
  const plans = [6, 17, 136].map((protocol) => planOf(rules, protocol));
  const isEmpty = rules.remotes.length === 0 &&
    plans.every((plan) => !plan?.all && plan?.ports.length === 0);
  if (isEmpty || packet.packetType === 3) return false;
  if (packet.version !== 4 && packet.version !== 6) return false;
  const wanted = isUnclear(packet)
    ? packet.version === 6 || wantsAny(rules, packet.protocol)
    : wants(rules, packet);
  if (!wanted) return false;
  return isShort(packet) ? undefined : true;
}

/** Whether the bytes end before the ports; to be safe, with the tags. */
function isShort(packet: PacketDescription): boolean {
  const tags = startsWithTag(packet) ? 4 * packet.tags.length : 0;
  const end = tags + transportOffset(packet) + 4;
  return buildPacket(packet).length < end;
}

/** Whether the packet alone does not tell. */
function isUnclear(packet: PacketDescription): boolean {
  if (packet.version === 4) {
    return packet.moreFragments || packet.fragmentOffset > 0;
  }
  for (const [index, header] of packet.headers.entries()) {
    if (index === 6) return true;
    if (header.type !== 44) continue;
    if (header.more || header.offset > 0 || header.reserved > 0) return true;
  }
  return false;
}

/** What the rules say about a protocol; undefined for one without ports. */
function planOf(
  rules: CaptureRules,
  protocol: number,
): { ports: readonly number[]; all: boolean } | undefined {
  const { allTcp = false, allUdp = false, allUdpLite = false } = rules;
  switch (protocol) {
    case 6:
      return { ports: rules.tcpPorts, all: allTcp };
    case 17:
      return { ports: rules.udpPorts, all: allUdp };
    case 136:
      return { ports: rules.udpLitePorts ?? [], all: allUdpLite };
    case 1:
    case 58:
      return rules.icmp ? { ports: [], all: true } : undefined;
    default:
      return undefined;
  }
}

function wantsAny(rules: CaptureRules, protocol: number): boolean {
  const plan = planOf(rules, protocol);
  if (plan === undefined) return false;
  const { ports, all } = plan;
  return all === true || ports.length > 0 ||
    rules.remotes.some((remote) => remote.protocol === protocol);
}

function wants(rules: CaptureRules, packet: PacketDescription): boolean {
  const { protocol } = packet;
  const plan = planOf(rules, protocol);
  if (plan === undefined) return false;
  const { ports, all } = plan;
  if (all) return true;
  const isOutgoing = packet.packetType === 4;
  const local = isOutgoing ? packet.sourcePort : packet.destinationPort;
  const port = isOutgoing ? packet.destinationPort : packet.sourcePort;
  const address = isOutgoing ? packet.destinationAddress : packet.sourceAddress;
  return ports.includes(local) ||
    rules.remotes.some((remote) =>
      remote.protocol === protocol && remote.port === port &&
      isSameAddress(remote, packet.version, address)
    );
}

function isSameAddress(
  remote: RemoteEndpoint,
  version: number,
  address: Uint8Array,
): boolean {
  const wanted = [...remote.address];
  const isMapped = wanted.length === 16 &&
    wanted.slice(0, 12).join() === "0,0,0,0,0,0,0,0,0,0,255,255";
  const plain = isMapped ? wanted.slice(12) : wanted;
  if (plain.every((byte) => byte === 0)) return true;
  const length = version === 4 ? 4 : 16;
  return plain.join() === [...address.subarray(16 - length)].join();
}
