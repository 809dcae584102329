/**
 * What programs in the kernel tell about the connections of the machine.
 *
 * @module
 */
import type { ViewFeatures } from "../../bpf/programs/views/features.ts";
import {
  CALLER,
  COUNTS,
  DATAGRAM_KEY,
  DATAGRAM_VALUE_SIZE,
  LISTENER_KEY,
  RECORD,
  SLOT,
  SLOTS,
  SOCKET,
  SOCKET_FLAG,
  SOCKET_KEY_SIZE,
  VIEW_MAP,
  type ViewMapName,
} from "../../bpf/programs/views/layout.ts";
import { runIterator } from "../../ffi/bpf_link.ts";
import {
  BPF_F_MMAPABLE,
  BPF_F_NO_PREALLOC,
  BpfMap,
  MapType,
} from "../../ffi/bpf_map.ts";
import type { BpfProgram } from "../../ffi/bpf_program.ts";
import { BpfRingBuffer } from "../../ffi/bpf_ring_buffer.ts";
import { monotonicTime } from "../../ffi/clock.ts";
import { readKernelTypes } from "../trace/ebpf_attach.ts";
import {
  isInPidNamespace,
  NamespaceIds,
  type ProcessIds,
  SAME_IDS,
} from "../trace/ebpf_process_ids.ts";
import { makeTargetMap, TargetSet } from "../trace/ebpf_targets.ts";
import { KeptSockets } from "./kept_sockets.ts";
import { ViewRecord } from "./record.ts";
import { type Refusal, ViewLoader } from "./view_loader.ts";
import type { ViewLosses, WatchFeature } from "./watch.ts";

/** Bytes of the ring: a second of 20,000 connections per second. */
const RING_SIZE = 8 << 20;
/**
 * Sockets that are kept at a time. Memory for them is taken as it is needed,
 * but the table has its full size, and a small one stays in caches.
 */
const MAX_SOCKETS = 1 << 17;
/** Attempts that are under way at a time. */
const MAX_ATTEMPTS = 1 << 16;
/** Ports with a listener, in all network namespaces. */
const MAX_LISTENERS = 1 << 14;
/** Destinations of unconnected UDP sockets that are remembered. */
const MAX_DATAGRAMS = 1 << 14;

/** The programs, their maps, and the reading end of their ring. */
export class KernelSource implements Disposable {
  /** CLOCK_MONOTONIC when everything was attached, nanoseconds. */
  readonly began: number;
  /** Processes that are watched; used when the features say `filtered`. */
  readonly targets: TargetSet;
  /** Translates process ids of records. */
  readonly ids: ProcessIds;
  /** What the kernel refused, and what is lost with it. */
  readonly refused: readonly Refusal[];
  readonly #owned: DisposableStack;
  readonly #loader: ViewLoader;
  readonly #ring: BpfRingBuffer;
  readonly #record: ViewRecord;
  readonly #attempts: KeptSockets;
  readonly #sessions: KeptSockets;
  readonly #counts: DataView;
  readonly #iterator: BpfProgram | undefined;

  /**
   * Loads and attaches what the features need.
   *
   * Requires CAP_BPF and CAP_PERFMON, for attempts also CAP_NET_ADMIN; or
   * CAP_SYS_ADMIN.
   *
   * @throws {ProgramLoadError} when the kernel refuses a program
   * @throws {SyscallError} when it refuses something else
   * @throws {Deno.errors.NotFound} when it has no BTF
   */
  constructor(
    features: ViewFeatures,
    without: readonly WatchFeature[] = [],
  ) {
    using stack = new DisposableStack();
    const maps = makeMaps(stack);
    const types = readKernelTypes();
    this.ids = isInPidNamespace()
      ? stack.use(new NamespaceIds(types))
      : SAME_IDS;
    this.targets = new TargetSet(maps.targets, this.ids);
    const descriptors = Object.fromEntries(
      Object.entries(maps).map(([name, map]) => [name, map.fd]),
    );
    const loader = new ViewLoader(types, features, descriptors, without);
    this.#loader = stack.use(loader);
    loader.attach();
    this.#iterator = loader.loadIterator();
    this.refused = loader.refused;
    const memory = stack.use(maps.counts.mapMemory(COUNTS.size));
    this.#counts = new DataView(memory.buffer());
    this.#ring = stack.use(new BpfRingBuffer(maps.records, RING_SIZE));
    this.#record = new ViewRecord(this.#ring.view, this.#ring.bytes);
    const kept = (slots: BpfMap, others: BpfMap): KeptSockets =>
      stack.use(new KeptSockets(slots, others));
    this.#attempts = kept(maps.attempt_slots, maps.attempts);
    this.#sessions = kept(maps.session_slots, maps.sessions);
    this.began = monotonicTime();
    this.#owned = stack.move();
  }

  /** Hands over all records so far, oldest first. */
  read(take: (record: ViewRecord) => void): number {
    return this.#ring.read((offset) => take(this.#record.moveTo(offset)));
  }

  /** Hands over attempts that are still under way. */
  readAttempts(take: (record: ViewRecord) => void): void {
    const bytes = new Uint8Array(RECORD.size);
    const record = new ViewRecord(new DataView(bytes.buffer), bytes);
    this.#attempts.visit((kept) => {
      bytes.fill(0);
      bytes.set(kept);
      take(record.moveTo(0));
    });
  }

  /**
   * Hands over the TCP connections that processes hold open, each once. What
   * was there before us is known from the first call on.
   */
  readSockets(take: (record: ViewRecord) => void): void {
    if (this.#iterator === undefined) return;
    const bytes = runIterator(this.#iterator);
    const record = new ViewRecord(new DataView(bytes.buffer), bytes);
    const seen = new Set<bigint>();
    for (let at = 0; at + RECORD.size <= bytes.length; at += RECORD.size) {
      const { socket } = record.moveTo(at);
      if (seen.has(socket)) continue;
      seen.add(socket);
      take(record);
    }
  }

  /** Whether a connection of a watched process is kept that has not ended. */
  hasWatchedSessions(): boolean {
    let found = false;
    this.#sessions.visit((_, flags) => {
      if (flags & SOCKET_FLAG.WATCHED) found = true;
    });
    return found;
  }

  /** What is missing so far. */
  get losses(): ViewLosses {
    return {
      records: Number(this.#counts.getBigUint64(COUNTS.lostRecords, true)),
      sockets: Number(this.#counts.getBigUint64(COUNTS.lostSockets, true)),
      runs: this.#loader.missedRuns(),
    };
  }

  /** Detaches everything. */
  close(): void {
    this.#owned.dispose();
  }

  /** Same as {@linkcode KernelSource.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function makeMaps(stack: DisposableStack): Record<ViewMapName, BpfMap> {
  const make = (map: ConstructorParameters<typeof BpfMap>[0]): BpfMap =>
    stack.use(new BpfMap(map));
  const sockets = (name: string, maxEntries: number): BpfMap =>
    make({
      name,
      type: MapType.HASH,
      keySize: SOCKET_KEY_SIZE,
      valueSize: SOCKET.size,
      maxEntries,
      flags: BPF_F_NO_PREALLOC,
    });
  const slots = (name: string, valueSize: number): BpfMap =>
    make({
      name,
      type: MapType.ARRAY,
      keySize: 4,
      valueSize,
      maxEntries: SLOTS,
      flags: BPF_F_MMAPABLE,
    });
  return {
    sessions: sockets(VIEW_MAP.sessions, MAX_SOCKETS),
    session_slots: slots(VIEW_MAP.sessionSlots, SLOT.size),
    attempts: sockets(VIEW_MAP.attempts, MAX_ATTEMPTS),
    attempt_slots: slots(VIEW_MAP.attemptSlots, SLOT.size),
    scratch: make({
      name: VIEW_MAP.scratch,
      type: MapType.PERCPU_ARRAY,
      keySize: 4,
      valueSize: 8,
      maxEntries: 1,
    }),
    caller_slots: slots(VIEW_MAP.callerSlots, CALLER.size),
    listeners: make({
      name: VIEW_MAP.listeners,
      type: MapType.LRU_HASH,
      keySize: LISTENER_KEY.size,
      valueSize: SOCKET.size,
      maxEntries: MAX_LISTENERS,
    }),
    callers: make({
      name: VIEW_MAP.callers,
      type: MapType.HASH,
      keySize: 4,
      valueSize: SOCKET_KEY_SIZE,
      maxEntries: MAX_ATTEMPTS,
      flags: BPF_F_NO_PREALLOC,
    }),
    datagrams: make({
      name: VIEW_MAP.datagrams,
      type: MapType.LRU_HASH,
      keySize: DATAGRAM_KEY.size,
      valueSize: DATAGRAM_VALUE_SIZE,
      maxEntries: MAX_DATAGRAMS,
    }),
    targets: stack.use(makeTargetMap()),
    records: make({
      name: VIEW_MAP.records,
      type: MapType.RINGBUF,
      keySize: 0,
      valueSize: 0,
      maxEntries: RING_SIZE,
    }),
    counts: make({
      name: VIEW_MAP.counts,
      type: MapType.ARRAY,
      keySize: 4,
      valueSize: COUNTS.size,
      maxEntries: 1,
      flags: BPF_F_MMAPABLE,
    }),
  };
}
