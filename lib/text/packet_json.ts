/**
 * Packets as plain objects for `JSON.stringify`: one object for each packet,
 * with what is known about it, its layers with all their fields, and what was
 * wrong with it.
 *
 * ```json
 * {"number":1,"time":"2026-07-13T12:11:28.009276000Z","interface":"lo",
 *  "direction":"out","process":{"pid":402475,"comm":"curl"},
 *  "linkType":"LINUX_SLL","length":74,"captured":74,"protocol":"tcp",
 *  "source":"127.0.0.1","sourcePort":48448,
 *  "destination":"127.0.0.1","destinationPort":80,
 *  "layers":[{"kind":"ipv4","source":"127.0.0.1", …}, {"kind":"tcp", …}]}
 * ```
 *
 * Bytes are hexadecimal, 64-bit numbers are decimal texts, names of fields are
 * those of the layer types in `lib/packet/layer.ts`; fields without a value
 * are left out.
 *
 * @module
 */

import { formatLinkType, LinkType } from "../bytes/link_type.ts";
import { readUint16 } from "../bytes/integers.ts";
import { decodePacket, flowOf } from "../packet/packet.ts";
import type { DecodedPacket, Fault, Layer } from "../packet/layer.ts";
import { hexDigits } from "./hex.ts";
import type { PrintablePacket } from "./print_options.ts";

/** What JSON can hold. See {@linkcode packetToJson}. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | JsonObject;

/** An object of JSON. See {@linkcode packetToJson}. */
export interface JsonObject {
  /** Any field. */
  readonly [name: string]: JsonValue;
}

const MILLISECONDS_PER_SECOND = 1_000;
/** Most milliseconds that a `Date` takes. */
const MAX_DATE = 8.64e15;
const SLL_LENGTH = 16;
const SLL2_LENGTH = 20;
const SLL2_PACKET_TYPE = 10;
const OUTGOING = 4;
const OTHERHOST = 3;

/**
 * Makes the object of a packet. Never throws, whatever the bytes are.
 *
 * @param packet The packet; all that is known of its process is taken over.
 * @param number Its number in the capture; left out by default.
 *
 * @example Make an object of a datagram
 * ```ts
 * import { packetToJson } from "./packet_json.ts";
 * import assert from "node:assert/strict";
 *
 * const data = new Uint8Array(28);
 * data.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1]);
 * data.set([127, 0, 0, 1, 0x30, 0x39, 0x03, 0xe7, 0, 8], 16);
 * const object = packetToJson({
 *   data,
 *   originalLength: 28,
 *   seconds: 0,
 *   nanoseconds: 0,
 *   interface: { linkType: 101 },
 * });
 * assert.match(JSON.stringify(object), /"destinationPort":999/);
 * ```
 */
export function packetToJson(
  packet: PrintablePacket,
  number?: number,
): JsonObject {
  const { data, originalLength, process } = packet;
  const { linkType, name } = packet.interface;
  const decoded = decodePacket(data, linkType, { originalLength });
  return compact({
    number,
    time: isoTime(packet.seconds, packet.nanoseconds),
    interface: name,
    direction: packet.direction ?? directionOf(data, linkType),
    process: process === undefined ? undefined : compact({ ...process }),
    linkType: formatLinkType(linkType),
    length: originalLength,
    captured: data.length,
    ...flowOf(decoded),
    layers: decoded.layers.map(layerToJson),
    quoted: decoded.quoted.length === 0
      ? undefined
      : decoded.quoted.map(layerToJson),
    payload: payloadOf(decoded),
    truncated: faultToJson(decoded.truncated),
    malformed: faultToJson(decoded.malformed),
  });
}

/** ISO 8601 with nanoseconds; `undefined` beyond what a date can be. */
function isoTime(seconds: number, nanoseconds: number): string | undefined {
  const milliseconds = seconds * MILLISECONDS_PER_SECOND;
  if (!(Math.abs(milliseconds) <= MAX_DATE)) return undefined;
  const text = new Date(milliseconds).toISOString();
  return `${text.slice(0, -".000Z".length)}.${
    String(nanoseconds).padStart(9, "0")
  }Z`;
}

/** Cooked captures tell in their headers who sent a packet. */
function directionOf(
  data: Uint8Array,
  linkType: number,
): "in" | "out" | undefined {
  let packetType: number;
  if (linkType === LinkType.LINUX_SLL && data.length >= SLL_LENGTH) {
    packetType = readUint16(data, 0);
  } else if (linkType === LinkType.LINUX_SLL2 && data.length >= SLL2_LENGTH) {
    packetType = data[SLL2_PACKET_TYPE]!;
  } else return undefined;
  if (packetType === OUTGOING) return "out";
  return packetType < OTHERHOST ? "in" : undefined;
}

function layerToJson(layer: Layer): JsonObject {
  return compact({ ...layer });
}

/** Bytes after the last layer that was decoded. */
function payloadOf(packet: DecodedPacket): string | undefined {
  const { data, payloadOffset, payloadEnd } = packet;
  return payloadOffset < payloadEnd
    ? hexDigits(data, payloadOffset, payloadEnd)
    : undefined;
}

function faultToJson(fault: Fault | undefined): JsonObject | undefined {
  return fault === undefined ? undefined : compact({ ...fault });
}

/** The fields that have a value, each as JSON can hold it. */
function compact(fields: Readonly<Record<string, unknown>>): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) result[name] = toJson(value);
  }
  return result;
}

function toJson(value: unknown): JsonValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "object":
      if (value === null) return null;
      if (value instanceof Uint8Array) return hexDigits(value);
      return Array.isArray(value)
        ? value.map(toJson)
        : compact(value as Readonly<Record<string, unknown>>);
    default:
      return String(value);
  }
}
