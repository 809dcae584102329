/**
 * The ports of all protocols that have some, in one row.
 *
 * @module
 */
import {
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  PROTOCOL_UDP_LITE,
} from "./flow_fields.ts";

const PORTS = 1 << 16;

/** Protocols with ports that are followed, in the order of the row. */
export const PORT_PROTOCOLS = [
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  PROTOCOL_UDP_LITE,
] as const;

/** Name of such a protocol. */
export type TransportName = "tcp" | "udp" | "udplite";

/** Name of one of {@linkcode PORT_PROTOCOLS}. */
export function transportName(protocol: number): TransportName {
  if (protocol === PROTOCOL_TCP) return "tcp";
  return protocol === PROTOCOL_UDP ? "udp" : "udplite";
}

/** Places of the row. */
export const PROTOCOL_PORTS: number = PORT_PROTOCOLS.length * PORTS;

/**
 * Place of a port in the row.
 *
 * @param protocol one of {@linkcode PORT_PROTOCOLS}
 * @param port 0 to 65535
 */
export function protocolPort(protocol: number, port: number): number {
  if (protocol === PROTOCOL_TCP) return port;
  return protocol === PROTOCOL_UDP ? PORTS + port : 2 * PORTS + port;
}
