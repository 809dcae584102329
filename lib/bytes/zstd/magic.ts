/**
 * How Zstandard data begin.
 *
 * @module
 */

/** First four bytes of a frame, as a little-endian number. */
const FRAME_MAGIC = 0xfd2f_b528;
/** The same of frames that are to be skipped, without the last four bits. */
const SKIPPABLE_MAGIC = 0x184d_2a50;
/**
 * Tells whether data begin like a frame.
 *
 * @param magic The first four bytes, as a little-endian number.
 */
export function isZstd(magic: number): boolean {
  return magic === FRAME_MAGIC || isSkippable(magic);
}

/** Tells whether a frame is to be passed over. */
export function isSkippable(magic: number): boolean {
  return (magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC;
}
