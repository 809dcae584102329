/**
 * Packets as lines in tcpdump's shape.
 *
 * ```
 * 12:11:28.009276 lo    Out curl.402475 IP 127.0.0.1.48448 > 127.0.0.1.80: …
 * time            interface  process    what `tcpdump -n` prints
 *                 and direction
 * ```
 *
 * Interface and direction stand where `tcpdump -i any` has them: always with
 * cooked captures of version 2, otherwise when interface or process is known
 * and the capture is cooked. The process follows. Without these three, lines
 * are those of `tcpdump -n`, with a few additions that `docs/printing.md`
 * lists.
 *
 * @module
 */

import { LinkType } from "../bytes/link_type.ts";
import { Truncated } from "../bytes/reader.ts";
import { formatPacketType } from "../packet/link/sll.ts";
import { Clock } from "./clock.ts";
import { formatHex, formatText } from "./dump.ts";
import { Line } from "./line.ts";
import {
  printEthernet,
  printNull,
  printRaw,
  printSll,
  printSll2,
} from "./link_lines.ts";
import { paint } from "./paint.ts";
import type {
  PrintablePacket,
  PrintableProcess,
  PrintOptions,
} from "./print_options.ts";

const SLL2_PACKET_TYPE = 10;
const SLL2_INTERFACE = 4;
const SLL2_LENGTH = 20;
const SLL_LENGTH = 16;
/** Width of a packet number, an interface name and a direction. */
const NUMBER_WIDTH = 5;
const NAME_WIDTH = 5;
const DIRECTION_WIDTH = 3;
const DIRECTIONS = { in: "In", out: "Out" } as const;
/** Characters that would let a command's name change the terminal. */
// deno-lint-ignore no-control-regex
const CONTROL_REGEXP = /[\u0000-\u001f\u007f-\u009f]/g;

/**
 * Prints the packets of a capture, in their order: sequence numbers, relative
 * times and packet numbers depend on the packets before.
 *
 * Memory is bounded however many packets there are.
 *
 * @example Print without times, with the payload
 * ```ts
 * import { PacketPrinter } from "./packet_printer.ts";
 * import assert from "node:assert/strict";
 *
 * const data = new Uint8Array(28);
 * data.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1]);
 * data.set([127, 0, 0, 1, 0x30, 0x39, 0x03, 0xe7, 0, 8], 16);
 * const printer = new PacketPrinter({ time: "none", numbered: true });
 * const line = printer.format({
 *   data,
 *   originalLength: 28,
 *   seconds: 0,
 *   nanoseconds: 0,
 *   interface: { linkType: 101 },
 * });
 * assert.match(line, /IP 127\.0\.0\.1\.12345 > 127\.0\.0\.1\.999: UDP/);
 * ```
 */
export class PacketPrinter {
  readonly #line: Line;
  readonly #clock: Clock;
  #number = 0;

  /**
   * Begins before the first packet.
   *
   * @param options How to print.
   * @throws {RangeError} When there is no such time zone.
   */
  constructor(options: PrintOptions = {}) {
    this.#line = new Line(options);
    this.#clock = new Clock(this.#line.style);
  }

  /**
   * Prints the next packet. Never throws, whatever the bytes are.
   *
   * @param packet The packet.
   * @param number Its number for `-#`; by default one more than that of the
   *   packet before.
   * @returns One line or several, without a line feed at the end.
   */
  format(packet: PrintablePacket, number: number = this.#number + 1): string {
    this.#number = number;
    const line = this.#line;
    const { style } = line;
    line.begin(packet.data);
    const prefix = style.numbered
      ? `${String(number).padStart(NUMBER_WIDTH)}  `
      : "";
    const invalid = lengthProblem(packet.data.length, packet.originalLength);
    if (invalid !== undefined) return prefix + invalid;
    const time = this.#clock.format(packet.seconds, packet.nanoseconds);
    this.#printSource(packet);
    try {
      printLink(line, packet.interface.linkType, packet.originalLength);
    } catch (error) {
      if (!(error instanceof Truncated)) throw error;
      line.cut();
    }
    const start = prefix + time;
    const text = style.color ? paint(line.text, line.subject) : line.text;
    return style.payload === "none"
      ? start + text
      : start + text + this.#payload();
  }

  /** Interface, direction and process, each when known. */
  #printSource(packet: PrintablePacket): void {
    const line = this.#line;
    const { name, linkType } = packet.interface;
    const isSll2 = linkType === LinkType.LINUX_SLL2;
    const isCooked = isSll2 || linkType === LinkType.LINUX_SLL;
    const { process } = packet;
    if (isSll2 && line.has(0, SLL2_LENGTH)) {
      const index = line.u32(SLL2_INTERFACE);
      const known = name ?? line.style.names?.interface?.(index) ?? "?";
      const type = formatPacketType(line.u8(SLL2_PACKET_TYPE));
      line.text += formatSource(known, type);
    } else if (
      name !== undefined && (isCooked || process !== undefined)
    ) {
      const direction = linkType === LinkType.LINUX_SLL &&
          line.has(0, SLL_LENGTH)
        ? formatPacketType(line.u16(0))
        : packet.direction === undefined
        ? ""
        : DIRECTIONS[packet.direction];
      line.text += formatSource(name, direction);
    }
    if (process !== undefined) line.text += `${formatProcess(process)} `;
  }

  #payload(): string {
    const { bytes, style, linkLength, payloadAt, payloadEnd } = this.#line;
    const all = bytes.length;
    switch (style.payload) {
      case "text":
        return payloadAt < payloadEnd
          ? textBelow(bytes, payloadAt, payloadEnd)
          : "";
      case "text-frame":
        return textBelow(bytes, 0, all);
      case "hex":
        return formatHex(bytes, linkLength, all, false);
      case "hex-frame":
        return formatHex(bytes, 0, all, false);
      case "hex-text":
        return formatHex(bytes, linkLength, all, true);
      default:
        return formatHex(bytes, 0, all, true);
    }
  }
}

/**
 * A process as it stands in a line.
 *
 * @param process The process.
 * @returns For example `curl.402475`, or `?.402475` without a name.
 */
export function formatProcess({ pid, comm }: PrintableProcess): string {
  const name = comm === undefined || comm === "" ? "?" : comm;
  return `${name.replaceAll(CONTROL_REGEXP, "?")}.${pid}`;
}

/** Text on lines of its own; the last line's end is that of the entry. */
function textBelow(bytes: Uint8Array, start: number, end: number): string {
  const text = formatText(bytes, start, end);
  return `\n${text.endsWith("\n") ? text.slice(0, -1) : text}`;
}

function formatSource(name: string, direction: string): string {
  return `${name.padEnd(NAME_WIDTH)} ${direction.padEnd(DIRECTION_WIDTH)} `;
}

function printLink(line: Line, linkType: number, length: number): void {
  switch (linkType) {
    case LinkType.ETHERNET:
      return printEthernet(line, length);
    case LinkType.LINUX_SLL:
      return printSll(line, length);
    case LinkType.LINUX_SLL2:
      return printSll2(line, length);
    case LinkType.RAW:
    case LinkType.IPV4:
    case LinkType.IPV6:
      return printRaw(line, length);
    case LinkType.NULL:
    case LinkType.LOOP:
      return printNull(line, length);
    default:
      line.text += `link type ${linkType}, length ${length}`;
      line.dump(0);
  }
}

/** Says what is wrong with the lengths of a record, if anything. */
function lengthProblem(
  captured: number,
  original: number,
): string | undefined {
  const problems: string[] = [];
  if (captured === 0) problems.push("caplen==0");
  if (original === 0) problems.push("len==0");
  else if (original < captured) {
    problems.push(`len(${original}) < caplen(${captured})`);
  }
  return problems.length === 0
    ? undefined
    : `[Invalid header: ${problems.join(", ")}]`;
}
