/**
 * Watching the machine: rows as they come, until somebody stops.
 *
 * @module
 */
import type { ViewRow } from "./rows.ts";

/** Which processes are watched. See {@linkcode watchConnections}. */
export type WatchScope =
  /** All of the machine. */
  | { readonly kind: "all" }
  /** Some that run already. */
  | {
    readonly kind: "processes";
    readonly pids: readonly number[];
    /** With all their descendants, also those that come later. */
    readonly tree: boolean;
  }
  /** Those that this process starts from now on, with their descendants. */
  | { readonly kind: "children" };

/**
 * Which rows are wanted; everything unless told.
 * See {@linkcode watchConnections}.
 */
export interface RowFilter {
  /** Version of IP. */
  readonly family?: 4 | 6;
  /** Any of these ports at this end. */
  readonly localPorts?: ReadonlySet<number>;
  /** Any of these ports at the other end. */
  readonly remotePorts?: ReadonlySet<number>;
  /** Number of the process's user. */
  readonly uid?: number;
  /** A folder of the cgroup2 hierarchy; those below it are included. */
  readonly cgroup?: string;
}

/** What every view can be told. See {@linkcode watchConnections}. */
export interface WatchOptions {
  /** Default: all of the machine. */
  readonly scope?: WatchScope;
  /** Default: every row. */
  readonly filter?: RowFilter;
  /** Milliseconds between two looks at the ring. */
  readonly interval?: number;
  /** Switches parts of eBPF off, so that what replaces them can be tested. */
  readonly without?: readonly WatchFeature[];
}

/** What a view can do without, in another way. */
export const WATCH_FEATURES: readonly WatchFeature[] = [
  "ebpf",
  "slots",
  "tp_btf",
  "fentry",
  "cgroup",
  "probe",
  "iterator",
];

/** One of {@linkcode WATCH_FEATURES}. See {@linkcode watchConnections}. */
export type WatchFeature =
  | "ebpf"
  | "slots"
  | "tp_btf"
  | "fentry"
  | "cgroup"
  | "probe"
  | "iterator";

/** What is missing. See {@linkcode watchConnections}. */
export interface ViewLosses {
  /** Records that the ring had no space for: as many rows are missing. */
  readonly records: number;
  /** Sockets that could not be kept: their owner or their row is missing. */
  readonly sockets: number;
  /**
   * Runs of programs that the kernel left out, because they would have
   * interrupted a run of the same program: what happened then was not seen.
   */
  readonly runs: number;
}

/** Environment variable that switches features off: names with commas. */
const WITHOUT = "TRACEDUMP_WITHOUT";

/** What the environment switches off. */
export function switchedOff(): readonly WatchFeature[] {
  const names = (Deno.env.get(WITHOUT) ?? "").split(",");
  return WATCH_FEATURES.filter((feature) => names.includes(feature));
}

/** Rows as they come. See {@linkcode watchConnections}. */
export interface Watch<Row> extends AsyncIterable<Row>, Disposable {
  /** What has to be said about how the rows are found, one line each. */
  readonly notices: readonly string[];
  /** What the kernel refused, in its own words. */
  readonly details: readonly string[];
  /** The rows since the last call, without waiting. */
  take(): Row[];
  /**
   * The same without an object for each row: it may change when the callback
   * has returned.
   */
  visit(callback: (row: Row) => void): void;
  /** The last rows: about what has not ended. Nothing comes after it. */
  finish(): Row[];
  /** What is missing so far. */
  readonly losses: ViewLosses;
  /** Whether every watched process and its connections have ended. */
  readonly over: boolean;
  /** The command was started: later children are not watched. */
  launched(): void;
  /** Ends the iteration. */
  stop(): void;
}

/** Milliseconds between two looks unless told. */
export const WATCH_INTERVAL = 50;

/** Ids of cgroups. */
export interface CgroupIds {
  /** Whether a cgroup is one of them. */
  has(id: number): boolean;
}

/** Whether a row is wanted; `cgroups` stands for the filter's folder. */
export function isWanted(
  row: ViewRow,
  filter: RowFilter,
  cgroups?: CgroupIds,
): boolean {
  const { family, localPorts, remotePorts, uid } = filter;
  return (family === undefined || row.family === family) &&
    (localPorts === undefined || localPorts.has(row.localPort)) &&
    (remotePorts === undefined || remotePorts.has(row.remotePort)) &&
    (uid === undefined || row.uid === uid) &&
    (cgroups === undefined || cgroups.has(row.cgroup));
}

/** Iterates over the rows of a watch until it is over or stopped. */
export async function* rowsOf<Row>(
  watch: Pick<Watch<Row>, "take" | "finish" | "over" | "stop">,
  isStopped: () => boolean,
  interval: number,
): AsyncGenerator<Row, void, void> {
  try {
    while (!isStopped() && !watch.over) {
      yield* watch.take();
      await new Promise((resolve) => setTimeout(resolve, interval));
    }
    yield* watch.take();
    yield* watch.finish();
  } finally {
    watch.stop();
  }
}
