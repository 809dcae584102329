/**
 * Names and data of DNS records as tcpdump prints them.
 *
 * @module
 */

import { readUint16, readUint32 } from "../../bytes/integers.ts";
import { formatServiceKey } from "../../packet/app/dns_constants.ts";
import type {
  DnsOption,
  DnsRecord,
  DnsServiceParameter,
} from "../../packet/app/dns_records.ts";
import { formatIpv4, formatIpv6 } from "../../packet/address.ts";
import { hexDigits } from "../hex.ts";
import { printable } from "../printable.ts";

const ESCAPE_REGEXP = /\\(\d{3}|.)/g;
const COOKIE = 10;
const CLIENT_COOKIE_LENGTH = 8;
const MIN_COOKIES_LENGTH = 16;
const MAX_COOKIES_LENGTH = 40;
const OPTION_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "LLQ"],
  [2, "UL"],
  [3, "NSID"],
  [5, "DAU"],
  [6, "DHU"],
  [7, "N3U"],
  [8, "ECS"],
  [9, "EXPIRE"],
  [COOKIE, "COOKIE"],
  [11, "KEEPALIVE"],
  [12, "PADDING"],
  [13, "CHAIN"],
  [14, "KEY-TAG"],
  [16, "CLIENT-TAG"],
  [17, "SERVER-TAG"],
]);

/**
 * A name, absolute and with its bytes as they are if they can be printed.
 *
 * @param name As the decoder gives it.
 * @returns For example `www.example.com.`.
 */
export function formatDnsName(name: string): string {
  return name === "." ? name : `${unescape(name)}.`;
}

/**
 * Data of a record, with the space before them.
 *
 * @param record The record.
 * @param verbosity How often `-v` was given.
 */
export function formatDnsData(record: DnsRecord, verbosity: number): string {
  const { data } = record;
  switch (data.kind) {
    case "address":
      return ` ${data.address}`;
    case "name":
      return ` ${formatDnsName(data.name)}`;
    case "mx":
      return ` ${formatDnsName(data.exchange)} ${data.preference}`;
    case "txt":
      return data.strings.map((text) => ` "${unescape(text)}"`).join("");
    case "srv":
      return ` ${
        formatDnsName(data.target)
      }:${data.port} ${data.priority} ${data.weight}`;
    case "soa":
      return verbosity === 0
        ? ""
        : ` ${formatDnsName(data.primary)} ${
          formatDnsName(data.mailbox)
        } ${data.serial} ${data.refresh} ${data.retry} ${data.expire} ${data.minimum}`;
    case "service":
      return ` ${data.priority} ${formatDnsName(data.target)}${
        data.parameters.map(formatParameter).join("")
      }`;
    case "opt": {
      const options = data.options.map(formatOption).join(",");
      return ` UDPsize=${data.udpSize}${data.dnssecOk ? " DO" : ""}${
        options === "" ? "" : ` [${options}]`
      }`;
    }
    case "raw":
      return "";
  }
}

function unescape(text: string): string {
  return text.includes("\\")
    ? text.replaceAll(
      ESCAPE_REGEXP,
      (_, code: string) =>
        printable(code.length === 3 ? Number(code) : code.charCodeAt(0)),
    )
    : text;
}

/** Parameters of SVCB and HTTPS records (RFC 9460). */
function formatParameter({ key, value }: DnsServiceParameter): string {
  const name = formatServiceKey(key);
  switch (name) {
    case "alpn":
      return ` alpn=${[...lengthPrefixed(value)].join(",")}`;
    case "port":
      return ` port=${value.length === 2 ? readUint16(value, 0) : "?"}`;
    case "ipv4hint":
      return ` ipv4hint=${addresses(value, 4)}`;
    case "ipv6hint":
      return ` ipv6hint=${addresses(value, 16)}`;
    case "no-default-alpn":
      return " no-default-alpn";
    default:
      return ` ${name}=${hexDigits(value)}`;
  }
}

function* lengthPrefixed(bytes: Uint8Array): Generator<string> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(at + 1 + bytes[at]!, bytes.length);
    let text = "";
    for (let i = at + 1; i < end; i++) text += printable(bytes[i]!);
    yield text;
    at = end;
  }
}

function addresses(bytes: Uint8Array, length: 4 | 16): string {
  const texts: string[] = [];
  for (let at = 0; at + length <= bytes.length; at += length) {
    texts.push(length === 4 ? formatIpv4(bytes, at) : formatIpv6(bytes, at));
  }
  return texts.join(",");
}

/** Options of OPT records (IANA DNS EDNS0 Option Codes). */
function formatOption({ code, data }: DnsOption): string {
  const name = OPTION_NAMES.get(code) ?? `Opt${code}`;
  return data.length === 0 ? name : `${name} ${formatOptionData(code, data)}`;
}

function formatOptionData(code: number, data: Uint8Array): string {
  const { length } = data;
  switch (OPTION_NAMES.get(code)) {
    case "ECS":
      return formatSubnet(data);
    case "COOKIE": {
      const isValid = length === CLIENT_COOKIE_LENGTH ||
        length >= MIN_COOKIES_LENGTH && length <= MAX_COOKIES_LENGTH;
      if (!isValid) return " (invalid)";
      const client = hexDigits(data, 0, CLIENT_COOKIE_LENGTH);
      return length === CLIENT_COOKIE_LENGTH
        ? client
        : `${client} ${hexDigits(data, CLIENT_COOKIE_LENGTH)}`;
    }
    case "KEEPALIVE":
      return length === 2
        ? `${(readUint16(data, 0) / 10).toFixed(1)} sec`
        : " (invalid)";
    case "EXPIRE":
      return length === 4 ? `${readUint32(data, 0)} sec` : " (invalid)";
    case "PADDING":
      return `(${length})`;
    default:
      return hexDigits(data);
  }
}

/** Subnet of the client (RFC 7871). */
function formatSubnet(data: Uint8Array): string {
  const family = readUint16(data, 0);
  const [source, scope] = [data[2] ?? 0, data[3] ?? 0];
  const size = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (data.length < 4 || size === 0 || data.length > 4 + size) {
    return " (invalid)";
  }
  const address = new Uint8Array(size);
  address.set(data.subarray(4));
  return `${
    size === 4 ? formatIpv4(address) : formatIpv6(address)
  }/${source}/${scope}`;
}
