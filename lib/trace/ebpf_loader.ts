/**
 * Loading the eBPF tracker: maps, the packet filter, and the variant of the
 * tracker that this kernel and these rights permit.
 *
 * @module
 */
import { encodeBtf } from "../../bpf/btf/encode.ts";
import { callResultProgram } from "../../bpf/programs/call_results.ts";
import type { KernelTypes } from "../../bpf/programs/kernel_types.ts";
import {
  COUNTERS,
  MAP,
  MARK,
  SOCK_KEY_SIZE,
} from "../../bpf/programs/layout.ts";
import type { Program } from "../../bpf/programs/program.ts";
import {
  SOCK_OPS_ABILITIES,
  sockOpsProgram,
} from "../../bpf/programs/cgroup_tcp.ts";
import { cgroupPrograms } from "../../bpf/programs/tracker_cg.ts";
import { trampolinePrograms } from "../../bpf/programs/tracker_fe.ts";
import { processPrograms } from "../../bpf/programs/tracker_process.ts";
import {
  closeProgram,
  TRACING_ABILITIES,
} from "../../bpf/programs/tracker_sock.ts";
import { tracepointPrograms } from "../../bpf/programs/tracker_tp.ts";
import { loadBtf } from "../../ffi/bpf.ts";
import { openCgroupRoot } from "../../ffi/bpf_cgroup.ts";
import {
  BPF_F_CLONE,
  BPF_F_MMAPABLE,
  BPF_F_NO_PREALLOC,
  BpfMap,
  MapType,
} from "../../ffi/bpf_map.ts";
import type { BpfLink } from "../../ffi/bpf_link.ts";
import { BpfRingBuffer } from "../../ffi/bpf_ring_buffer.ts";
import type { Fd } from "../../ffi/fd.ts";
import {
  attachProgram,
  type Descriptors,
  firstOf,
  readKernelTypes,
} from "./ebpf_attach.ts";
import { KernelFilter, type KernelFilterOptions } from "./ebpf_filter.ts";
import {
  isInPidNamespace,
  NamespaceIds,
  SAME_IDS,
} from "./ebpf_process_ids.ts";
import { makeTargetMap } from "./ebpf_targets.ts";
import { EbpfTracker } from "./ebpf_tracker.ts";

/** Ways to follow sockets, best first. */
export const VARIANTS = ["cg", "fe", "tp"] as const;

/** A way to follow sockets. */
export type Variant = typeof VARIANTS[number];

/** How one variant fared. */
export interface VariantProbe {
  /** Which one. */
  readonly variant: Variant;
  /** Why it cannot be used; `undefined` for the one that is in use. */
  readonly error: Error | undefined;
  /** Milliseconds that loading and attaching took. */
  readonly milliseconds: number;
}

/** How the tracker is loaded. */
export interface LoadOptions extends KernelFilterOptions {
  /** Variants to try, in this order; all of them unless told. */
  readonly variants?: readonly Variant[];
  /** Bytes of the event ring, a power of two and whole pages. */
  readonly ringSize?: number;
  /** Processes that can be traced at a time. */
  readonly maxTargets?: number;
  /** Sockets that can be remembered by address (variants `fe` and `tp`). */
  readonly maxSockets?: number;
  /** Also tell how calls end, where that is permitted. */
  readonly callResults?: boolean;
}

/** No variant of the tracker can be used. */
export class TrackerLoadError extends Error {
  /** Name of the class. */
  override readonly name = "TrackerLoadError";
  /** Why, for each variant that was tried. */
  readonly probes: readonly VariantProbe[];

  /** Makes the error from the outcome of all trials. */
  constructor(probes: readonly VariantProbe[]) {
    const reasons = probes.map(({ variant, error }) =>
      `${variant}: ${error?.message}`
    );
    super(`Cannot load the eBPF tracker: ${reasons.join("; ")}`);
    this.probes = probes;
  }
}

/** Maps that only the tracker uses. */
export interface TrackerMaps {
  /** Followed processes. */
  readonly targets: BpfMap;
  /** Marks, stored with sockets. */
  readonly marks: BpfMap;
  /** The event ring. */
  readonly events: BpfMap;
  /** What did not fit. */
  readonly counters: BpfMap;
}

/**
 * Loads filter and tracker. Nothing is traced and no packet passes before
 * targets are added and the filter is opened.
 *
 * Requires CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN (for variant `cg`), or
 * CAP_SYS_ADMIN, and the kernel's BTF.
 *
 * @throws {TrackerLoadError} when no variant can be used
 * @throws {SyscallError} when not even maps can be made
 * @throws {ProgramLoadError} when the filter is refused
 */
export function loadTracker(options: LoadOptions = {}): EbpfTracker {
  using stack = new DisposableStack();
  const filter = stack.use(new KernelFilter(options));
  const ringSize = options.ringSize ?? 1 << 20;
  const maps = makeMaps(options, ringSize, stack);
  const descriptors = {
    ...filter.descriptors(),
    ...Object.fromEntries(
      Object.entries(maps).map(([name, map]) => [name, map.fd]),
    ),
  };
  const types = readKernelTypes();
  const ids = isInPidNamespace()
    ? stack.use(new NamespaceIds(types))
    : SAME_IDS;
  const { attached, probes, variant } = attachFirst(
    options.variants ?? VARIANTS,
    { types, descriptors, maxSockets: options.maxSockets ?? MAX_SOCKETS },
  );
  stack.use(attached.owned);
  let callResultsError: Error | undefined;
  try {
    if (options.callResults === true) {
      stack.use(attachProgram(callResultProgram(types), descriptors));
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    callResultsError = error;
  }
  const counters = stack.use(maps.counters.mapMemory(COUNTERS.size));
  const ring = stack.use(new BpfRingBuffer(maps.events, ringSize));
  return new EbpfTracker({
    filter,
    maps,
    variant,
    links: attached.links,
    probes,
    callResultsError,
    ring,
    ids,
    counters: new DataView(counters.buffer()),
    owned: stack.move(),
  });
}

function makeMaps(
  options: LoadOptions,
  ringSize: number,
  stack: DisposableStack,
): TrackerMaps {
  // Storage of sockets needs the types of its key and value.
  using btf = loadBtf(encodeBtf([
    { kind: "INT", name: "u32", size: 4 },
    { kind: "INT", name: "u64", size: 8 },
    { kind: "ARRAY", element: 2, index: 1, count: MARK.size / 8 },
  ]));
  const make = (map: ConstructorParameters<typeof BpfMap>[0]): BpfMap =>
    stack.use(new BpfMap(map));
  return {
    targets: stack.use(makeTargetMap(options.maxTargets)),
    marks: make({
      name: MAP.marks,
      type: MapType.SK_STORAGE,
      keySize: 4,
      valueSize: MARK.size,
      maxEntries: 0,
      flags: BPF_F_NO_PREALLOC | BPF_F_CLONE,
      btf: { fd: btf.number, keyTypeId: 1, valueTypeId: 3 },
    }),
    events: make({
      name: MAP.events,
      type: MapType.RINGBUF,
      keySize: 0,
      valueSize: 0,
      maxEntries: ringSize,
    }),
    counters: make({
      name: MAP.counters,
      type: MapType.ARRAY,
      keySize: 4,
      valueSize: COUNTERS.size,
      maxEntries: 1,
      flags: BPF_F_MMAPABLE,
    }),
  };
}

/** What all variants are made with. */
interface Ingredients {
  readonly types: KernelTypes;
  readonly descriptors: Descriptors;
  readonly maxSockets: number;
}

/** Sockets that are remembered by address unless told. */
const MAX_SOCKETS = 1 << 16;

function attachFirst(
  variants: readonly Variant[],
  ingredients: Ingredients,
): { attached: Attached; probes: VariantProbe[]; variant: Variant } {
  const probes: VariantProbe[] = [];
  for (const variant of variants) {
    const begin = performance.now();
    const milliseconds = (): number => performance.now() - begin;
    try {
      const attached = attachVariant(variant, ingredients);
      probes.push({ variant, error: undefined, milliseconds: milliseconds() });
      return { attached, probes, variant };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      probes.push({ variant, error, milliseconds: milliseconds() });
    }
  }
  throw new TrackerLoadError(probes);
}

/** The programs of a variant. */
interface Attached {
  readonly links: readonly BpfLink[];
  /** Closes the links. */
  readonly owned: DisposableStack;
}

/** Attaches all programs of a variant, or none. */
function attachVariant(
  variant: Variant,
  ingredients: Ingredients,
): Attached {
  const { types } = ingredients;
  using stack = new DisposableStack();
  const descriptors = { ...ingredients.descriptors };
  const links: BpfLink[] = [];
  const attach = (program: Program, cgroup?: Fd): void => {
    links.push(stack.use(attachProgram(program, descriptors, cgroup)));
  };
  if (variant === "cg") {
    using cgroup = openCgroupRoot();
    for (const program of cgroupPrograms()) attach(program, cgroup);
    firstOf(
      SOCK_OPS_ABILITIES,
      (abilities) => attach(sockOpsProgram(abilities), cgroup),
    );
    attach(closeProgram(types));
  } else {
    // Of `tp` nothing tells when some sockets end: the oldest have to go.
    const type = variant === "fe" ? MapType.HASH : MapType.LRU_HASH;
    using socks = makeSocks(type, ingredients.maxSockets);
    descriptors[MAP.socks] = socks.fd;
    const programs = variant === "fe" ? trampolinePrograms : tracepointPrograms;
    firstOf(TRACING_ABILITIES, (abilities) => {
      using trial = new DisposableStack();
      const tried = programs(types, abilities).map((program) =>
        trial.use(attachProgram(program, descriptors))
      );
      stack.use(trial.move());
      links.push(...tried);
    });
  }
  for (const program of processPrograms(types)) attach(program);
  return { links, owned: stack.move() };
}

/** Its programs keep the map alive. */
function makeSocks(type: number, maxEntries: number): BpfMap {
  return new BpfMap({
    name: MAP.socks,
    type,
    keySize: SOCK_KEY_SIZE,
    valueSize: MARK.size,
    maxEntries,
  });
}
