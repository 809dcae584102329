/**
 * TCP options.
 *
 * Reference: RFC 9293 section 3.2 (MSS), RFC 7323 (window scale, timestamps),
 * RFC 2018 (SACK), RFC 7413 (fast open), IANA TCP Option Kind Numbers.
 *
 * ```
 *  0        1        2
 *  +--------+--------+-----------+
 *  | kind   | length | data      |     length counts kind and length
 *  +--------+--------+-----------+
 *  | 0 or 1 |  end of options, no operation: one byte
 *  +--------+
 * ```
 *
 * @module
 */

import { readUint16, readUint32 } from "../../bytes/integers.ts";

/** Option kinds that are decoded. */
export const TcpOptionKind = {
  END: 0,
  NOP: 1,
  MSS: 2,
  WINDOW_SCALE: 3,
  SACK_PERMITTED: 4,
  SACK: 5,
  TIMESTAMPS: 8,
  FAST_OPEN: 34,
  /** Shared by experiments, whose first two bytes tell which (RFC 6994). */
  EXPERIMENT: 254,
} as const;

/** One of the values of {@linkcode TcpOptionKind}. */
export type TcpOptionKind = typeof TcpOptionKind[keyof typeof TcpOptionKind];

const HEADER_LENGTH = 2;
const MSS_LENGTH = 4;
const WINDOW_SCALE_LENGTH = 3;
const SACK_PERMITTED_LENGTH = 2;
const SACK_BLOCK_LENGTH = 8;
const TIMESTAMPS_LENGTH = 10;
const EXPERIMENT_LENGTH = 2;
/** Fast open before it had a kind of its own (RFC 7413 section 4.1.1). */
const FAST_OPEN_EXPERIMENT = 0xf989;

/**
 * A range of received bytes, the right edge not included.
 * See {@linkcode decodePacket}.
 */
export interface SackBlock {
  /** Sequence number of the first byte. */
  readonly left: number;
  /** Sequence number after the last byte. */
  readonly right: number;
}

/**
 * A TCP option. An option of a known kind whose length is not what its RFC
 * says is given as `unknown`; `damaged` is where the options stop making
 * sense.
 *
 * See {@linkcode decodePacket}.
 */
export type TcpOption =
  | { readonly type: "end" }
  | { readonly type: "nop" }
  | { readonly type: "mss"; readonly value: number }
  | { readonly type: "windowScale"; readonly shift: number }
  | { readonly type: "sackPermitted" }
  | { readonly type: "sack"; readonly blocks: readonly SackBlock[] }
  | {
    readonly type: "timestamps";
    readonly value: number;
    readonly echoReply: number;
  }
  | {
    readonly type: "fastOpen";
    /** Empty: a request for a cookie. */
    readonly cookie: Uint8Array;
    /** The old form, kind 254. */
    readonly isExperiment: boolean;
  }
  | {
    readonly type: "unknown";
    readonly kind: number;
    readonly data: Uint8Array;
  }
  | { readonly type: "damaged"; readonly kind: number };

const END: TcpOption = Object.freeze({ type: "end" });
const NOP: TcpOption = Object.freeze({ type: "nop" });
const SACK_PERMITTED: TcpOption = Object.freeze({ type: "sackPermitted" });

/**
 * Decodes options up to the end-of-options mark, the end of the area or the
 * first option that does not fit.
 *
 * @param bytes The packet.
 * @param start Offset of the first option.
 * @param end Offset after the last captured byte of the option area.
 */
export function decodeTcpOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
): TcpOption[] {
  const options: TcpOption[] = [];
  let at = start;
  while (at < end) {
    const kind = bytes[at]!;
    if (kind === TcpOptionKind.NOP) {
      options.push(NOP);
      at++;
      continue;
    }
    if (kind === TcpOptionKind.END) {
      options.push(END);
      break;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < HEADER_LENGTH || at + length > end) {
      options.push({ type: "damaged", kind });
      break;
    }
    options.push(decodeOption(bytes, at, kind, length));
    at += length;
  }
  return options;
}

function decodeOption(
  bytes: Uint8Array,
  at: number,
  kind: number,
  length: number,
): TcpOption {
  const data = at + HEADER_LENGTH;
  if (kind === TcpOptionKind.TIMESTAMPS && length === TIMESTAMPS_LENGTH) {
    return {
      type: "timestamps",
      value: readUint32(bytes, data),
      echoReply: readUint32(bytes, data + 4),
    };
  }
  if (kind === TcpOptionKind.SACK && isSackLength(length)) {
    const blocks: SackBlock[] = [];
    for (let block = data; block < at + length; block += SACK_BLOCK_LENGTH) {
      blocks.push({
        left: readUint32(bytes, block),
        right: readUint32(bytes, block + 4),
      });
    }
    return { type: "sack", blocks };
  }
  if (kind === TcpOptionKind.MSS && length === MSS_LENGTH) {
    return { type: "mss", value: readUint16(bytes, data) };
  }
  if (kind === TcpOptionKind.WINDOW_SCALE && length === WINDOW_SCALE_LENGTH) {
    return { type: "windowScale", shift: bytes[data]! };
  }
  if (
    kind === TcpOptionKind.SACK_PERMITTED && length === SACK_PERMITTED_LENGTH
  ) return SACK_PERMITTED;
  if (kind === TcpOptionKind.FAST_OPEN) {
    const cookie = bytes.subarray(data, at + length);
    return { type: "fastOpen", cookie, isExperiment: false };
  }
  if (
    kind === TcpOptionKind.EXPERIMENT &&
    length >= HEADER_LENGTH + EXPERIMENT_LENGTH &&
    readUint16(bytes, data) === FAST_OPEN_EXPERIMENT
  ) {
    const cookie = bytes.subarray(data + EXPERIMENT_LENGTH, at + length);
    return { type: "fastOpen", cookie, isExperiment: true };
  }
  return { type: "unknown", kind, data: bytes.subarray(data, at + length) };
}

function isSackLength(length: number): boolean {
  return length > HEADER_LENGTH &&
    (length - HEADER_LENGTH) % SACK_BLOCK_LENGTH === 0;
}

/**
 * An option as tcpdump prints it.
 *
 * @param option A decoded option.
 * @returns For example `mss 1460`, `TS val 1 ecr 2`, `unknown-253 0x0102`.
 */
export function formatTcpOption(option: TcpOption): string {
  switch (option.type) {
    case "end":
      return "eol";
    case "nop":
      return "nop";
    case "mss":
      return `mss ${option.value}`;
    case "windowScale":
      return `wscale ${option.shift}`;
    case "sackPermitted":
      return "sackOK";
    case "sack":
      return `sack ${option.blocks.length} ${
        option.blocks.map(({ left, right }) => `{${left}:${right}}`).join("")
      }`;
    case "timestamps":
      return `TS val ${option.value} ecr ${option.echoReply}`;
    case "fastOpen": {
      const name = option.isExperiment ? "exp-tfo" : "tfo";
      return option.cookie.length === 0
        ? `${name} cookiereq`
        : `${name} cookie ${toHex(option.cookie)}`;
    }
    case "unknown":
      return option.data.length === 0
        ? `unknown-${option.kind}`
        : `unknown-${option.kind} 0x${toHex(option.data)}`;
    case "damaged":
      return `damaged-${option.kind}`;
  }
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
