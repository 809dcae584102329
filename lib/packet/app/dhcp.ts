/**
 * DHCP, and BOOTP before it.
 *
 * Reference: RFC 951, RFC 2131 section 2, RFC 2132 (options), RFC 3396.
 *
 * ```
 *  0      1       2      3      4
 *  +------+-------+------+------+
 *  | op   | htype | hlen | hops |   0
 *  +------+-------+------+------+
 *  | transaction id             |   4
 *  +--------------+-------------+
 *  | seconds      | flags       |   8
 *  +--------------+-------------+
 *  | client, your, server and   |  12
 *  | gateway address (4 each)   |
 *  +----------------------------+
 *  | hardware address (16)      |  28
 *  +----------------------------+
 *  | server name (64)           |  44
 *  +----------------------------+
 *  | boot file (128)            | 108
 *  +----------------------------+
 *  | magic cookie 63 82 53 63   | 236
 *  +----------------------------+
 *  | options                    | 240
 *  +----------------------------+
 *
 * Option: type (1), length (1), data; 0 is padding, 255 the end, both alone.
 * ```
 *
 * @module
 */

import { ByteReader, Truncated } from "../../bytes/reader.ts";
import {
  formatHardwareAddress,
  formatIpv4,
  IPV4_ADDRESS_LENGTH,
} from "../address.ts";
import type { LayerBase, PacketCursor } from "../cursor.ts";

const KIND = "dhcp";
const FIXED_LENGTH = 236;
const HARDWARE_FIELD_LENGTH = 16;
const SERVER_NAME_LENGTH = 64;
const BOOT_FILE_LENGTH = 128;
const MAGIC_COOKIE = 0x6382_5363;
const BROADCAST_BIT = 0x8000;
const PADDING = 0;
const END = 255;

/** Options that are decoded. */
export const DhcpOptionType = {
  HOST_NAME: 12,
  REQUESTED_ADDRESS: 50,
  LEASE_TIME: 51,
  MESSAGE_TYPE: 53,
  SERVER: 54,
} as const;

/** One of the values of {@linkcode DhcpOptionType}. */
export type DhcpOptionType = typeof DhcpOptionType[keyof typeof DhcpOptionType];

const MESSAGE_TYPES = [
  "",
  "discover",
  "offer",
  "request",
  "decline",
  "ack",
  "nak",
  "release",
  "inform",
] as const;

/** An option of a DHCP message. See {@linkcode decodePacket}. */
export interface DhcpOption {
  /** IANA BOOTP Vendor Extensions and DHCP Options. */
  readonly type: number;
  /** A view on the packet. */
  readonly data: Uint8Array;
}

/** A DHCP message. See {@linkcode decodePacket}. */
export interface DhcpLayer extends LayerBase {
  /** Tells the kinds of layers apart. */
  readonly kind: "dhcp";
  /** 1 from a client, 2 from a server. */
  readonly operation: number;
  /** ARPHRD_ value, 1 for Ethernet. */
  readonly hardwareType: number;
  /** How many relays passed it on. */
  readonly hops: number;
  /** Connects the messages of a conversation. */
  readonly transactionId: number;
  /** How long the client has been trying. */
  readonly seconds: number;
  /** Whether the answer is to be broadcast. */
  readonly isBroadcast: boolean;
  /** Address that the client has. */
  readonly clientAddress: string;
  /** Address that the client gets. */
  readonly yourAddress: string;
  /** Server to go on with. */
  readonly serverAddress: string;
  /** Relay that passed the message on. */
  readonly gatewayAddress: string;
  /** Hardware address of the client. */
  readonly clientHardware: string;
  /** What the message is about, see {@linkcode formatDhcpMessageType}. */
  readonly messageType: number | undefined;
  /** Name of the client, of option 12. */
  readonly hostName: string | undefined;
  /** In the order of the message, without padding. */
  readonly options: readonly DhcpOption[];
}

/**
 * Decodes a DHCP message.
 *
 * @param cursor At its first byte.
 * @returns `undefined` when its fixed part is not whole.
 */
export function decodeDhcp(cursor: PacketCursor): DhcpLayer | undefined {
  if (!cursor.has(KIND, FIXED_LENGTH)) return undefined;
  const { bytes, offset } = cursor;
  const reader = new ByteReader(bytes, offset, cursor.end);
  const operation = reader.u8();
  const hardwareType = reader.u8();
  const hardwareLength = Math.min(reader.u8(), HARDWARE_FIELD_LENGTH);
  const fixed = {
    operation,
    hardwareType,
    hops: reader.u8(),
    transactionId: reader.u32(),
    seconds: reader.u16(),
    isBroadcast: (reader.u16() & BROADCAST_BIT) !== 0,
    clientAddress: formatIpv4(reader.take(IPV4_ADDRESS_LENGTH)),
    yourAddress: formatIpv4(reader.take(IPV4_ADDRESS_LENGTH)),
    serverAddress: formatIpv4(reader.take(IPV4_ADDRESS_LENGTH)),
    gatewayAddress: formatIpv4(reader.take(IPV4_ADDRESS_LENGTH)),
    clientHardware: formatHardwareAddress(
      reader.take(HARDWARE_FIELD_LENGTH),
      0,
      hardwareLength,
    ),
  };
  reader.skip(SERVER_NAME_LENGTH + BOOT_FILE_LENGTH);
  const options = readOptions(reader, cursor);
  const headerLength = reader.offset - offset;
  const messageType = find(options, DhcpOptionType.MESSAGE_TYPE)?.[0];
  const hostName = find(options, DhcpOptionType.HOST_NAME);
  cursor.stop();
  const layer: DhcpLayer = {
    kind: KIND,
    offset,
    headerLength,
    payloadLength: cursor.payloadLength(headerLength),
    ...fixed,
    messageType,
    hostName: hostName === undefined ? undefined : text(hostName),
    options,
  };
  cursor.offset = reader.offset;
  return layer;
}

/**
 * Name of a message type in lower case.
 *
 * @param type Value of option 53.
 * @returns For example `discover` or `type-77`.
 */
export function formatDhcpMessageType(type: number): string {
  return MESSAGE_TYPES[type] || `type-${type}`;
}

function readOptions(reader: ByteReader, cursor: PacketCursor): DhcpOption[] {
  const options: DhcpOption[] = [];
  try {
    if (reader.remaining === 0 || reader.u32() !== MAGIC_COOKIE) return options;
    while (reader.remaining > 0) {
      const type = reader.u8();
      if (type === PADDING) continue;
      if (type === END) break;
      options.push({ type, data: reader.take(reader.u8()) });
    }
  } catch (error) {
    if (!(error instanceof Truncated)) throw error;
    cursor.runOut(KIND, error.offset, error.needed);
  }
  return options;
}

function find(
  options: readonly DhcpOption[],
  type: number,
): Uint8Array | undefined {
  return options.find((option) => option.type === type)?.data;
}

/** Printable ASCII; anything else becomes a question mark. */
function text(bytes: Uint8Array): string {
  let result = "";
  for (const byte of bytes) {
    result += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
  }
  return result;
}
