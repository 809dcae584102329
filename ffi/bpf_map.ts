/**
 * BPF maps: shared memory between programs in the kernel and this process.
 *
 * Source: include/uapi/linux/bpf.h, bpf(2).
 *
 * @module
 */
import { bpf, BpfAttr, BpfCommand, bpfCreate, bpfError } from "./bpf.ts";
import { Errno, errno } from "./errno.ts";
import type { Fd } from "./fd.ts";
import { MAP_SHARED, Mapping, PROT_READ, PROT_WRITE } from "./memory.ts";

/** Kinds of maps, `BPF_MAP_TYPE_…`. */
export const MapType = {
  HASH: 1,
  ARRAY: 2,
  /** For programs alone: values have one copy per processor. */
  PERCPU_ARRAY: 6,
  LRU_HASH: 9,
  SK_STORAGE: 24,
  RINGBUF: 27,
} as const;

/** `BPF_F_NO_PREALLOC`: memory is taken when an entry is added. */
export const BPF_F_NO_PREALLOC = 0x1;
/** `BPF_F_CLONE`: accepted sockets get a copy of the listener's storage. */
export const BPF_F_CLONE = 0x200;
/** `BPF_F_MMAPABLE`: the array can be mapped. Requires kernel 5.5. */
export const BPF_F_MMAPABLE = 0x400;

/** Flags of an update. */
export const UpdateFlag = {
  /** `BPF_ANY`: add or replace. */
  ANY: 0,
  /** `BPF_NOEXIST`: only add. */
  NOEXIST: 1,
  /** `BPF_EXIST`: only replace. */
  EXIST: 2,
} as const;

/** What a map is made of. */
export interface MapOptions {
  /** At most 15 letters, digits, `_` and `.`. */
  readonly name: string;
  /** One of {@linkcode MapType}. */
  readonly type: number;
  /** Bytes of a key; 0 for ring buffers. */
  readonly keySize: number;
  /** Bytes of a value; 0 for ring buffers. */
  readonly valueSize: number;
  /** Entries; bytes for ring buffers, 0 for socket storage. */
  readonly maxEntries: number;
  /** `BPF_F_…`. */
  readonly flags?: number;
  /** Types of key and value, for kinds that need them. */
  readonly btf?: {
    readonly fd: number;
    readonly keyTypeId: number;
    readonly valueTypeId: number;
  };
}

// union bpf_attr of BPF_MAP_CREATE
const CREATE = {
  type: 0,
  keySize: 4,
  valueSize: 8,
  maxEntries: 12,
  flags: 16,
  name: 28,
  btfFd: 48,
  btfKeyTypeId: 52,
  btfValueTypeId: 56,
  length: 60,
} as const;

// union bpf_attr of BPF_MAP_*_ELEM and BPF_MAP_GET_NEXT_KEY
const ELEMENT = { fd: 0, key: 8, value: 16, flags: 24, length: 32 } as const;

// union bpf_attr of BPF_MAP_*_BATCH
const BATCH = {
  from: 0,
  to: 8,
  keys: 16,
  values: 24,
  count: 32,
  fd: 36,
  elementFlags: 40,
  length: 56,
} as const;

/**
 * Is shown an entry: where its key begins in `keys`, and its value in `values`.
 */
export type EntryVisitor = (
  keys: Uint8Array,
  keyAt: number,
  values: DataView,
  valueAt: number,
) => void;

/** Entries that are read with one call at first. */
const BATCH_ENTRIES = 4096;

/**
 * A map. Operations use buffers of its own, so they allocate nothing and
 * callers may reuse theirs.
 */
export class BpfMap implements Disposable {
  /** Name, for messages. */
  readonly name: string;
  /** Bytes of a key. */
  readonly keySize: number;
  /** Bytes of a value. */
  readonly valueSize: number;
  readonly #fd: Fd;
  readonly #key: Uint8Array<ArrayBuffer>;
  readonly #value: Uint8Array<ArrayBuffer>;
  readonly #nextKey: Uint8Array<ArrayBuffer>;
  readonly #element = new BpfAttr(ELEMENT.length);
  readonly #deletion = new BpfAttr(ELEMENT.value);
  readonly #iteration = new BpfAttr(ELEMENT.length);

  /**
   * Makes a map.
   *
   * @throws {SyscallError}
   */
  constructor(options: MapOptions) {
    const { name, type, keySize, valueSize, maxEntries, flags, btf } = options;
    const attr = new BpfAttr(CREATE.length)
      .u32(CREATE.type, type)
      .u32(CREATE.keySize, keySize)
      .u32(CREATE.valueSize, valueSize)
      .u32(CREATE.maxEntries, maxEntries)
      .u32(CREATE.flags, flags ?? 0)
      .name(CREATE.name, name);
    if (btf !== undefined) {
      attr.u32(CREATE.btfFd, btf.fd)
        .u32(CREATE.btfKeyTypeId, btf.keyTypeId)
        .u32(CREATE.btfValueTypeId, btf.valueTypeId);
    }
    this.#fd = bpfCreate("MAP_CREATE", attr, `map "${name}"`);
    this.name = name;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.#key = new Uint8Array(Math.max(keySize, 1));
    this.#value = new Uint8Array(Math.max(valueSize, 1));
    this.#nextKey = new Uint8Array(Math.max(keySize, 1));
    this.#element.u32(ELEMENT.fd, this.#fd.number)
      .buffer(ELEMENT.key, this.#key)
      .buffer(ELEMENT.value, this.#value);
    // The kernel wants fields behind the key to be zero here.
    this.#deletion.u32(ELEMENT.fd, this.#fd.number)
      .buffer(ELEMENT.key, this.#key);
    this.#iteration.u32(ELEMENT.fd, this.#fd.number)
      .buffer(ELEMENT.key, this.#key)
      .buffer(ELEMENT.value, this.#nextKey);
  }

  /** The map's descriptor. */
  get fd(): number {
    return this.#fd.number;
  }

  /**
   * Copies the value of a key into `target`.
   *
   * @returns whether the key exists
   * @throws {SyscallError} for other reasons than a missing key
   */
  lookup(key: Uint8Array, target: Uint8Array): boolean {
    return this.#read("MAP_LOOKUP_ELEM", key, target);
  }

  /**
   * As {@linkcode BpfMap.lookup}, and removes the entry at the same moment.
   * Requires kernel 5.14 for hash maps.
   */
  take(key: Uint8Array, target: Uint8Array): boolean {
    return this.#read("MAP_LOOKUP_AND_DELETE_ELEM", key, target);
  }

  /**
   * Adds or replaces an entry.
   *
   * @throws {SyscallError} E2BIG when the map is full
   */
  update(
    key: Uint8Array,
    value: Uint8Array,
    flags: number = UpdateFlag.ANY,
  ): void {
    this.#setKey(key);
    if (value.length !== this.valueSize) {
      throw this.#sizeError("value", value.length, this.valueSize);
    }
    this.#value.set(value);
    this.#element.u32(ELEMENT.flags, flags);
    this.#check("MAP_UPDATE_ELEM", this.#element);
  }

  /**
   * Removes an entry.
   *
   * @returns whether it existed
   * @throws {SyscallError} for other reasons than a missing key
   */
  delete(key: Uint8Array): boolean {
    this.#setKey(key);
    return this.#exists("MAP_DELETE_ELEM", this.#deletion);
  }

  /**
   * Adds or replaces many entries with one call. Requires kernel 5.6.
   *
   * @param keys Keys one after the other.
   * @param values Values one after the other.
   * @throws {SyscallError}
   */
  updateBatch(
    keys: Uint8Array<ArrayBuffer>,
    values: Uint8Array<ArrayBuffer>,
  ): void {
    const count = keys.length / this.keySize;
    if (!Number.isInteger(count) || values.length !== count * this.valueSize) {
      throw this.#sizeError("batch", values.length, count * this.valueSize);
    }
    if (count === 0) return;
    const attr = new BpfAttr(BATCH.length)
      .buffer(BATCH.keys, keys)
      .buffer(BATCH.values, values)
      .u32(BATCH.count, count)
      .u32(BATCH.fd, this.fd);
    this.#check("MAP_UPDATE_BATCH", attr);
  }

  /**
   * Visits all entries of a hash map, many with one call. Entries that come or
   * go meanwhile may be left out; all others are visited once. Requires kernel
   * 5.6.
   *
   * @throws {SyscallError}
   */
  visit(visitor: EntryVisitor): void {
    const from = new Uint8Array(4);
    const to = new Uint8Array(4);
    let room = BATCH_ENTRIES;
    for (let isFirst = true;;) {
      const keys = new Uint8Array(room * this.keySize);
      const values = new Uint8Array(room * this.valueSize);
      const attr = new BpfAttr(BATCH.length)
        .buffer(BATCH.to, to)
        .buffer(BATCH.keys, keys)
        .buffer(BATCH.values, values)
        .u32(BATCH.count, room)
        .u32(BATCH.fd, this.fd);
      if (!isFirst) attr.buffer(BATCH.from, from);
      const isMore = this.#readBatch(attr);
      if (isMore === undefined) {
        // A bucket of the map has more entries than there is room for.
        room *= 2;
        continue;
      }
      const view = new DataView(values.buffer);
      const count = attr.read(BATCH.count);
      for (let i = 0; i < count; i++) {
        visitor(keys, i * this.keySize, view, i * this.valueSize);
      }
      if (!isMore) return;
      isFirst = false;
      from.set(to);
    }
  }

  /**
   * Visits the keys. The bytes belong to the map and change with each step;
   * the visited entry may be removed.
   */
  *keys(): Generator<Uint8Array, void, void> {
    const next = this.#nextKey;
    // A null key asks for the first one.
    const first = new BpfAttr(ELEMENT.length)
      .u32(ELEMENT.fd, this.fd)
      .buffer(ELEMENT.value, next);
    const current = new Uint8Array(this.keySize);
    const following = new Uint8Array(this.keySize);
    let found = this.#exists("MAP_GET_NEXT_KEY", first);
    following.set(next);
    while (found) {
      current.set(following);
      // Asked before the caller may remove the entry: from a missing key the
      // kernel would begin again.
      this.#key.set(current);
      found = this.#exists("MAP_GET_NEXT_KEY", this.#iteration);
      following.set(next);
      yield current;
    }
  }

  /**
   * Maps an array made with {@linkcode BPF_F_MMAPABLE}: stores are seen by
   * programs at once, without a system call.
   *
   * @param length Bytes; rounded up to whole pages by the kernel.
   * @throws {SyscallError}
   */
  mapMemory(length: number): Mapping {
    return Mapping.ofFd(
      this.fd,
      length,
      PROT_READ | PROT_WRITE,
      MAP_SHARED,
    );
  }

  /** Closes the descriptor; the map lives on while programs use it. */
  close(): void {
    this.#fd.close();
  }

  /** Same as {@linkcode BpfMap.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #read(
    command: "MAP_LOOKUP_ELEM" | "MAP_LOOKUP_AND_DELETE_ELEM",
    key: Uint8Array,
    target: Uint8Array,
  ): boolean {
    this.#setKey(key);
    if (target.length !== this.valueSize) {
      throw this.#sizeError("value", target.length, this.valueSize);
    }
    this.#element.u32(ELEMENT.flags, 0);
    if (!this.#exists(command, this.#element)) return false;
    target.set(this.#value);
    return true;
  }

  #setKey(key: Uint8Array): void {
    if (key.length !== this.keySize) {
      throw this.#sizeError("key", key.length, this.keySize);
    }
    this.#key.set(key);
  }

  #exists(command: keyof typeof BpfCommand, attr: BpfAttr): boolean {
    if (bpf(BpfCommand[command], attr) >= 0) return true;
    if (errno() === Errno.ENOENT) return false;
    throw bpfError(command, `map "${this.name}"`);
  }

  /** Whether more is left behind what was read; `undefined`: no room for it. */
  #readBatch(attr: BpfAttr): boolean | undefined {
    if (bpf(BpfCommand.MAP_LOOKUP_BATCH, attr) >= 0) return true;
    if (errno() === Errno.ENOENT) return false;
    if (errno() === Errno.ENOSPC) return undefined;
    throw bpfError("MAP_LOOKUP_BATCH", `map "${this.name}"`);
  }

  #check(command: keyof typeof BpfCommand, attr: BpfAttr): void {
    if (bpf(BpfCommand[command], attr) < 0) {
      throw bpfError(command, `map "${this.name}"`);
    }
  }

  #sizeError(what: string, length: number, expected: number): RangeError {
    return new RangeError(
      `Cannot use map "${this.name}" with a ${what} of ${length} bytes: ` +
        `${expected} bytes are expected`,
    );
  }
}
