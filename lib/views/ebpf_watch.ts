/**
 * Watching by programs in the kernel.
 *
 * @module
 */
import type { ViewFeatures } from "../../bpf/programs/views/features.ts";
import { realTimeOffset } from "../../ffi/clock.ts";
import { missingFor, readRights, rightsText } from "../proc/rights.ts";
import { processTree } from "../proc/task.ts";
import { CgroupTree } from "./cgroups.ts";
import { ViewError } from "./errors.ts";
import type { TargetSet } from "../trace/ebpf_targets.ts";
import { KernelSource } from "./kernel_source.ts";
import { openFailure } from "./open_failure.ts";
import type { ViewRecord } from "./record.ts";
import type { RecordContext } from "./record_rows.ts";
import type { ViewRow } from "./rows.ts";
import {
  type CgroupIds,
  isWanted,
  rowsOf,
  switchedOff,
  type ViewLosses,
  type Watch,
  WATCH_INTERVAL,
  type WatchFeature,
  type WatchOptions,
  type WatchScope,
} from "./watch.ts";

/** How often the difference of the clocks is measured, milliseconds. */
const CLOCK_INTERVAL = 1000;
/** How often it is checked whether watched processes live, alike. */
const SCOPE_INTERVAL = 100;
/** Longest wait for connections of processes that have ended, alike. */
const LINGER = 2000;

/** Makes rows of records. */
export interface RowMaker<Row extends ViewRow> {
  /** What the kernel is asked to tell. */
  readonly features: Omit<ViewFeatures, "filtered">;
  /**
   * The row of a record, perhaps a window on it; `undefined` when there is
   * nothing to say.
   */
  row(record: ViewRecord, context: RecordContext): Row | undefined;
  /** Copies a row that is such a window. */
  keep?(row: Row): Row;
  /** Whether it matters what was open before. */
  readonly usesDescriptors?: boolean;
  /** Rows about what is under way when the watch ends. */
  last?(source: KernelSource, context: RecordContext): Row[];
  /** Ends what the maker has opened. */
  close?(): void;
}

/** Watches with programs in the kernel. */
export class EbpfWatch<Row extends ViewRow> implements Watch<Row> {
  readonly notices: readonly string[];
  readonly details: readonly string[];
  readonly #source: KernelSource;
  readonly #maker: RowMaker<Row>;
  readonly #options: WatchOptions;
  readonly #context: RecordContext & { clockOffset: number };
  readonly #cgroups: CgroupIds | undefined;
  #clockAt = 0;
  #scopeAt = 0;
  #watching: boolean;
  #deadline: number | undefined;
  #over = false;
  #stopped = false;

  /**
   * Begins to watch.
   *
   * @throws {ViewError} when a process of the scope does not exist
   * @throws {ProgramLoadError} when the kernel refuses a program
   * @throws {SyscallError} when it refuses something else
   */
  constructor(maker: RowMaker<Row>, options: WatchOptions) {
    const scope = options.scope ?? { kind: "all" };
    this.#maker = maker;
    this.#options = options;
    const cgroup = options.filter?.cgroup;
    this.#cgroups = cgroup === undefined ? undefined : new CgroupTree(cgroup);
    this.#source = new KernelSource(
      { ...maker.features, filtered: scope.kind !== "all" },
      options.without ?? switchedOff(),
    );
    const { began, ids } = this.#source;
    this.#context = { clockOffset: 0, began, ids };
    this.#watching = scope.kind !== "children";
    try {
      this.#watch(scope);
      // What is there already is known from here on.
      this.#source.readSockets(() => {});
    } catch (error) {
      this.#source.close();
      throw error;
    }
    const { refused } = this.#source;
    this.notices = refused.filter(({ loss }) =>
      LOSSES[loss] !== undefined &&
      (loss !== "iterator" || maker.usesDescriptors === true)
    ).map(({ loss }) => lossText(loss));
    this.details = refused.map(({ error }) => error.message);
  }

  take(): Row[] {
    const rows: Row[] = [];
    this.visit((row) => rows.push(this.#maker.keep?.(row) ?? row));
    return rows;
  }

  visit(callback: (row: Row) => void): void {
    const context = this.#now();
    const maker = this.#maker;
    this.#source.read((record) => {
      const row = maker.row(record, context);
      if (row !== undefined && this.#isWanted(row)) callback(row);
    });
  }

  finish(): Row[] {
    const last = this.#maker.last?.(this.#source, this.#now()) ?? [];
    return last.filter((row) => this.#isWanted(row));
  }

  get losses(): ViewLosses {
    return this.#source.losses;
  }

  get over(): boolean {
    if ((this.#options.scope ?? ALL).kind === "all") return false;
    const now = performance.now();
    if (!this.#over && this.#watching && now >= this.#scopeAt) {
      this.#scopeAt = now + SCOPE_INTERVAL;
      if (this.#source.targets.list().length > 0) return false;
      this.#deadline ??= now + LINGER;
      this.#over = now > this.#deadline || !this.#source.hasWatchedSessions();
    }
    return this.#over;
  }

  launched(): void {
    this.#source.targets.remove(Deno.pid);
    this.#watching = true;
  }

  stop(): void {
    this.#stopped = true;
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#source.close();
    this.#maker.close?.();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Row, void, void> {
    return rowsOf(
      this,
      () => this.#stopped,
      this.#options.interval ?? WATCH_INTERVAL,
    );
  }

  #isWanted(row: Row): boolean {
    const { filter } = this.#options;
    return filter === undefined || isWanted(row, filter, this.#cgroups);
  }

  #watch(scope: WatchScope): void {
    const { targets } = this.#source;
    if (scope.kind === "children") {
      targets.add(Deno.pid, { children: "only" });
    } else if (scope.kind === "processes") {
      for (const pid of scope.pids) watchProcess(targets, pid, scope.tree);
    }
  }

  #now(): RecordContext {
    const now = performance.now();
    if (now >= this.#clockAt) {
      this.#clockAt = now + CLOCK_INTERVAL;
      this.#context.clockOffset = Number(realTimeOffset()) / 1e6;
    }
    return this.#context;
  }
}

/**
 * Begins to watch.
 *
 * @throws {ViewError} when that is not permitted or not possible here
 */
export function openWatch<Row extends ViewRow>(
  maker: RowMaker<Row>,
  options: WatchOptions,
): Watch<Row> {
  try {
    if ((options.without ?? switchedOff()).includes("ebpf")) {
      throw new ViewError(
        "unsupported",
        "Cannot watch the machine: eBPF is switched off",
      );
    }
    return new EbpfWatch(maker, options);
  } catch (error) {
    maker.close?.();
    if (!(error instanceof Error)) throw error;
    throw openFailure(error, maker.features.attempts === true);
  }
}

const ALL: WatchScope = { kind: "all" };

/** One line about what the kernel refused. */
function lossText(loss: WatchFeature): string {
  const missing = loss === "cgroup" ? missingFor(readRights(), "cg") : [];
  const text = LOSSES[loss] ?? "";
  const [what, ...rest] = text.split(": ");
  return missing.length === 0
    ? text
    : `${what}, ${rightsText(missing)} ${
      missing.length === 1 ? "is" : "are"
    } missing: ${rest.join(": ")}`;
}

/** What is lost with what the kernel refused; nothing but time where unset. */
const LOSSES: Readonly<Partial<Record<WatchFeature, string>>> = {
  ebpf: "eBPF cannot be used: nothing is seen",
  cgroup: "cgroup hooks cannot be used: attempts that fail at once, and UDP, " +
    "are not seen",
  probe: "kernel memory cannot be read: who accepted a connection is known " +
    "only when it is closed",
  iterator: "open descriptors cannot be listed: the owners of connections " +
    "that were open before are not known",
};

/** Watches a process, with all its descendants if asked for. */
function watchProcess(targets: TargetSet, pid: number, tree: boolean): void {
  const seen = new Set<number>();
  // Processes may appear while their parents are being added.
  for (let found = true; found;) {
    found = false;
    for (const id of processTree(pid).slice(0, tree ? undefined : 1)) {
      if (seen.has(id) || id === Deno.pid) continue;
      seen.add(id);
      found = targets.add(id, { children: tree }) || found;
    }
  }
  if (seen.size > 0) return;
  throw new ViewError("not-found", `No process ${pid}`, {
    hint: "List processes with ps -e",
  });
}
