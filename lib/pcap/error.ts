/**
 * A capture file that does not follow its format, or ends too early.
 *
 * Everything before `offset` was delivered.
 *
 * @example Find where a file is damaged
 * ```ts
 * import { CaptureStream } from "./capture_stream.ts";
 * import { CaptureFormatError } from "./error.ts";
 * import assert from "node:assert/strict";
 *
 * const path = "tests/golden/data/filter_linktype_1.pcap";
 * const bytes = await Deno.readFile(path);
 * const cut = bytes.subarray(0, bytes.length - 1);
 * const stream = await CaptureStream.open(async function* () {
 *   yield cut;
 * }());
 * let count = 0;
 * await assert.rejects(
 *   async () => {
 *     for await (const _ of stream) count++;
 *   },
 *   (error) => error instanceof CaptureFormatError && error.offset > 0,
 * );
 * assert(count > 0);
 * ```
 */
export class CaptureFormatError extends SyntaxError {
  /** Tells it from other errors. */
  override readonly name = "CaptureFormatError";
  /**
   * Byte offset in the (uncompressed) file of the header, record or block that
   * cannot be read.
   */
  readonly offset: number;

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}
