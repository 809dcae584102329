/**
 * Writing of packets in place, for the hot path of a live capture: nothing is
 * allocated. The caller puts the packet's bytes between head and tail:
 *
 * ```text
 *  blockAt                blockAt + PACKET_HEAD_LENGTH        end
 *  +----------------------+----------------+------------------+
 *  | writePacketHead      | packet bytes   | writePacketTail  |
 *  +----------------------+----------------+------------------+
 * ```
 *
 * @module
 */

import { encodeText } from "./block_builder.ts";
import {
  BLOCK_HEAD_LENGTH,
  BLOCK_LENGTH_OFFSET,
  BlockType,
  OptionCode,
  PACKET_CAPTURED_OFFSET,
  PACKET_DATA_OFFSET,
  PACKET_INTERFACE_OFFSET,
  PACKET_ORIGINAL_OFFSET,
  PACKET_TIME_LOWER_OFFSET,
  PACKET_TIME_UPPER_OFFSET,
  PacketOption,
  padded,
} from "./format.ts";
import { OPTION_HEAD_LENGTH, viewOf } from "./options.ts";

/** Bytes before a packet's data. */
export const PACKET_HEAD_LENGTH = PACKET_DATA_OFFSET;
/** Most bytes after a packet's data, without comment: padding and options. */
export const PACKET_TAIL_LENGTH = 3 + // padding
  OPTION_HEAD_LENGTH + 4 + // flags
  OPTION_HEAD_LENGTH + 8 + // process and thread
  OPTION_HEAD_LENGTH + 4 + // process event
  OPTION_HEAD_LENGTH + // end of options
  BLOCK_LENGTH_OFFSET;

/** What stands for "no process event" in {@linkcode writePacketTail}. */
export const NO_EVENT = -1;

const BILLION = 1_000_000_000;
const HALF = 0x1_0000;
const WORD = 0x1_0000_0000;

/**
 * Writes what precedes a packet's data: all but the length of the block, which
 * {@linkcode writePacketTail} fills in.
 *
 * @param view Where to write.
 * @param blockAt Offset in `view` of the block.
 * @param id Number of the interface, whose times must be nanoseconds.
 * @param seconds Seconds since 1970, at most 2³².
 * @param nanoseconds Nanoseconds after `seconds`.
 * @param capturedLength Number of data bytes that follow.
 * @param originalLength Number of bytes that the packet had.
 * @throws {RangeError} When `view` has no room.
 */
export function writePacketHead(
  view: DataView,
  blockAt: number,
  id: number,
  seconds: number,
  nanoseconds: number,
  capturedLength: number,
  originalLength: number,
): void {
  // seconds × 10⁹ + nanoseconds has 64 bits, more than a double keeps.
  const high = Math.floor(seconds / HALF) * BILLION;
  const low = (high % HALF) * HALF + (seconds % HALF) * BILLION + nanoseconds;
  const upper = Math.floor(high / HALF) + Math.floor(low / WORD);
  view.setUint32(blockAt, BlockType.ENHANCED_PACKET, true);
  view.setUint32(blockAt + PACKET_INTERFACE_OFFSET, id, true);
  view.setUint32(blockAt + PACKET_TIME_UPPER_OFFSET, upper, true);
  view.setUint32(blockAt + PACKET_TIME_LOWER_OFFSET, low % WORD, true);
  view.setUint32(blockAt + PACKET_CAPTURED_OFFSET, capturedLength, true);
  view.setUint32(blockAt + PACKET_ORIGINAL_OFFSET, originalLength, true);
}

/**
 * Writes what follows a packet's data, and the length of the block.
 *
 * @param view Where to write.
 * @param blockAt Offset in `view` of the block.
 * @param capturedLength As in {@linkcode writePacketHead}.
 * @param flags See {@linkcode PacketFlag}; 0 for none.
 * @param pid Process number; 0 when it is not known.
 * @param tid Thread number; 0 when it is not known.
 * @param event Number of the process event, {@linkcode NO_EVENT} for none.
 * @param comment What {@linkcode encodeComment} made, if anything.
 * @returns Offset in `view` after the block.
 * @throws {RangeError} When `view` has no room.
 */
export function writePacketTail(
  view: DataView,
  blockAt: number,
  capturedLength: number,
  flags: number,
  pid: number,
  tid: number,
  event: number,
  comment?: Uint8Array,
): number {
  let at = blockAt + PACKET_DATA_OFFSET + capturedLength;
  const optionsAt = blockAt + PACKET_DATA_OFFSET + padded(capturedLength);
  while (at < optionsAt) view.setUint8(at++, 0);
  if (comment !== undefined) {
    for (let i = 0; i < comment.length; i++) view.setUint8(at++, comment[i]!);
  }
  if (flags !== 0) at = writeOption(view, at, PacketOption.FLAGS, flags);
  if (pid !== 0) {
    view.setUint16(at, PacketOption.PROCESS_THREAD, true);
    view.setUint16(at + 2, 8, true);
    view.setUint32(at + 4, pid, true);
    view.setUint32(at + 8, tid, true);
    at += OPTION_HEAD_LENGTH + 8;
  }
  if (event !== NO_EVENT) {
    at = writeOption(view, at, PacketOption.DARWIN_PROCESS, event);
  }
  if (at > optionsAt) {
    view.setUint32(at, OptionCode.END, true);
    at += OPTION_HEAD_LENGTH;
  }
  const length = at + BLOCK_LENGTH_OFFSET - blockAt;
  view.setUint32(at, length, true);
  view.setUint32(blockAt + BLOCK_LENGTH_OFFSET, length, true);
  return at + BLOCK_LENGTH_OFFSET;
}

function writeOption(
  view: DataView,
  at: number,
  code: number,
  value: number,
): number {
  view.setUint16(at, code, true);
  view.setUint16(at + 2, 4, true);
  view.setUint32(at + OPTION_HEAD_LENGTH, value, true);
  return at + OPTION_HEAD_LENGTH + 4;
}

/**
 * Encodes a comment as a whole option, for {@linkcode writePacketTail}.
 *
 * @param text Cut to 65535 bytes.
 */
export function encodeComment(text: string): Uint8Array {
  const value = encodeText(text);
  const option = new Uint8Array(OPTION_HEAD_LENGTH + padded(value.length));
  const view = viewOf(option);
  view.setUint16(0, OptionCode.COMMENT, true);
  view.setUint16(2, value.length, true);
  option.set(value, OPTION_HEAD_LENGTH);
  return option;
}

/**
 * Length of the longest prefix of `bytes` that ends where a block ends: what
 * may be kept of a file whose writer was interrupted.
 *
 * @param bytes Blocks, little-endian, beginning at a block.
 * @returns 0 when not even the first block is complete.
 */
export function completeBlocksLength(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  let complete = 0;
  while (complete + BLOCK_HEAD_LENGTH <= bytes.length) {
    const length = view.getUint32(complete + BLOCK_LENGTH_OFFSET, true);
    const next = complete + length;
    if (length < BLOCK_HEAD_LENGTH || next > bytes.length) break;
    complete = next;
  }
  return complete;
}
