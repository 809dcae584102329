/**
 * Resource records of DNS messages.
 *
 * Reference: RFC 1035 sections 3.2.1 and 3.3, RFC 3596 (AAAA), RFC 2782 (SRV),
 * RFC 6672 (DNAME), RFC 6891 (OPT), RFC 9460 (SVCB and HTTPS).
 *
 * ```
 *  +------+----------+----------+----------+------------+------+
 *  | name | type (2) |class (2) | TTL (4)  | length (2) | data |
 *  +------+----------+----------+----------+------------+------+
 *
 *  OPT: class = size of UDP messages that the sender takes
 *       TTL   = | extended rcode (8) | version (8) |DO| zero (15) |
 * ```
 *
 * @module
 */

import { ByteReader, Truncated } from "../../bytes/reader.ts";
import {
  formatIpv4,
  formatIpv6,
  IPV4_ADDRESS_LENGTH,
  IPV6_ADDRESS_LENGTH,
} from "../address.ts";
import { DnsType } from "./dns_constants.ts";
import { escapeLabel, MalformedDns, readName } from "./dns_name.ts";

const EXTENDED_CODE_SHIFT = 24;
const VERSION_SHIFT = 16;
const VERSION_MASK = 0xff;
const DNSSEC_OK_BIT = 0x8000;

/** An option of an OPT record. See {@linkcode decodePacket}. */
export interface DnsOption {
  /** IANA DNS EDNS0 option code. */
  readonly code: number;
  /** A view on the packet. */
  readonly data: Uint8Array;
}

/** A parameter of an SVCB or HTTPS record. See {@linkcode decodePacket}. */
export interface DnsServiceParameter {
  /** See {@linkcode formatServiceKey}. */
  readonly key: number;
  /** A view on the packet. */
  readonly value: Uint8Array;
}

/**
 * Data of a record, in the shape that its type has.
 * See {@linkcode decodePacket}.
 */
export type DnsData =
  /** A and AAAA. */
  | { readonly kind: "address"; readonly address: string }
  /** CNAME, DNAME, NS and PTR. */
  | { readonly kind: "name"; readonly name: string }
  | {
    readonly kind: "mx";
    readonly preference: number;
    readonly exchange: string;
  }
  /** Each string escaped like a label. */
  | { readonly kind: "txt"; readonly strings: readonly string[] }
  | {
    readonly kind: "srv";
    readonly priority: number;
    readonly weight: number;
    readonly port: number;
    readonly target: string;
  }
  /** Times in seconds. */
  | {
    readonly kind: "soa";
    readonly primary: string;
    readonly mailbox: string;
    readonly serial: number;
    readonly refresh: number;
    readonly retry: number;
    readonly expire: number;
    readonly minimum: number;
  }
  /** SVCB and HTTPS; priority 0 is an alias. */
  | {
    readonly kind: "service";
    readonly priority: number;
    readonly target: string;
    readonly parameters: readonly DnsServiceParameter[];
  }
  | {
    readonly kind: "opt";
    /** Largest UDP message that the sender takes, in bytes. */
    readonly udpSize: number;
    /** High 8 bits of the 12-bit response code. */
    readonly extendedCode: number;
    readonly version: number;
    readonly dnssecOk: boolean;
    readonly options: readonly DnsOption[];
  }
  /** Other types, and data that contradict their type. */
  | { readonly kind: "raw"; readonly data: Uint8Array };

/** A resource record. See {@linkcode decodePacket}. */
export interface DnsRecord {
  /** Owner of the record, see {@linkcode readName}. */
  readonly name: string;
  /** See {@linkcode DnsType}; other types occur too. */
  readonly type: number;
  /** See {@linkcode DnsClass}. Multicast DNS uses the high bit as a flag. */
  readonly class: number;
  /** Seconds that the record may be kept. */
  readonly ttl: number;
  /** What the record says, in the shape of its type. */
  readonly data: DnsData;
}

/**
 * Reads a record and moves the reader after it.
 *
 * @param reader At the record's name.
 * @param messageStart Offset that name pointers count from.
 * @param complain Called when the data contradict the type; they are then
 *   given raw.
 * @throws {Truncated} When the record is not whole.
 * @throws {MalformedDns} When its name cannot be valid.
 */
export function readRecord(
  reader: ByteReader,
  messageStart: number,
  complain: (offset: number, reason: string) => void,
): DnsRecord {
  const name = readName(reader, messageStart);
  const type = reader.u16();
  const recordClass = reader.u16();
  const ttl = reader.u32();
  const length = reader.u16();
  const start = reader.offset;
  reader.skip(length);
  const end = reader.offset;
  const inner = new ByteReader(reader.bytes, start, end);
  let data: DnsData | undefined;
  try {
    data = type === DnsType.OPT
      ? readOpt(inner, recordClass, ttl)
      : readData(inner, type, messageStart);
    // Bytes after the last field mean that this is not what it seems.
    if (inner.remaining > 0) data = undefined;
  } catch (error) {
    if (!(error instanceof Truncated || error instanceof MalformedDns)) {
      throw error;
    }
  }
  if (data === undefined) {
    complain(start, `data of record type ${type} cannot be decoded`);
    data = { kind: "raw", data: reader.bytes.subarray(start, end) };
  }
  return { name, type, class: recordClass, ttl, data };
}

function readData(
  reader: ByteReader,
  type: number,
  messageStart: number,
): DnsData {
  switch (type) {
    case DnsType.A: {
      const address = formatIpv4(reader.take(IPV4_ADDRESS_LENGTH));
      return { kind: "address", address };
    }
    case DnsType.AAAA: {
      const address = formatIpv6(reader.take(IPV6_ADDRESS_LENGTH));
      return { kind: "address", address };
    }
    case DnsType.CNAME:
    case DnsType.DNAME:
    case DnsType.NS:
    case DnsType.PTR:
      return { kind: "name", name: readName(reader, messageStart) };
    case DnsType.MX:
      return {
        kind: "mx",
        preference: reader.u16(),
        exchange: readName(reader, messageStart),
      };
    case DnsType.TXT: {
      const strings: string[] = [];
      while (reader.remaining > 0) {
        strings.push(escapeLabel(reader.take(reader.u8())));
      }
      return { kind: "txt", strings };
    }
    case DnsType.SRV:
      return {
        kind: "srv",
        priority: reader.u16(),
        weight: reader.u16(),
        port: reader.u16(),
        target: readName(reader, messageStart),
      };
    case DnsType.SOA:
      return {
        kind: "soa",
        primary: readName(reader, messageStart),
        mailbox: readName(reader, messageStart),
        serial: reader.u32(),
        refresh: reader.u32(),
        retry: reader.u32(),
        expire: reader.u32(),
        minimum: reader.u32(),
      };
    case DnsType.SVCB:
    case DnsType.HTTPS:
      return readService(reader, messageStart);
    default:
      return { kind: "raw", data: reader.take(reader.remaining) };
  }
}

function readService(reader: ByteReader, messageStart: number): DnsData {
  const priority = reader.u16();
  const target = readName(reader, messageStart);
  const parameters: DnsServiceParameter[] = [];
  while (reader.remaining > 0) {
    const key = reader.u16();
    parameters.push({ key, value: reader.take(reader.u16()) });
  }
  return { kind: "service", priority, target, parameters };
}

function readOpt(reader: ByteReader, udpSize: number, ttl: number): DnsData {
  const options: DnsOption[] = [];
  while (reader.remaining > 0) {
    const code = reader.u16();
    options.push({ code, data: reader.take(reader.u16()) });
  }
  return {
    kind: "opt",
    udpSize,
    extendedCode: ttl >>> EXTENDED_CODE_SHIFT,
    version: (ttl >>> VERSION_SHIFT) & VERSION_MASK,
    dnssecOk: (ttl & DNSSEC_OK_BIT) !== 0,
    options,
  };
}
