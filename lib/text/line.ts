/**
 * The line that is being printed, and the bytes that it is about.
 *
 * Printers read the packet's bytes through it and append to its text. Reading
 * past what was captured ends the line: whatever is known of a header that was
 * cut stands before the mark, as in `IP 192.0.2.1 > 192.0.2.2: [|icmp]`. That
 * is why lines are not made from decoded layers, which only exist whole; also,
 * making the objects takes longer than printing.
 *
 * @module
 */

import { readUint16, readUint32 } from "../bytes/integers.ts";
import { Truncated } from "../bytes/reader.ts";
import { formatHardwareAddress } from "../packet/address.ts";
import { AddressTexts } from "./address_texts.ts";
import { formatHex } from "./dump.ts";
import {
  type PrintOptions,
  type PrintStyle,
  printStyle,
} from "./print_options.ts";
import { TcpConnections } from "./tcp_connections.ts";

/** What a line is about, for its color. */
export type Subject =
  | "other"
  | "arp"
  | "icmp"
  | "icmp-error"
  | "tcp"
  | "tcp-open"
  | "tcp-reset"
  | "tcp-disorder"
  | "udp"
  | "dns"
  | "http"
  | "tls"
  | "quic";

const NO_BYTES = new Uint8Array(0);

/** Text of one packet while it grows, with what all lines share. */
export class Line {
  /** How to print. */
  readonly style: PrintStyle;
  /** Texts of addresses. */
  readonly addresses: AddressTexts;
  /** TCP connections of the packets before. */
  readonly connections: TcpConnections = new TcpConnections();
  /** What is printed so far. */
  text = "";
  /** The packet. */
  bytes: Uint8Array = NO_BYTES;
  /** Offset after the last captured byte of the current layer. */
  end = 0;
  /** Name of the current layer, for when it is cut. */
  protocol = "";
  /** Bytes of the link header. */
  linkLength = 0;
  /** Where the payload of the innermost known protocol begins. */
  payloadAt = 0;
  /** Offset after its last captured byte. */
  payloadEnd = 0;
  /** What the line is about. */
  subject: Subject = "other";
  /** How many headers the current one is nested in. */
  depth = 0;

  /**
   * Makes a line to be used for one packet after the other.
   *
   * @param options How to print.
   */
  constructor(options: PrintOptions) {
    this.style = printStyle(options);
    this.addresses = new AddressTexts(options.names?.host);
  }

  /**
   * Begins with a packet.
   *
   * @param bytes The captured bytes.
   */
  begin(bytes: Uint8Array): void {
    this.text = "";
    this.bytes = bytes;
    this.end = bytes.length;
    this.protocol = "";
    this.linkLength = 0;
    this.payloadAt = bytes.length;
    this.payloadEnd = bytes.length;
    this.subject = "other";
    this.depth = 0;
  }

  /**
   * Tells whether bytes were captured.
   *
   * @param at Where they begin.
   * @param length How many.
   */
  has(at: number, length: number): boolean {
    return at + length <= this.end;
  }

  /**
   * Ends the line unless bytes were captured.
   *
   * @param at Where they begin.
   * @param length How many.
   * @throws {Truncated} When they were not.
   */
  need(at: number, length: number): void {
    if (at + length > this.end) {
      throw new Truncated(at, length, Math.max(0, this.end - at));
    }
  }

  /**
   * An unsigned 8-bit number.
   *
   * @throws {Truncated} When it was not captured.
   */
  u8(at: number): number {
    this.need(at, 1);
    return this.bytes[at]!;
  }

  /**
   * An unsigned 16-bit number in network order.
   *
   * @throws {Truncated} When it was not captured.
   */
  u16(at: number): number {
    this.need(at, 2);
    return readUint16(this.bytes, at);
  }

  /**
   * An unsigned 32-bit number in network order.
   *
   * @throws {Truncated} When it was not captured.
   */
  u32(at: number): number {
    this.need(at, 4);
    return readUint32(this.bytes, at);
  }

  /**
   * Text of an IPv4 address.
   *
   * @throws {Truncated} When it was not captured.
   */
  ipv4(at: number): string {
    this.need(at, 4);
    return this.addresses.ipv4(this.bytes, at);
  }

  /**
   * Text of an IPv6 address.
   *
   * @throws {Truncated} When it was not captured.
   */
  ipv6(at: number): string {
    this.need(at, 16);
    return this.addresses.ipv6(this.bytes, at);
  }

  /**
   * Text of a hardware address.
   *
   * @throws {Truncated} When it was not captured.
   */
  hardware(at: number, length = 6): string {
    this.need(at, length);
    return formatHardwareAddress(this.bytes, at, length);
  }

  /** Says that the current layer was cut, and goes on. */
  cut(): void {
    this.text += ` [|${this.protocol}]`;
  }

  /**
   * Prints the bytes of a protocol that is not known, unless bytes are printed
   * anyway.
   *
   * @param at Where they begin.
   */
  dump(at: number): void {
    const { payload, quiet } = this.style;
    if (payload !== "none" || quiet) return;
    this.text += formatHex(this.bytes, at, this.end, true);
  }

  /**
   * Ends what was captured of the current layer.
   *
   * @param end Offset after its last byte.
   * @returns The end before, to be set again after the layer.
   */
  narrow(end: number): number {
    const before = this.end;
    if (end < before) this.end = end;
    return before;
  }
}
