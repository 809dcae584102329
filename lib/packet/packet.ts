/**
 * Decoding of whole packets.
 *
 * @module
 */

import { PacketCursor, Space } from "./cursor.ts";
import {
  type Decoder,
  ETHER_TYPE_DECODERS,
  LINK_DECODERS,
  nextDecoder,
} from "./dispatch.ts";
import { hasPorts } from "./flow_fields.ts";
import { formatIpProtocol } from "./ip_protocol.ts";
import type {
  DecodedPacket,
  Depth,
  Flow,
  Layer,
  LayerKind,
  LayerOf,
  TcpLayer,
  UdpLayer,
} from "./layer.ts";
import { decodePorts } from "./transport/ports.ts";

export type {
  DecodedPacket,
  Depth,
  Fault,
  Flow,
  Layer,
  LayerKind,
  LayerOf,
} from "./layer.ts";

/** Deeper nesting is taken for an attack on the decoder. */
const MAX_LAYERS = 32;

/**
 * What is known about a packet besides its bytes, and how far to go.
 * See {@linkcode decodePacket}.
 */
export interface DecodeOptions {
  /**
   * Bytes that the packet had before it was cut to the snapshot length. Tells
   * a packet that contradicts itself from one that was cut.
   */
  readonly originalLength?: number;
  /** Innermost kind of layer that is wanted; everything by default. */
  readonly depth?: Depth;
}

/** Spaces that are decoded for a depth. */
const SPACES: Readonly<Record<Depth, readonly Space[]>> = {
  link: [Space.LLC],
  network: [Space.LLC, Space.ETHER_TYPE],
  transport: [Space.LLC, Space.ETHER_TYPE, Space.IP_PROTOCOL, Space.QUOTE],
  application: Object.values(Space),
};

/**
 * Decodes a packet as far as possible. Never throws, whatever the bytes are.
 *
 * @param data Captured bytes.
 * @param linkType What they begin with, see {@linkcode LinkType}.
 * @param options See {@linkcode DecodeOptions}.
 * @returns The layers up to the first that is damaged or unknown.
 *
 * @example Look at the headers of a datagram
 * ```ts
 * import { decodePacket } from "./packet.ts";
 * import assert from "node:assert/strict";
 *
 * const data = new Uint8Array(28);
 * data.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17]);
 * data.set([127, 0, 0, 1, 127, 0, 0, 2], 12);
 * data.set([0x30, 0x39, 0, 53, 0, 8], 20);
 * const { layers } = decodePacket(data, 101);
 * assert.deepEqual(layers.map(({ kind }) => kind), ["ipv4", "udp"]);
 * const udp = layers.find((layer) => layer.kind === "udp")!;
 * assert.equal(udp.destinationPort, 53);
 * ```
 */
export function decodePacket(
  data: Uint8Array,
  linkType: number,
  options: DecodeOptions = {},
): DecodedPacket {
  const cursor = new PacketCursor(data, options.originalLength);
  const first = LINK_DECODERS.get(linkType);
  const layers: Layer[] = [];
  const depth = options.depth ?? "application";
  if (first !== undefined) decodeLayers(cursor, first, layers, depth);
  return {
    data,
    linkType,
    layers,
    quoted: cursor.space === Space.QUOTE && SPACES[depth].includes(Space.QUOTE)
      ? decodeQuote(cursor)
      : NO_LAYERS,
    payloadOffset: cursor.offset,
    payloadEnd: Math.max(cursor.offset, cursor.end),
    truncated: cursor.truncated,
    malformed: cursor.malformed,
  };
}

const NO_LAYERS: readonly Layer[] = [];

function decodeLayers(
  cursor: PacketCursor,
  first: Decoder,
  layers: Layer[],
  depth: Depth,
): void {
  const spaces = SPACES[depth];
  let transport: TcpLayer | UdpLayer | undefined;
  let decoder: Decoder | undefined = first;
  while (decoder !== undefined) {
    if (layers.length === MAX_LAYERS) {
      const reason = `more than ${MAX_LAYERS} headers are nested`;
      cursor.complain("packet", cursor.offset, reason);
      return;
    }
    const protocol = cursor.space === Space.IP_PROTOCOL ? cursor.code : 0;
    const layer = decoder(cursor);
    if (layer === undefined) {
      if (hasPorts(protocol)) {
        const ports = decodePorts(cursor, protocol);
        if (ports !== undefined) layers.push(ports);
      }
    } else {
      layers.push(layer);
      if (layer.kind === "tcp" || layer.kind === "udp") transport = layer;
    }
    if (!spaces.includes(cursor.space)) return;
    decoder = nextDecoder(cursor, transport);
  }
}

function decodeQuote(cursor: PacketCursor): readonly Layer[] {
  const decoder = ETHER_TYPE_DECODERS.get(cursor.code);
  if (decoder === undefined) return NO_LAYERS;
  const quote = new PacketCursor(cursor.bytes, undefined, cursor.offset);
  quote.end = cursor.end;
  quote.wireEnd = cursor.end;
  const layers: Layer[] = [];
  decodeLayers(quote, decoder, layers, "transport");
  return layers;
}

/**
 * The outermost layer of a kind.
 *
 * @typeParam K The kind.
 * @param packet A decoded packet.
 * @param kind For example `tcp`.
 * @returns `undefined` when the packet has none.
 */
export function findLayer<K extends LayerKind>(
  packet: DecodedPacket,
  kind: K,
): LayerOf<K> | undefined {
  for (const layer of packet.layers) {
    if (layer.kind === kind) return layer as LayerOf<K>;
  }
  return undefined;
}

/**
 * The captured bytes that a layer carries.
 *
 * @param packet A decoded packet.
 * @param layer One of its layers.
 * @returns A view on the packet's bytes, without padding.
 */
export function payloadOf(packet: DecodedPacket, layer: Layer): Uint8Array {
  const start = layer.offset + layer.headerLength;
  return packet.data.subarray(start, start + layer.payloadLength);
}

/**
 * The two ends of a packet: addresses of the innermost IP header and the ports
 * that follow it.
 *
 * @param packet A decoded packet.
 * @returns `undefined` when it has no IP header.
 *
 * @example Who sends to whom?
 * ```ts
 * import { decodePacket, flowOf } from "./packet.ts";
 * import assert from "node:assert/strict";
 *
 * const data = new Uint8Array(28);
 * data.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17]);
 * data.set([127, 0, 0, 1, 127, 0, 0, 2], 12);
 * data.set([0x30, 0x39, 0, 53, 0, 8], 20);
 * const flow = flowOf(decodePacket(data, 101))!;
 * assert.equal(`${flow.source}:${flow.sourcePort}`, "127.0.0.1:12345");
 * assert.equal(`${flow.destination}:${flow.destinationPort}`, "127.0.0.2:53");
 * ```
 */
export function flowOf(packet: DecodedPacket): Flow | undefined {
  return flowOfLayers(packet.layers);
}

/**
 * The two ends of the packet that an ICMP error is about.
 *
 * @param packet A decoded packet.
 * @returns `undefined` when it is not an ICMP error.
 */
export function quotedFlowOf(packet: DecodedPacket): Flow | undefined {
  return flowOfLayers(packet.quoted);
}

function flowOfLayers(layers: readonly Layer[]): Flow | undefined {
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i]!;
    if (layer.kind !== "ipv4" && layer.kind !== "ipv6") continue;
    const inner = layers[i + 1];
    const isKnown = inner?.kind === "tcp" || inner?.kind === "udp" ||
      inner?.kind === "udplite" || inner?.kind === "ports";
    return {
      protocol: formatIpProtocol(layer.protocol),
      source: layer.source,
      sourcePort: isKnown ? inner.sourcePort : undefined,
      destination: layer.destination,
      destinationPort: isKnown ? inner.destinationPort : undefined,
    };
  }
  return undefined;
}
