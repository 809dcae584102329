/**
 * Bytes that arrive in chunks and are consumed in units of any length.
 *
 * A chunk is copied only when a unit straddles its border, and each byte at
 * most twice, however long the unit and small the chunks are.
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
    this.#join();
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

  #join(): void {
    this.#base += this.#position;
    const rest = this.#bytes.subarray(this.#position);
    const only = this.#pending[0];
    if (rest.length === 0 && this.#pending.length === 1 && only !== undefined) {
      this.#bytes = only;
    } else {
      this.#bytes = new Uint8Array(rest.length + this.#pendingLength);
      this.#bytes.set(rest);
      let end = rest.length;
      for (const chunk of this.#pending) {
        this.#bytes.set(chunk, end);
        end += chunk.length;
      }
    }
    this.#pending = [];
    this.#pendingLength = 0;
    this.#position = 0;
    this.#view = new DataView(
      this.#bytes.buffer,
      this.#bytes.byteOffset,
      this.#bytes.byteLength,
    );
  }
}
