/**
 * IPv4: `IP 192.0.2.1 > 192.0.2.2: …`, and with `-v` the header's fields.
 *
 * The layout is drawn in `lib/packet/net/ipv4.ts`.
 *
 * @module
 */

import { internetChecksum } from "../bytes/checksum.ts";
import { hasPorts } from "../packet/flow_fields.ts";
import { Ipv4OptionType } from "../packet/net/ipv4_options.ts";
import { shouldBe } from "./checksum_text.ts";
import { type FlagTable, formatFlags } from "./flag_names.ts";
import { printIpPayload } from "./ip_payload.ts";
import { ipProtocolName } from "./ip_protocol_names.ts";
import { printIpv4Options } from "./ipv4_options_line.ts";
import type { Line } from "./line.ts";

const HEADER_LENGTH = 20;
const TRAFFIC_CLASS = 1;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FRAGMENT = 6;
const TTL = 8;
const PROTOCOL = 9;
const CHECKSUM = 10;
const SOURCE = 12;
const DESTINATION = 16;

const ECN_MASK = 3;
const ECN_TEXTS = ["", ",ECT(1)", ",ECT(0)", ",CE"] as const;
const MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;
const OFFSET_UNIT = 8;
const FLAGS: FlagTable = [
  [0x2000, "+"],
  [0x4000, "DF"],
  [0x8000, "rsvd"],
];

const SOURCE_ROUTES: readonly number[] = [
  Ipv4OptionType.STRICT_SOURCE_ROUTE,
  Ipv4OptionType.LOOSE_SOURCE_ROUTE,
];
/** Type, length, pointer and one address. */
const MIN_ROUTE_LENGTH = 7;

/**
 * Prints an IPv4 packet.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes that are there for it.
 */
export function printIpv4(line: Line, at: number, length: number): void {
  const { style } = line;
  line.protocol = "ip";
  const version = line.u8(at) >>> 4;
  if (version !== 4) {
    line.text += version === 6
      ? "IP6, wrong link-layer encapsulation (invalid)"
      : `IP${version} (invalid)`;
    return;
  }
  if (!style.linkHeader) line.text += "IP ";
  if (!line.has(at, HEADER_LENGTH)) return line.cut();
  if (length < HEADER_LENGTH) {
    line.text += `truncated-ip ${length}`;
    return;
  }
  const headerLength = (line.u8(at) & 15) * 4;
  if (headerLength < HEADER_LENGTH) {
    line.text += `bad-hlen ${headerLength}`;
    return;
  }
  let total = line.u16(at + TOTAL_LENGTH);
  if (length < total) {
    line.text += `truncated-ip - ${total - length} bytes missing! `;
  }
  if (total < headerLength) {
    if (total !== 0) {
      line.text += `bad-len ${total}`;
      return;
    }
    // The network card has yet to cut the packet into segments.
    total = length;
  }
  const end = line.narrow(at + total);
  if (style.verbosity === 0 || printHeader(line, at, headerLength)) {
    printPayload(line, at, headerLength, total - headerLength);
  }
  line.end = end;
}

function printPayload(
  line: Line,
  at: number,
  headerLength: number,
  length: number,
): void {
  const protocol = line.u8(at + PROTOCOL);
  const fragment = line.u16(at + FRAGMENT);
  if ((fragment & OFFSET_MASK) !== 0) {
    line.text += `${addresses(line, at)}: ip-proto-${protocol}`;
    line.payloadAt = at + headerLength;
    line.payloadEnd = line.end;
    return;
  }
  if (!hasPorts(protocol)) line.text += `${addresses(line, at)}: `;
  if (!line.has(at, headerLength)) {
    line.text += ` [remaining caplen(${
      line.end - at
    }) < header length(${headerLength})]`;
    line.need(at, headerLength);
  }
  printIpPayload(
    line,
    {
      at,
      protocol,
      destination: finalDestination(line, at, headerLength),
      isFragment: (fragment & MORE_FRAGMENTS) !== 0,
    },
    protocol,
    at + headerLength,
    length,
  );
}

/** Where the last address of a source route begins, or the destination. */
function finalDestination(
  line: Line,
  at: number,
  headerLength: number,
): number {
  let option = at + HEADER_LENGTH;
  const end = at + headerLength;
  while (option + 1 < end) {
    const type = line.u8(option);
    if (type === Ipv4OptionType.END) break;
    const length = type === Ipv4OptionType.NOP ? 1 : line.u8(option + 1);
    if (length < 2 && type !== Ipv4OptionType.NOP || option + length > end) {
      break;
    }
    if (SOURCE_ROUTES.includes(type) && length >= MIN_ROUTE_LENGTH) {
      return option + length - 4;
    }
    option += length;
  }
  return at + DESTINATION;
}

function addresses(line: Line, at: number): string {
  return `${line.ipv4(at + SOURCE)} > ${line.ipv4(at + DESTINATION)}`;
}

/** Prints the fields of the header; false when it was cut. */
function printHeader(line: Line, at: number, headerLength: number): boolean {
  const trafficClass = line.u8(at + TRAFFIC_CLASS);
  const ttl = line.u8(at + TTL);
  const fragment = line.u16(at + FRAGMENT);
  const protocol = line.u8(at + PROTOCOL);
  line.text +=
    `(tos 0x${trafficClass.toString(16)}${ECN_TEXTS[trafficClass & ECN_MASK]}${
      ttl > 0 ? `, ttl ${ttl}` : ""
    }, id ${line.u16(at + IDENTIFICATION)}` +
    `, offset ${(fragment & OFFSET_MASK) * OFFSET_UNIT}` +
    `, flags [${formatFlags(FLAGS, fragment)}], proto ${
      ipProtocolName(protocol)
    } (${protocol}), length ${line.u16(at + TOTAL_LENGTH)}`;
  let isWhole = true;
  if (headerLength > HEADER_LENGTH) {
    line.text += ", options (";
    const options = at + HEADER_LENGTH;
    isWhole = printIpv4Options(line, options, at + headerLength);
    line.text += isWhole ? ")" : " [truncated-option])";
  }
  if (line.has(at, headerLength)) {
    const sum = internetChecksum(line.bytes, at, at + headerLength);
    if (sum !== 0) {
      const stated = line.u16(at + CHECKSUM);
      line.text += `, bad cksum ${stated.toString(16)} (->${
        shouldBe(stated, sum).toString(16)
      })!`;
    }
  }
  line.text += ")\n    ";
  if (!isWhole) {
    line.text += `${addresses(line, at)}: `;
    line.cut();
  }
  return isWhole;
}
