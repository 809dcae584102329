/**
 * Packets and tables as text: lines as tcpdump prints them, and columns.
 *
 * @example Print a datagram
 * ```ts
 * import { PacketPrinter } from "./mod.ts";
 * import assert from "node:assert/strict";
 *
 * const data = new Uint8Array(28);
 * data.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1]);
 * data.set([127, 0, 0, 1, 0x30, 0x39, 0x03, 0xe7, 0, 8], 16);
 * const text = new PacketPrinter().format({
 *   data,
 *   originalLength: 28,
 *   seconds: 0,
 *   nanoseconds: 0,
 *   interface: { linkType: 101 },
 * });
 * assert.match(text, /IP 127\.0\.0\.1\.12345 > 127\.0\.0\.1\.999: UDP/);
 * ```
 *
 * @module
 */
export {
  type JsonObject,
  type JsonValue,
  packetToJson,
} from "./packet_json.ts";
export { PacketPrinter } from "./packet_printer.ts";
export {
  type PayloadFormat,
  type PrintablePacket,
  type PrintableProcess,
  type PrintNames,
  type PrintOptions,
  TIME_FORMATS,
  type TimeFormat,
} from "./print_options.ts";
export { TextBuffer } from "../bytes/text_buffer.ts";
export {
  type Column,
  formatCsvHeader,
  formatCsvRow,
  formatHeader,
  formatRow,
  uniformColumns,
  writeCsvRow,
  writeRow,
} from "./table.ts";
