/**
 * Addresses, C strings, mapped memory, and the memory of other processes.
 *
 * @module
 */
import { check, errno, SyscallError } from "./errno.ts";
import { libc } from "./libc.ts";

/** Address of the first byte of a buffer; keep the buffer referenced. */
export function addressOf(buffer: Uint8Array<ArrayBuffer>): number {
  const pointer = Deno.UnsafePointer.of(buffer);
  return pointer === null ? 0 : Number(Deno.UnsafePointer.value(pointer));
}

/** NUL-terminated UTF-8 bytes of a text. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(`${text}\0`));
}

// asm-generic/mman-common.h, linux/mman.h
/** Pages may be read. */
export const PROT_READ = 1;
/** Pages may be written. */
export const PROT_WRITE = 2;
const PROT_NONE = 0;
/** Changes are shared with the other users of the mapping. */
export const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;

/** A mapping: owned memory outside of the JavaScript heap. */
export class Mapping implements Disposable {
  /** First address. */
  readonly address: number;
  /** Length in bytes. */
  readonly length: number;
  #pointer: Deno.PointerObject | null;

  private constructor(pointer: Deno.PointerObject, length: number) {
    this.#pointer = pointer;
    this.length = length;
    this.address = Number(Deno.UnsafePointer.value(pointer));
  }

  /**
   * Reserves `length` bytes: anonymous memory, readable and writable, zero,
   * and not backed by pages before it is touched.
   *
   * @throws {SyscallError}
   */
  static anonymous(length: number): Mapping {
    return Mapping.#map(
      0,
      length,
      PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS,
      -1,
      0,
    );
  }

  /**
   * Maps a descriptor; see mmap(2).
   *
   * @throws {SyscallError}
   */
  static ofFd(
    fd: number,
    length: number,
    protection: number,
    flags: number,
    offset = 0,
  ): Mapping {
    return Mapping.#map(0, length, protection, flags, fd, offset);
  }

  /**
   * Maps `first` bytes of a descriptor (shared) and, right behind them,
   * `second` bytes of anonymous memory, so that one buffer covers both and
   * bytes can be moved between them without making views.
   *
   * @throws {SyscallError}
   */
  static ofFdWithTail(fd: number, first: number, second: number): Mapping {
    const whole = Mapping.#map(
      0,
      first + second,
      PROT_NONE,
      MAP_PRIVATE | MAP_ANONYMOUS,
      -1,
      0,
    );
    try {
      Mapping.#map(
        whole.address,
        first,
        PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_FIXED,
        fd,
        0,
      );
      Mapping.#map(
        whole.address + first,
        second,
        PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
        -1,
        0,
      );
    } catch (error) {
      whole.close();
      throw error;
    }
    return whole;
  }

  static #map(
    address: number,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): Mapping {
    const pointer = libc().mmap(
      BigInt(address),
      BigInt(length),
      protection,
      flags,
      fd,
      BigInt(offset),
    );
    // MAP_FAILED is (void *) -1.
    if (
      pointer === null ||
      Deno.UnsafePointer.value(pointer) === 0xffff_ffff_ffff_ffffn
    ) {
      throw new SyscallError("mmap", errno());
    }
    return new Mapping(pointer, length);
  }

  /** The mapped memory as a buffer; must not be used after closing. */
  buffer(): ArrayBuffer {
    if (this.#pointer === null) {
      throw new TypeError("Cannot use a closed mapping");
    }
    return Deno.UnsafePointerView.getArrayBuffer(this.#pointer, this.length);
  }

  /** Pointer to the first byte, for calls that take one. */
  pointer(): Deno.PointerObject {
    if (this.#pointer === null) {
      throw new TypeError("Cannot use a closed mapping");
    }
    return this.#pointer;
  }

  /** Unmaps the memory; has no effect the second time. */
  close(): void {
    if (this.#pointer === null) return;
    libc().munmap(this.#pointer, BigInt(this.length));
    this.#pointer = null;
  }

  /** Same as {@linkcode Mapping.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

// struct iovec { void *iov_base; size_t iov_len; }, twice: local and remote.
const localVector = new BigUint64Array(2);
const remoteVector = new BigUint64Array(2);

/**
 * Reads memory of another process (process_vm_readv(2)), which need not be
 * stopped for it.
 *
 * @returns the number of bytes read: less than asked for where the remote
 * memory ends, -1 when nothing could be read
 */
export function readProcessMemory(
  tid: number,
  address: bigint,
  target: Uint8Array<ArrayBuffer>,
  length: number = target.length,
): number {
  localVector[0] = BigInt(addressOf(target));
  localVector[1] = BigInt(Math.min(length, target.length));
  remoteVector[0] = address;
  remoteVector[1] = localVector[1];
  return libc().process_vm_readv(
    tid,
    localVector,
    1n,
    remoteVector,
    1n,
    0n,
  );
}

/** Text of a NUL-terminated C string at an address. */
export function textAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** Waits until a descriptor of `pollFds` (struct pollfd[]) is ready; poll(2). */
export function poll(
  pollFds: Int32Array<ArrayBuffer>,
  timeout: number,
): number {
  const count = libc().poll(pollFds, BigInt(pollFds.length >> 1), timeout);
  return count < 0 && errno() === 4 /* EINTR */ ? 0 : check("poll", count);
}

/**
 * Address of the first occurrence of `wanted` within `limit` bytes of code.
 *
 * @throws {Error} when it is not there
 */
export function findCode(
  code: Deno.PointerObject,
  wanted: readonly number[],
  limit: number,
): number {
  const view = new Deno.UnsafePointerView(code);
  for (let at = 0; at < limit; at++) {
    if (wanted.every((byte, i) => view.getUint8(at + i) === byte)) {
      return Number(Deno.UnsafePointer.value(code)) + at;
    }
  }
  throw new Error("Cannot find a machine instruction in the C library");
}

/**
 * The same as {@linkcode poll}, on a pool thread: timers and messages go on
 * meanwhile. Errors end the waiting, too.
 */
export async function pollInBackground(
  pollFds: Int32Array<ArrayBuffer>,
  timeout: number,
): Promise<void> {
  await libc().pollAsync(pollFds, BigInt(pollFds.length >> 1), timeout);
}
