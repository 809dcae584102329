/**
 * What a packet printer gets and how it prints.
 *
 * @module
 */

/**
 * A captured packet with what is known about it besides its bytes.
 * See {@linkcode PacketPrinter}.
 */
export interface PrintablePacket {
  /** The captured bytes. */
  readonly data: Uint8Array;
  /** Bytes that the packet had. */
  readonly originalLength: number;
  /** Seconds since 1970. */
  readonly seconds: number;
  /** Nanoseconds after `seconds`. */
  readonly nanoseconds: number;
  /** Where the packet was seen. */
  readonly interface: {
    /** What `data` begins with, see {@linkcode LinkType}. */
    readonly linkType: number;
    /** For example `eth0`. */
    readonly name?: string | undefined;
  };
  /** Whether the packet was received or sent. */
  readonly direction?: "in" | "out" | undefined;
  /** The process whose packet it is. */
  readonly process?: PrintableProcess | undefined;
}

/** A process as it is printed: `curl.402475`. See {@linkcode PacketPrinter}. */
export interface PrintableProcess {
  /** Process id. */
  readonly pid: number;
  /** Name of the command. */
  readonly comm?: string | undefined;
}

/** How the time of a packet is printed. See {@linkcode PacketPrinter}. */
export type TimeFormat =
  /** `12:11:28.009276`: local time of day. */
  | "clock"
  /** Not at all (`-t`). */
  | "none"
  /** `1783944688.009276`: seconds since 1970 (`-tt`). */
  | "epoch"
  /** ` 00:00:00.000037`: since the packet before (`-ttt`). */
  | "delta"
  /** `2026-07-13 12:11:28.009276`: local date and time (`-tttt`). */
  | "date"
  /** ` 00:00:01.204511`: since the first packet (`-ttttt`). */
  | "elapsed";

/** Time formats by how often `-t` was given. See {@linkcode PacketPrinter}. */
export const TIME_FORMATS: readonly TimeFormat[] = [
  "clock",
  "none",
  "epoch",
  "delta",
  "date",
  "elapsed",
];

/**
 * What of a packet's bytes is printed below its line.
 * See {@linkcode PacketPrinter}.
 */
export type PayloadFormat =
  | "none"
  /** The payload of the innermost protocol as text (`-A`). */
  | "text"
  /** The frame with its link header as text (`-AA`). */
  | "text-frame"
  /** The packet without its link header in hexadecimal (`-x`). */
  | "hex"
  /** The same with its link header (`-xx`). */
  | "hex-frame"
  /** The packet without its link header in hexadecimal and text (`-X`). */
  | "hex-text"
  /** The same with its link header (`-XX`). */
  | "hex-text-frame";

/**
 * Names that are printed instead of numbers; without one, the number is.
 * See {@linkcode PacketPrinter}.
 */
export interface PrintNames {
  /** Name of a host by its IP address as text. */
  readonly host?: (address: string) => string | undefined;
  /** Name of a service by its port and protocol. */
  readonly port?: (
    port: number,
    protocol: "tcp" | "udp" | "udplite",
  ) => string | undefined;
  /** Name of an interface by its index, for cooked captures without names. */
  readonly interface?: (index: number) => string | undefined;
}

/**
 * How to print; what tcpdump's options of the same letters mean.
 * See {@linkcode PacketPrinter}.
 */
export interface PrintOptions {
  /** Time format; `clock` by default. */
  readonly time?: TimeFormat;
  /** Nine digits after the second instead of six (`--nano`). */
  readonly nanoseconds?: boolean;
  /**
   * IANA time zone, for example `UTC` or `Europe/Berlin`; the system's by
   * default.
   */
  readonly timeZone?: string | undefined;
  /** Names instead of numbers; numbers only by default (`-n`). */
  readonly names?: PrintNames | undefined;
  /** The link header too (`-e`). */
  readonly linkHeader?: boolean;
  /** Less about each packet (`-q`). */
  readonly quiet?: boolean;
  /** How much more about each packet: 0, 1 (`-v`), 2 (`-vv`), 3 (`-vvv`). */
  readonly verbosity?: number;
  /** Sequence numbers as they are, not counted from the first (`-S`). */
  readonly absoluteSequence?: boolean;
  /** The number of the packet before its line (`-#`). */
  readonly numbered?: boolean;
  /** What of the bytes is printed; `none` by default. */
  readonly payload?: PayloadFormat;
  /** Lines in color, by protocol and by trouble. */
  readonly color?: boolean;
}

/** Options with every default filled in. */
export type PrintStyle = Required<PrintOptions>;

/**
 * Fills in the defaults.
 *
 * @param options What the user chose.
 */
export function printStyle(options: PrintOptions): PrintStyle {
  return {
    time: options.time ?? "clock",
    nanoseconds: options.nanoseconds ?? false,
    timeZone: options.timeZone,
    names: options.names,
    linkHeader: options.linkHeader ?? false,
    quiet: options.quiet ?? false,
    verbosity: options.verbosity ?? 0,
    absoluteSequence: options.absoluteSequence ?? false,
    numbered: options.numbered ?? false,
    payload: options.payload ?? "none",
    color: options.color ?? false,
  };
}
