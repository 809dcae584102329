/**
 * Changing the byte order of blocks, so that those of several sections can
 * stand in one.
 *
 * @module
 */

import {
  BLOCK_HEAD_LENGTH,
  BLOCK_LENGTH_OFFSET,
  BlockType,
  InterfaceOption,
  OptionCode,
  PACKET_CAPTURED_OFFSET,
  PACKET_DATA_OFFSET,
  PacketOption,
  padded,
  StatisticsOption,
} from "./format.ts";
import { OPTION_HEAD_LENGTH, viewOf } from "./options.ts";

/** Widths of numbers that follow each other, in bytes. */
type Widths = readonly number[];

/** How the body of a block is built. */
interface Layout {
  /** Numbers that it begins with. */
  readonly fields: Widths;
  /** Numbers that options hold; all others hold bytes. */
  readonly options?: Readonly<Record<number, Widths>>;
  /** Whether data stand before the options. */
  readonly hasData?: true;
}

const TIME: Widths = [4, 4];
const PACKET_OPTIONS: Readonly<Record<number, Widths>> = {
  [PacketOption.FLAGS]: [4],
  [PacketOption.DROP_COUNT]: [8],
  [PacketOption.PACKET_ID]: [8],
  [PacketOption.QUEUE]: [4],
  [PacketOption.PROCESS_THREAD]: [4, 4],
  [PacketOption.DARWIN_PROCESS]: [4],
  [PacketOption.DARWIN_SERVICE_CLASS]: [4],
  [PacketOption.DARWIN_EFFECTIVE_PROCESS]: [4],
};
const CUSTOM: Layout = { fields: [4] };

const LAYOUTS: Readonly<Record<number, Layout>> = {
  [BlockType.INTERFACE_DESCRIPTION]: {
    fields: [2, 2, 4],
    options: {
      [InterfaceOption.SPEED]: [8],
      [InterfaceOption.TIME_ZONE]: [4],
      [InterfaceOption.TIME_OFFSET]: [8],
      [InterfaceOption.SENDING_SPEED]: [8],
      [InterfaceOption.RECEIVING_SPEED]: [8],
    },
  },
  [BlockType.PACKET]: {
    fields: [2, 2, 4, 4, 4, 4],
    hasData: true,
    options: { [PacketOption.FLAGS]: [4] },
  },
  [BlockType.SIMPLE_PACKET]: { fields: [4] },
  // Records of names have the form of options.
  [BlockType.NAME_RESOLUTION]: { fields: [], options: {} },
  [BlockType.INTERFACE_STATISTICS]: {
    fields: [4, 4, 4],
    options: {
      [StatisticsOption.START_TIME]: TIME,
      [StatisticsOption.END_TIME]: TIME,
      [StatisticsOption.RECEIVED]: [8],
      [StatisticsOption.INTERFACE_DROPS]: [8],
      [StatisticsOption.FILTER_ACCEPTED]: [8],
      [StatisticsOption.SYSTEM_DROPS]: [8],
      [StatisticsOption.DELIVERED]: [8],
    },
  },
  [BlockType.ENHANCED_PACKET]: {
    fields: [4, 4, 4, 4, 4],
    hasData: true,
    options: PACKET_OPTIONS,
  },
  [BlockType.DECRYPTION_SECRETS]: { fields: [4, 4] },
  [BlockType.DARWIN_PROCESS_EVENT]: { fields: [4], options: {} },
  [BlockType.CUSTOM]: CUSTOM,
  [BlockType.CUSTOM_PRIVATE]: CUSTOM,
};

/** Custom options begin with the number of an enterprise. */
const CUSTOM_OPTIONS: ReadonlySet<number> = new Set([
  OptionCode.CUSTOM_TEXT,
  OptionCode.CUSTOM_BYTES,
  OptionCode.CUSTOM_PRIVATE_TEXT,
  OptionCode.CUSTOM_PRIVATE_BYTES,
]);

/**
 * Copies a big-endian block as a little-endian one. Of blocks and options that
 * are not known, only what frames them can be turned.
 *
 * @param raw A whole block that a reader took.
 */
export function toLittleEndian(raw: Uint8Array): Uint8Array {
  const block = raw.slice();
  const view = viewOf(block);
  const type = view.getUint32(0, false);
  const layout = LAYOUTS[type];
  const bodyEnd = block.length - BLOCK_LENGTH_OFFSET;
  for (const at of [0, BLOCK_LENGTH_OFFSET, bodyEnd]) {
    block.subarray(at, at + 4).reverse();
  }
  if (layout === undefined) return block;
  const captured = layout.hasData
    ? view.getUint32(PACKET_CAPTURED_OFFSET, false)
    : 0;
  const at = turn(block, BLOCK_HEAD_LENGTH, layout.fields, bodyEnd);
  if (layout.options === undefined) return block;
  const optionsAt = layout.hasData ? PACKET_DATA_OFFSET + padded(captured) : at;
  turnOptions(block, optionsAt, bodyEnd, layout.options);
  return block;
}

function turnOptions(
  block: Uint8Array,
  start: number,
  end: number,
  widths: Readonly<Record<number, Widths>>,
): void {
  const view = viewOf(block);
  let at = start;
  while (at + OPTION_HEAD_LENGTH <= end) {
    const code = view.getUint16(at, false);
    const length = view.getUint16(at + 2, false);
    turn(block, at, [2, 2], end);
    at += OPTION_HEAD_LENGTH;
    const numbers = CUSTOM_OPTIONS.has(code) ? [4] : widths[code] ?? [];
    turn(block, at, numbers, Math.min(end, at + length));
    at += padded(length);
  }
}

/** Turns numbers as far as they end before `end`. */
function turn(
  block: Uint8Array,
  start: number,
  widths: Widths,
  end: number,
): number {
  let at = start;
  for (const width of widths) {
    if (at + width > end) break;
    block.subarray(at, at + width).reverse();
    at += width;
  }
  return at;
}
