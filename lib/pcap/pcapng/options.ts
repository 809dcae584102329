/**
 * Options: the typed values at the end of most blocks. Drawn in `format.ts`.
 *
 * @module
 */

import { OptionCode, padded } from "./format.ts";

/** Bytes of an option's code and length. */
export const OPTION_HEAD_LENGTH = 4;
/** Most bytes of an option's value. */
export const MAXIMUM_OPTION_LENGTH = 0xffff;

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** One option of a block. See {@linkcode CaptureBlock}. */
export interface BlockOption {
  /** What it means, by the type of its block. */
  readonly code: number;
  /** A view on the block, in the byte order of its section. */
  readonly value: Uint8Array;
}

/**
 * Reads the options of a block. What is damaged ends them: the blocks that
 * follow can still be found.
 *
 * @param bytes Bytes that hold the block.
 * @param start Offset of the first option.
 * @param end Offset after the last option.
 * @param littleEndian Byte order of the section.
 */
export function readOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
  littleEndian: boolean,
): BlockOption[] {
  const options: BlockOption[] = [];
  const view = viewOf(bytes);
  let at = start;
  while (at + OPTION_HEAD_LENGTH <= end) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    const valueAt = at + OPTION_HEAD_LENGTH;
    if (code === OptionCode.END || valueAt + length > end) break;
    options.push({ code, value: bytes.subarray(valueAt, valueAt + length) });
    at = valueAt + padded(length);
  }
  return options;
}

/** Makes a view with the same offsets as the bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Reads text: UTF-8, up to the NUL that some writers add.
 *
 * @param value Value of an option.
 */
export function readText(value: Uint8Array): string {
  const end = value.indexOf(0);
  return DECODER.decode(end < 0 ? value : value.subarray(0, end));
}

/** Reads 32 bits; `undefined` when the option has fewer. */
export function readNumber(
  value: Uint8Array,
  littleEndian: boolean,
  at = 0,
): number | undefined {
  return at + 4 > value.length
    ? undefined
    : viewOf(value).getUint32(at, littleEndian);
}

/** Reads 64 bits; `undefined` when the option has fewer. */
export function readLong(
  value: Uint8Array,
  littleEndian: boolean,
): bigint | undefined {
  return value.length < 8
    ? undefined
    : viewOf(value).getBigUint64(0, littleEndian);
}
