/**
 * The system call bpf(2): one entry for all commands.
 *
 * Layouts are those of `union bpf_attr` in include/uapi/linux/bpf.h. Every
 * object made here is a file descriptor and ends with it: nothing is pinned,
 * so nothing outlives the process, however it dies.
 *
 * @module
 */
import { Errno, errno, errnoName, SyscallError } from "./errno.ts";
import { type Fd, ownFd } from "./fd.ts";
import { libc } from "./libc.ts";
import { addressOf } from "./memory.ts";

/** Commands of bpf(2), `BPF_…`. */
export const BpfCommand = {
  MAP_CREATE: 0n,
  MAP_LOOKUP_ELEM: 1n,
  MAP_UPDATE_ELEM: 2n,
  MAP_DELETE_ELEM: 3n,
  MAP_GET_NEXT_KEY: 4n,
  PROG_LOAD: 5n,
  PROG_TEST_RUN: 10n,
  OBJ_GET_INFO_BY_FD: 15n,
  RAW_TRACEPOINT_OPEN: 17n,
  BTF_LOAD: 18n,
  MAP_LOOKUP_AND_DELETE_ELEM: 21n,
  MAP_LOOKUP_BATCH: 24n,
  MAP_UPDATE_BATCH: 26n,
  LINK_CREATE: 28n,
  ITER_CREATE: 33n,
} as const;

/** Name of a command. */
export type BpfCommandName = keyof typeof BpfCommand;

/** Object names are cut to this many bytes by the kernel (`BPF_OBJ_NAME_LEN`). */
const NAME_LENGTH = 16;

let number: bigint | undefined;

/** `__NR_bpf` of this machine. */
function bpfNumber(): bigint {
  switch (Deno.build.arch) {
    case "x86_64":
      return 321n;
    case "aarch64":
      return 280n;
    default:
      throw new Error(`Cannot call bpf(2) on ${Deno.build.arch}`);
  }
}

/**
 * The argument of one command: bytes with addresses of other buffers, which
 * it keeps alive.
 */
export class BpfAttr {
  /** The bytes of `union bpf_attr`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Number of bytes, as the system call takes it. */
  readonly length: bigint;
  readonly #view: DataView;
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];

  /** Makes an attribute of zeros. */
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.length = BigInt(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Writes a 32-bit field. */
  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true);
    return this;
  }

  /** Writes a 64-bit field; the value must be below 2^53. */
  u64(offset: number, value: number): this {
    this.#view.setUint32(offset, value >>> 0, true);
    this.#view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
    return this;
  }

  /** Writes the address of a buffer and keeps the buffer alive. */
  buffer(offset: number, buffer: Uint8Array<ArrayBuffer>): this {
    this.#kept.push(buffer);
    return this.u64(offset, addressOf(buffer));
  }

  /**
   * Writes an object name: letters, digits, `_` and `.`; longer ones are cut.
   */
  name(offset: number, name: string): this {
    const bytes = new TextEncoder().encode(name).subarray(0, NAME_LENGTH - 1);
    this.bytes.set(bytes, offset);
    return this;
  }

  /** Reads a 32-bit field that the kernel wrote. */
  read(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** Number of buffers kept alive. */
  get kept(): number {
    return this.#kept.length;
  }
}

/**
 * Calls bpf(2).
 *
 * @returns what the kernel returned, -1 for an error: see `errno()`
 */
export function bpf(command: bigint, attr: BpfAttr): number {
  number ??= bpfNumber();
  const result = libc().syscallBuffer(
    number,
    command,
    attr.bytes,
    attr.length,
    0n,
  );
  // The optimizer must not free the buffers behind the addresses earlier.
  if (attr.kept < 0) throw new TypeError("Cannot count buffers");
  return result;
}

/** The error of a failed bpf(2) command; call it before anything else. */
export function bpfError(
  command: BpfCommandName,
  detail?: string,
): SyscallError {
  return new SyscallError(`bpf(BPF_${command})`, errno(), detail);
}

// linux/resource.h
const RLIMIT_MEMLOCK = 8;

/**
 * Runs a command that makes an object.
 *
 * Kernels before 5.11 count BPF memory as locked memory and answer EPERM when
 * its limit is reached: the limit is lifted for a second try and put back, so
 * that programs launched later do not inherit it.
 *
 * @throws {SyscallError}
 */
export function bpfCreate(
  command: BpfCommandName,
  attr: BpfAttr,
  detail?: string,
): Fd {
  let result = bpf(BpfCommand[command], attr);
  if (result < 0 && errno() === Errno.EPERM) {
    const infinite = new BigUint64Array(2).fill(0xffff_ffff_ffff_ffffn);
    const before = new BigUint64Array(2);
    if (libc().prlimit(0, RLIMIT_MEMLOCK, infinite, before) < 0) {
      throw new SyscallError(`bpf(BPF_${command})`, Errno.EPERM, detail);
    }
    result = bpf(BpfCommand[command], attr);
    const failure = result < 0 ? bpfError(command, detail) : undefined;
    libc().prlimit(0, RLIMIT_MEMLOCK, before, null);
    if (failure !== undefined) throw failure;
  }
  if (result < 0) throw bpfError(command, detail);
  return ownFd(`bpf(BPF_${command})`, result, detail);
}

/**
 * Loads type information for maps that need it.
 *
 * @throws {SyscallError} EINVAL when the kernel does not accept the bytes
 */
export function loadBtf(btf: Uint8Array<ArrayBuffer>): Fd {
  // 0 btf · 8 btf_log_buf · 16 btf_size · 20 btf_log_size · 24 btf_log_level
  return bpfCreate(
    "BTF_LOAD",
    new BpfAttr(28).buffer(0, btf).u32(16, btf.length),
  );
}

/** errno name of an error that a system call caused, for short reports. */
export function failureName(error: unknown): string {
  return error instanceof SyscallError
    ? errnoName(error.errno)
    : error instanceof Error
    ? error.message
    : String(error);
}
