/**
 * Numbers of the Domain Name System and their names.
 *
 * Reference: IANA Domain Name System (DNS) Parameters.
 *
 * @module
 */

/** Record types with a name. */
export const DnsType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  LOC: 29,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  TLSA: 52,
  SVCB: 64,
  HTTPS: 65,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

/** One of the values of {@linkcode DnsType}. */
export type DnsType = typeof DnsType[keyof typeof DnsType];

/** Classes with a name. */
export const DnsClass = {
  IN: 1,
  CH: 3,
  HS: 4,
  NONE: 254,
  ANY: 255,
} as const;

/** One of the values of {@linkcode DnsClass}. */
export type DnsClass = typeof DnsClass[keyof typeof DnsClass];

/** Response codes with a name. */
export const DnsResponseCode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADCOOKIE: 23,
} as const;

/** One of the values of {@linkcode DnsResponseCode}. */
export type DnsResponseCode =
  typeof DnsResponseCode[keyof typeof DnsResponseCode];

/** Operation codes with a name. */
export const DnsOpcode = {
  QUERY: 0,
  IQUERY: 1,
  STATUS: 2,
  NOTIFY: 4,
  UPDATE: 5,
  DSO: 6,
} as const;

/** One of the values of {@linkcode DnsOpcode}. */
export type DnsOpcode = typeof DnsOpcode[keyof typeof DnsOpcode];

/** Keys of service parameters with a name (RFC 9460 section 14.3.2). */
const SERVICE_KEYS: readonly string[] = [
  "mandatory",
  "alpn",
  "no-default-alpn",
  "port",
  "ipv4hint",
  "ech",
  "ipv6hint",
];

/**
 * Name of a record type; unknown ones as RFC 3597 writes them.
 *
 * @param type Record type.
 * @returns For example `AAAA` or `TYPE1234`.
 */
export function formatDnsType(type: number): string {
  return nameIn(DnsType, type) ?? `TYPE${type}`;
}

/**
 * Name of a class; unknown ones as RFC 3597 writes them.
 *
 * @param value Class.
 * @returns For example `IN` or `CLASS1234`.
 */
export function formatDnsClass(value: number): string {
  return nameIn(DnsClass, value) ?? `CLASS${value}`;
}

/**
 * Name of a response code.
 *
 * @param code Response code, with the bits of an OPT record if there are any.
 * @returns For example `NXDOMAIN` or `RCODE12`.
 */
export function formatDnsResponseCode(code: number): string {
  return nameIn(DnsResponseCode, code) ?? `RCODE${code}`;
}

/**
 * Name of an operation code.
 *
 * @param opcode Operation code.
 * @returns For example `QUERY` or `OPCODE9`.
 */
export function formatDnsOpcode(opcode: number): string {
  return nameIn(DnsOpcode, opcode) ?? `OPCODE${opcode}`;
}

/**
 * Name of a service parameter's key (RFC 9460).
 *
 * @param key Key of a parameter of an SVCB or HTTPS record.
 * @returns For example `alpn` or `key667`.
 */
export function formatServiceKey(key: number): string {
  return SERVICE_KEYS[key] ?? `key${key}`;
}

function nameIn(
  table: Readonly<Record<string, number>>,
  value: number,
): string | undefined {
  for (const name in table) if (table[name] === value) return name;
  return undefined;
}
