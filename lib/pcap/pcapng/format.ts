/**
 * Constants of the pcapng file format.
 *
 * Reference: draft-ietf-opsawg-pcapng; for what it leaves to others, the
 * comments below say whose it is.
 *
 * ```
 * Block (byte order of the section)
 *  0      4        8                       length-4   length
 *  +------+--------+-----------------------+----------+
 *  | type | length | body, padded to 4     | length   |
 *  +------+--------+-----------------------+----------+
 *
 * Body of a section header      Body of an interface description
 *  8     12    14    16     24   8         10         12       16
 *  +-----+-----+-----+-------+   +---------+----------+---------+----
 *  |order|major|minor|length |   |link type| reserved | snaplen | options
 *  +-----+-----+-----+-------+   +---------+----------+---------+----
 *
 * Body of an enhanced packet
 *  8           12        16       20         24         28
 *  +-----------+---------+--------+----------+----------+------+---------+----
 *  | interface | time, upper, lower halves | captured | original | data | padding | options
 *  +-----------+---------+--------+----------+----------+------+---------+----
 *
 * Option
 *  0      2        4
 *  +------+--------+-----------------------+
 *  | code | length | value, padded to 4    |
 *  +------+--------+-----------------------+
 * ```
 *
 * @module
 */

/** Bytes of type and length before a block's body. */
export const BLOCK_HEAD_LENGTH = 8;
/** Bytes of a block without a body: type, length, and length again. */
export const BLOCK_FRAME_LENGTH = 12;
/** Offset of the length in a block. */
export const BLOCK_LENGTH_OFFSET = 4;
/** Everything begins at a multiple of so many bytes. */
export const ALIGNMENT = 4;

/** Offset of the byte-order magic in a section header. */
export const BYTE_ORDER_OFFSET = 8;
/** What stands there, in the section's byte order. */
export const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
/** Offset of the major version in a section header. */
export const SECTION_MAJOR_OFFSET = 12;
/** Offset of the minor version in a section header. */
export const SECTION_MINOR_OFFSET = 14;
/** Offset of the section's length, a signed 64-bit number. */
export const SECTION_LENGTH_OFFSET = 16;
/** Offset of the options of a section header. */
export const SECTION_OPTIONS_OFFSET = 24;
/** The one major version there is. */
export const SECTION_MAJOR = 1;
/** The one minor version that is written. */
export const SECTION_MINOR = 0;

/** Offset of the link type in an interface description. */
export const INTERFACE_LINK_TYPE_OFFSET = 8;
/** Offset of the snapshot length in an interface description. */
export const INTERFACE_SNAPLEN_OFFSET = 12;
/** Offset of the options of an interface description. */
export const INTERFACE_OPTIONS_OFFSET = 16;

/** Offset of the interface's number in an enhanced packet. */
export const PACKET_INTERFACE_OFFSET = 8;
/** Offset of the upper half of the time in both packet blocks. */
export const PACKET_TIME_UPPER_OFFSET = 12;
/** Offset of the lower half of the time in both packet blocks. */
export const PACKET_TIME_LOWER_OFFSET = 16;
/** Offset of the number of captured bytes in both packet blocks. */
export const PACKET_CAPTURED_OFFSET = 20;
/** Offset of the number of bytes that the packet had in both packet blocks. */
export const PACKET_ORIGINAL_OFFSET = 24;
/** Offset of the data in both packet blocks. */
export const PACKET_DATA_OFFSET = 28;
/** Offset of the 16-bit drop count in an obsolete packet block. */
export const OBSOLETE_DROPS_OFFSET = 10;
/** The drop count that means that it is not known. */
export const OBSOLETE_DROPS_UNKNOWN = 0xffff;

/** Offset of the number of bytes that the packet had in a simple packet. */
export const SIMPLE_ORIGINAL_OFFSET = 8;
/** Offset of the data in a simple packet. */
export const SIMPLE_DATA_OFFSET = 12;

/** Offset of the records in a name resolution block. */
export const NAMES_OFFSET = 8;

/** Offset of the interface's number in a statistics block. */
export const STATISTICS_INTERFACE_OFFSET = 8;
/** Offset of the upper half of the time in a statistics block. */
export const STATISTICS_TIME_OFFSET = 12;
/** Offset of the options of a statistics block. */
export const STATISTICS_OPTIONS_OFFSET = 20;

/** Offset of the kind of secrets in a secrets block. */
export const SECRETS_TYPE_OFFSET = 8;
/** Offset of the number of bytes of secrets. */
export const SECRETS_LENGTH_OFFSET = 12;
/** Offset of the secrets. */
export const SECRETS_DATA_OFFSET = 16;

/** Offset of the process number in a Darwin process event. */
export const PROCESS_EVENT_PID_OFFSET = 8;
/** Offset of the options of a Darwin process event. */
export const PROCESS_EVENT_OPTIONS_OFFSET = 12;

/** Offset of the private enterprise number in a custom block. */
export const CUSTOM_ENTERPRISE_OFFSET = 8;
/** Offset of what is the enterprise's own. */
export const CUSTOM_DATA_OFFSET = 12;

/**
 * Longest block that is believed: the longest record of any link type, and
 * room for options.
 */
export const MAXIMUM_BLOCK_LENGTH = 129 * 1024 * 1024;

/** Block types. See {@linkcode CaptureBlock}. */
export const BlockType = {
  /** Opens a section; the same in both byte orders. */
  SECTION_HEADER: 0x0a0d_0d0a,
  INTERFACE_DESCRIPTION: 1,
  /** Obsolete, written by early Wireshark. */
  PACKET: 2,
  SIMPLE_PACKET: 3,
  NAME_RESOLUTION: 4,
  INTERFACE_STATISTICS: 5,
  ENHANCED_PACKET: 6,
  DECRYPTION_SECRETS: 10,
  /** Custom block that may be copied to another file. */
  CUSTOM: 0x0bad,
  /** Custom block that may not. */
  CUSTOM_PRIVATE: 0x4000_0bad,
  /** Process of Apple's tcpdump; read by Wireshark 4.6 and later. */
  DARWIN_PROCESS_EVENT: 0x8000_0001,
} as const;

/** One of the values of {@linkcode BlockType}. */
export type BlockType = typeof BlockType[keyof typeof BlockType];

/** Option codes; those above `CUSTOM_TEXT` mean the same in every block. */
export const OptionCode = {
  END: 0,
  COMMENT: 1,
  CUSTOM_TEXT: 2988,
  CUSTOM_BYTES: 2989,
  CUSTOM_PRIVATE_TEXT: 19372,
  CUSTOM_PRIVATE_BYTES: 19373,
} as const;

/** Options of a section header. */
export const SectionOption = {
  HARDWARE: 2,
  OS: 3,
  APPLICATION: 4,
} as const;

/** Options of an interface description. */
export const InterfaceOption = {
  NAME: 2,
  DESCRIPTION: 3,
  IPV4_ADDRESS: 4,
  IPV6_ADDRESS: 5,
  MAC_ADDRESS: 6,
  EUI_ADDRESS: 7,
  SPEED: 8,
  /** One byte: the exponent of 10, or with the high bit of 2, negated. */
  TIME_RESOLUTION: 9,
  TIME_ZONE: 10,
  /** First byte 0, then the text of the filter; or 1, then its program. */
  FILTER: 11,
  OS: 12,
  FCS_LENGTH: 13,
  /** Seconds to add to each time, a signed 64-bit number. */
  TIME_OFFSET: 14,
  HARDWARE: 15,
  SENDING_SPEED: 16,
  RECEIVING_SPEED: 17,
  TIME_ZONE_NAME: 18,
} as const;

/** Options of an enhanced packet. */
export const PacketOption = {
  /** See {@linkcode PacketFlag}. */
  FLAGS: 2,
  HASH: 3,
  DROP_COUNT: 4,
  PACKET_ID: 5,
  QUEUE: 6,
  VERDICT: 7,
  /** Process and thread number, 32 bits each. */
  PROCESS_THREAD: 8,
  /** Which process event, counted from 0 in the section (Apple). */
  DARWIN_PROCESS: 0x8001,
  /** Service class (Apple). */
  DARWIN_SERVICE_CLASS: 0x8002,
  /** Like `DARWIN_PROCESS`: on whose behalf (Apple). */
  DARWIN_EFFECTIVE_PROCESS: 0x8003,
} as const;

/** Bits of a packet's flags. */
export const PacketFlag = {
  /** The two bits of the direction. */
  DIRECTION_MASK: 0x3,
  INBOUND: 0x1,
  OUTBOUND: 0x2,
  UNICAST: 0x4,
  MULTICAST: 0x8,
  BROADCAST: 0xc,
  PROMISCUOUS: 0x10,
} as const;

/** Options of a statistics block, 64 bits each. */
export const StatisticsOption = {
  START_TIME: 2,
  END_TIME: 3,
  RECEIVED: 4,
  INTERFACE_DROPS: 5,
  FILTER_ACCEPTED: 6,
  SYSTEM_DROPS: 7,
  DELIVERED: 8,
} as const;

/** Kinds of records in a name resolution block. */
export const NameRecord = {
  END: 0,
  IPV4: 1,
  IPV6: 2,
} as const;

/** Kinds of secrets. */
export const SecretsType = {
  /** Lines of NSS key log format (`SSLKEYLOGFILE`). */
  TLS_KEY_LOG: 0x544c_534b,
} as const;

/** Options of a Darwin process event. */
export const ProcessEventOption = {
  /** Name of the command. */
  NAME: 2,
  UUID: 4,
} as const;

/**
 * Private enterprise number of Wireshark, under which its custom blocks about
 * processes stand; these are little-endian in every section.
 */
export const WIRESHARK_ENTERPRISE = 32622;
/** What says in such a block that it is about a process. */
export const PROCESS_ENTRY_TYPE = 3;

/** Options of Wireshark's process block. */
export const ProcessOption = {
  NAME: 2,
  PATH: 3,
  /** Arguments, each with a NUL after it. */
  COMMAND_LINE: 4,
  PARENT: 5,
  USER_ID: 6,
  USER_NAME: 7,
  UUID: 8,
  START_TIME: 9,
} as const;

/** Rounds a length up to where the next thing may begin. */
export function padded(length: number): number {
  return (length + ALIGNMENT - 1) & -ALIGNMENT;
}
