/**
 * The set of processes that programs in the kernel look at; it is kept up to
 * date there when processes make children and end.
 *
 * @module
 */
import {
  MAP,
  TARGET_FLAG,
  TARGET_VALUE_SIZE,
} from "../../bpf/programs/layout.ts";
import { BPF_F_NO_PREALLOC, BpfMap, MapType } from "../../ffi/bpf_map.ts";
import type { ProcessIds } from "./ebpf_process_ids.ts";

/** What is traced of a process. */
export interface TargetOptions {
  /**
   * `true`: children are traced, too (the default). `false`: they are not.
   * `"only"`: the process itself is not traced, only children that it makes
   * from now on; for the process that launches a program. `"first"`: the
   * same, but their children are not traced.
   */
  readonly children?: boolean | "only" | "first";
}

/**
 * Makes the map of targets.
 *
 * @throws {SyscallError}
 */
export function makeTargetMap(maxTargets = 1 << 16): BpfMap {
  return new BpfMap({
    name: MAP.targets,
    type: MapType.HASH,
    keySize: 4,
    valueSize: TARGET_VALUE_SIZE,
    maxEntries: maxTargets,
    flags: BPF_F_NO_PREALLOC,
  });
}

/** Reads and writes the map of targets. */
export class TargetSet {
  readonly #map: BpfMap;
  readonly #ids: ProcessIds;
  readonly #key = new Uint8Array(4);
  readonly #value = new Uint8Array(TARGET_VALUE_SIZE);

  /** The map stays the caller's. */
  constructor(map: BpfMap, ids: ProcessIds) {
    this.#map = map;
    this.#ids = ids;
  }

  /**
   * Adds a process.
   *
   * @param pid process id as this process sees it
   * @returns whether there is such a process
   * @throws {SyscallError} E2BIG when there are too many
   */
  add(pid: number, options: TargetOptions = {}): boolean {
    const { children = true } = options;
    const flags = children === "only"
      ? TARGET_FLAG.CHILDREN_ONLY
      : children === "first"
      ? TARGET_FLAG.CHILDREN_ONLY | TARGET_FLAG.ONE_GENERATION
      : TARGET_FLAG.TRACED | (children ? 0 : TARGET_FLAG.NO_FOLLOW);
    if (!this.#setKey(pid)) return false;
    new DataView(this.#value.buffer).setUint32(0, flags, true);
    this.#map.update(this.#key, this.#value);
    return true;
  }

  /**
   * Removes a process.
   *
   * @returns whether it was there
   */
  remove(pid: number): boolean {
    return this.#setKey(pid) && this.#map.delete(this.#key);
  }

  /** Whether a process is in the set. */
  has(pid: number): boolean {
    return this.#setKey(pid) && this.#map.lookup(this.#key, this.#value);
  }

  /** Ids of all processes in the set, as this process sees them. */
  list(): number[] {
    const found: number[] = [];
    for (const key of this.#map.keys()) {
      const view = new DataView(key.buffer, key.byteOffset);
      const pid = this.#ids.toInner(view.getUint32(0, true));
      if (pid !== undefined) found.push(pid);
    }
    return found;
  }

  #setKey(pid: number): boolean {
    const outer = this.#ids.toOuter(pid);
    if (outer === undefined) return false;
    new DataView(this.#key.buffer).setUint32(0, outer, true);
    return true;
  }
}
