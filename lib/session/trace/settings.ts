/**
 * What can be set on a trace before it starts and while it is paused.
 *
 * @module
 */
import { TraceError } from "./errors.ts";
import { compileFilter, PacketFilter } from "./filter.ts";
import type { TraceAddress } from "./uri.ts";

/**
 * Settings of a trace; what is left out stays as it is.
 * See {@linkcode openTrace}.
 */
export interface TraceConfiguration {
  /**
   * Only packets that match: an expression, see `docs/filter.md`, or one that
   * was compiled. Empty for all packets, which is the default.
   */
  readonly filter?: string | PacketFilter;
  /**
   * Bytes to keep of each packet, link header included; 0 (the default) for
   * all.
   */
  readonly snaplen?: number;
  /**
   * Interfaces only: also take packets that are addressed to others. Default
   * false.
   */
  readonly promiscuous?: boolean;
  /**
   * Milliseconds that a read may wait for a packet; 0 (the default) for no
   * limit.
   */
  readonly timeout?: number;
}

/** Settings as they are in force. See {@linkcode openTrace}. */
export interface TraceSettings {
  /** Undefined for all packets. */
  readonly filter: PacketFilter | undefined;
  /** Bytes; 0 for all. */
  readonly snaplen: number;
  /** Interfaces only: packets that are addressed to others are taken, too. */
  readonly promiscuous: boolean;
  /** Milliseconds; 0 for no limit. */
  readonly timeout: number;
}

/** Settings of a new trace. */
export const DEFAULT_SETTINGS: TraceSettings = {
  filter: undefined,
  snaplen: 0,
  promiscuous: false,
  timeout: 0,
};

const MAX_SNAPLEN = 0xffff_ffff;
/** Longest time of a timer of the runtime, in milliseconds: 24 days. */
const MAX_TIMEOUT = 0x7fff_ffff;

/**
 * Settings after a change.
 *
 * @param uri Names the trace in messages.
 * @throws {FilterSyntaxError} when the filter has a mistake
 * @throws {RangeError} when a number is out of its range
 * @throws {TraceError} `setting` when the kind of trace has no such setting
 */
export function changeSettings(
  settings: TraceSettings,
  change: TraceConfiguration,
  uri: string,
  kind: TraceAddress["kind"],
): TraceSettings {
  const {
    snaplen = settings.snaplen,
    promiscuous = settings.promiscuous,
    timeout = settings.timeout,
  } = change;
  if (!Number.isInteger(snaplen) || snaplen < 0 || snaplen > MAX_SNAPLEN) {
    throw new RangeError(
      `Cannot configure ${uri}: snaplen ${snaplen} is not in 0 to ${MAX_SNAPLEN}`,
    );
  }
  if (!(timeout >= 0 && timeout <= MAX_TIMEOUT)) {
    throw new RangeError(
      `Cannot configure ${uri}: timeout ${timeout} is not in 0 to ${MAX_TIMEOUT}`,
    );
  }
  if (promiscuous && kind !== "interface") {
    throw new TraceError(
      "setting",
      `Cannot configure ${uri}: promiscuous mode is for interfaces`,
    );
  }
  const filter = change.filter === undefined
    ? settings.filter
    : filterOf(change.filter);
  if (filter?.usesProcess && kind === "interface") {
    throw new TraceError(
      "setting",
      `Cannot configure ${uri}: the packets of an interface have no process; ` +
        "use pid: or cmd:",
    );
  }
  return { filter, snaplen, promiscuous, timeout };
}

function filterOf(filter: string | PacketFilter): PacketFilter | undefined {
  if (filter instanceof PacketFilter) return filter;
  return filter.trim() === "" ? undefined : compileFilter(filter);
}
