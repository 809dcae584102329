/**
 * Random rules for tests of capture filters.
 *
 * @module
 */
import fc from "fast-check";
import type {
  CaptureRules,
  RemoteEndpoint,
} from "../../../bpf/capture_filter.ts";
import { addresses, ports } from "./packets.ts";

/** Ports as rules have them. */
export function sortedUnique(all: readonly number[]): number[] {
  return [...new Set(all)].sort((a, b) => a - b);
}

/** An endpoint over IPv4, IPv6, a mapped or an unspecified address. */
const remotes: fc.Arbitrary<RemoteEndpoint> = fc.record({
  protocol: fc.constantFrom(6 as const, 17 as const, 136 as const),
  address: fc.tuple(fc.nat(9), addresses).map(([kind, address]) => {
    if (kind === 0) return new Uint8Array(4);
    if (kind === 1) return new Uint8Array(16);
    const four = address.slice(12);
    if (kind === 2) {
      return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...four);
    }
    return kind < 6 ? four : address;
  }),
  port: ports,
});

/** Any rules over the ports and addresses of {@linkcode packets}. */
export const captureRules: fc.Arbitrary<CaptureRules> = fc.record({
  tcpPorts: fc.array(ports, { maxLength: 14 }).map(sortedUnique),
  udpPorts: fc.array(ports, { maxLength: 14 }).map(sortedUnique),
  udpLitePorts: fc.oneof(
    fc.constant([]),
    fc.array(ports, { maxLength: 14 }).map(sortedUnique),
  ),
  remotes: fc.oneof(
    fc.constant([]),
    fc.array(remotes, { maxLength: 3 }),
    fc.array(remotes, { maxLength: 40 }),
  ),
  allTcp: fc.constantFrom(false, false, false, true),
  allUdp: fc.constantFrom(false, false, false, true),
  allUdpLite: fc.constantFrom(false, false, false, true),
  icmp: fc.boolean(),
});
