/**
 * Bytes that arrive in chunks and are consumed in units of any length.
 *
 * Only units that straddle the border of chunks are copied.
 */
export class ChunkBuffer {
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  #position = 0;
  #base: number;
  #pending: Uint8Array[] = [];
  #pendingLength = 0;

  /**
   * Begins empty.
   *
   * @param base What {@linkcode ChunkBuffer.offset} is for the first byte.
   */
  constructor(base = 0) {
    this.#base = base;
  }

  /** Bytes that {@linkcode ChunkBuffer.has} made contiguous. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** A view on `bytes`. */
  get view(): DataView {
    return this.#view;
  }

  /** Index in `bytes` of the next byte to consume. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes were consumed since the beginning, plus the base. */
  get offset(): number {
    return this.#base + this.#position;
  }

  /** How many bytes are there to be consumed. */
  get remaining(): number {
    return this.#bytes.length - this.#position + this.#pendingLength;
  }

  /**
   * Appends a chunk; it is kept, not copied.
   *
   * @param chunk Must not change any more.
   */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#pending.push(chunk);
    this.#pendingLength += chunk.length;
  }

  /**
   * Tells whether `length` bytes can be consumed, and if so makes them
   * contiguous in `bytes` from `position` on. May replace `bytes`, `view` and
   * `position`.
   *
   * @param length Number of bytes wanted.
   */
  has(length: number): boolean {
    if (this.#position + length <= this.#bytes.length) return true;
    if (length > this.remaining) return false;
    this.#join(length);
    return true;
  }

  /**
   * Consumes bytes that {@linkcode ChunkBuffer.has} granted.
   *
   * @param length Number of bytes.
   */
  consume(length: number): void {
    this.#position += length;
  }

  /**
   * Copies what was not consumed yet, so that the memory of the chunks can be
   * used for something else.
   */
  keep(): void {
    this.#base += this.#position;
    this.#look(this.#bytes.slice(this.#position));
    this.#pending = this.#pending.map((chunk) => chunk.slice());
  }

  #join(length: number): void {
    this.#base += this.#position;
    const rest = this.#bytes.subarray(this.#position);
    const first = this.#pending[0];
    if (rest.length === 0 && first !== undefined && first.length >= length) {
      this.#pending.shift();
      this.#pendingLength -= first.length;
      this.#look(first);
      return;
    }
    const joined = new Uint8Array(length);
    joined.set(rest);
    let end = rest.length;
    while (end < length) {
      const chunk = this.#pending.shift()!;
      const part = chunk.subarray(0, length - end);
      joined.set(part, end);
      end += part.length;
      this.#pendingLength -= part.length;
      if (part.length < chunk.length) {
        this.#pending.unshift(chunk.subarray(part.length));
      }
    }
    this.#look(joined);
  }

  #look(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#position = 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}
