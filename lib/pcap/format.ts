/**
 * Constants of the classic pcap file format.
 *
 * Reference: draft-ietf-opsawg-pcap, pcap-savefile(5), the LINKTYPE_ registry
 * (draft-ietf-opsawg-pcaplinktype).
 *
 * ```
 * File header (24 bytes, byte order of the machine that wrote it)
 *  0      4      6      8         12        16       20                 24
 *  +------+------+------+---------+---------+--------+------------------+
 *  |magic |major |minor |reserved1|reserved2|snaplen |FCS,P,res,LinkType|
 *  +------+------+------+---------+---------+--------+------------------+
 *
 *  last field:  31     28 27 26 25          16 15                        0
 *              | FCS len |R |P | reserved3    | LinkType                  |
 *
 * Record header (16 bytes, same byte order), followed by the data, no padding
 *  0         4          8          12         16
 *  +---------+----------+----------+----------+----------------+
 *  | seconds | fraction | captured | original | captured bytes |
 *  +---------+----------+----------+----------+----------------+
 *
 * Modified record header (24 or 28 bytes)
 *  16        20         22         23         24                28
 *  +---------+----------+----------+----------+-----------------+
 *  | ifindex | protocol | pkt type | pad, CPU | CPU, pad (28)   |
 *  +---------+----------+----------+----------+-----------------+
 * ```
 *
 * @module
 */

/** Bytes of the file header. */
export const FILE_HEADER_LENGTH = 24;
/** Bytes of the header before each packet's data. */
export const RECORD_HEADER_LENGTH = 16;
/** Bytes of a record header as Alexey Kuznetsov's patched libpcap wrote it. */
export const MODIFIED_RECORD_HEADER_LENGTH = 24;
/** Bytes of a record header of the later `ss990915` patch, which adds CPUs. */
export const SS990915_RECORD_HEADER_LENGTH = 28;

/** Bytes of the magic number. */
export const MAGIC_LENGTH = 4;
/** Offset of the magic number in the file header. */
export const MAGIC_OFFSET = 0;
/** Offset of the 16-bit major version. */
export const VERSION_MAJOR_OFFSET = 4;
/** Offset of the 16-bit minor version. */
export const VERSION_MINOR_OFFSET = 6;
/** Offset of the 32-bit snapshot length. */
export const SNAPLEN_OFFSET = 16;
/** Offset of the 32-bit word that holds the link type and the FCS length. */
export const LINK_TYPE_OFFSET = 20;

/** Offset of the seconds since 1970 (unsigned 32 bits) in a record header. */
export const RECORD_SECONDS_OFFSET = 0;
/** Offset of the microseconds or nanoseconds in a record header. */
export const RECORD_FRACTION_OFFSET = 4;
/** Offset of the number of data bytes that follow the record header. */
export const RECORD_CAPTURED_OFFSET = 8;
/** Offset of the number of bytes that the packet had. */
export const RECORD_ORIGINAL_OFFSET = 12;

/** Version that every writer since 1998 states. */
export const VERSION_MAJOR = 2;
/** See {@linkcode VERSION_MAJOR}. */
export const VERSION_MINOR = 4;
/** Major version that DIGITAL UNIX wrote. */
export const DIGITAL_UNIX_VERSION_MAJOR = 543;
/**
 * Minor version under which some writers stored the original length before
 * the captured length; all earlier ones did.
 */
export const VERSION_MINOR_LENGTHS_UNSURE = 3;

/** Bits of {@linkcode LINK_TYPE_OFFSET} that are the link type. */
export const LINK_TYPE_MASK = 0x0000_ffff;
/** P bit of the same word: the FCS length is given. */
export const FCS_PRESENT_BIT = 0x0400_0000;
/** How far to shift that word right to get the FCS length in 16-bit units. */
export const FCS_LENGTH_SHIFT = 28;

/**
 * Largest snapshot length that capture programs use for ordinary links
 * (`MAXIMUM_SNAPLEN` of libpcap). A record may be this long even when the file
 * header states less.
 */
export const MAXIMUM_SNAPLEN = 262_144;
/**
 * Longest record that is believed, whatever the file header states: the D-Bus
 * message limit, which is the largest of any link type.
 */
export const MAXIMUM_RECORD_LENGTH = 128 * 1024 * 1024;

/** First four bytes of a file, read in the writer's byte order. */
export const Magic = {
  /** Time stamps in microseconds. */
  MICROSECONDS: 0xa1b2_c3d4,
  /** Time stamps in nanoseconds. */
  NANOSECONDS: 0xa1b2_3c4d,
  /** Patched libpcap of Alexey Kuznetsov: longer record headers. */
  KUZNETZOV: 0xa1b2_cd34,
  /** Reserved for Francisco Mesquita; the record layout was never published. */
  MESQUITA: 0xa1b2_34cd,
  /** Navtel Communications: time stamps in nanoseconds. */
  NAVTEL: 0xa12b_3c4d,
} as const;

/** One of the values of {@linkcode Magic}. */
export type Magic = typeof Magic[keyof typeof Magic];

/**
 * Block type that opens a pcapng file, the same in both byte orders
 * (draft-ietf-opsawg-pcapng, Section Header Block).
 */
export const PCAPNG_MAGIC = 0x0a0d_0d0a;

export { formatLinkType, LinkType } from "../bytes/link_type.ts";
