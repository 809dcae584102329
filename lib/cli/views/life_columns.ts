/**
 * Columns of `tracedump life`. Widths and headings of the first ones are those
 * of tcplife, which scripts take apart.
 *
 * @module
 */
import type { Column } from "../../text/table.ts";
import type { SessionRow } from "../../views/rows.ts";
import { printable } from "../text.ts";
import { TIME_COLUMN, timestampColumn } from "./time_columns.ts";

/** Columns that can be added. */
export const EXTRA_COLUMNS = [
  "retrans",
  "rtt",
  "closed",
  "error",
  "uid",
  "netns",
  "cgroup",
  "owner",
] as const;

/** Name of a column that can be added. */
export type ExtraColumn = typeof EXTRA_COLUMNS[number];

/** What the columns depend on. */
export interface LifeColumnOptions {
  readonly time: boolean;
  readonly timestamp: boolean;
  readonly wide: boolean;
  readonly csv: boolean;
  /** Exact bytes instead of KiB. */
  readonly bytes: boolean;
  /** Tells what was open before, or still is. */
  readonly marks: boolean;
  readonly extra: readonly ExtraColumn[];
}

const KIB = 1024;

const EXTRAS: Readonly<Record<ExtraColumn, Column<SessionRow>>> = {
  retrans: {
    title: "RETRANS",
    width: 7,
    right: true,
    value: ({ retransmits }) => retransmits,
  },
  rtt: {
    title: "RTT_MS",
    width: 8,
    right: true,
    digits: 3,
    value: ({ roundTrip }) => roundTrip / 1000,
  },
  closed: { title: "CLOSED", width: 12, value: ({ closedBy }) => closedBy },
  error: { title: "ERROR", width: 12, value: ({ error }) => error ?? "-" },
  uid: { title: "UID", width: 6, value: ({ uid }) => uid },
  netns: { title: "NETNS", width: 10, value: ({ netns }) => netns },
  cgroup: { title: "CGROUP", width: 8, value: ({ cgroup }) => cgroup },
  owner: { title: "OWNER", width: 10, value: ({ ownerFrom }) => ownerFrom },
};

const OPEN_COLUMN: Column<SessionRow> = {
  title: "OPEN",
  width: 12,
  value: ({ openBefore, stillOpen }) =>
    openBefore
      ? stillOpen ? "before+still" : "before"
      : stillOpen
      ? "still"
      : "-",
};

/** Returns the columns, in order. */
export function lifeColumns(
  options: LifeColumnOptions,
): readonly Column<SessionRow>[] {
  const { csv, wide } = options;
  const full = csv || wide;
  const address = wide && !csv ? 39 : 15;
  const amount = options.bytes ? 12 : wide && !csv ? 6 : 5;
  const unit = options.bytes ? "B" : "KB";
  const count = (bytes: number): number =>
    options.bytes ? bytes : Math.floor(bytes / KIB);
  const more = [
    ...options.marks ? [OPEN_COLUMN] : [],
    ...options.extra.map((name) => EXTRAS[name]),
  ];
  const columns: Column<SessionRow>[] = [
    ...options.time ? [TIME_COLUMN] : [],
    ...options.timestamp ? [timestampColumn(6)] : [],
    { title: "PID", width: 5, value: ({ pid }) => pid },
    csv ? { title: "COMM", width: 0, value: ({ comm }) => comm } : {
      title: "COMM",
      width: wide ? 16 : 10,
      cut: wide ? 16 : 10,
      value: ({ comm }) => printable(comm),
    },
    ...full
      ? [{
        title: "IP",
        width: 2,
        value: ({ family }: SessionRow): number => family,
      }]
      : [],
    { title: "LADDR", width: address, value: (row) => row.localAddress },
    { title: "LPORT", width: 5, value: (row) => row.localPort },
    { title: "RADDR", width: address, value: (row) => row.remoteAddress },
    { title: "RPORT", width: 5, value: (row) => row.remotePort },
    {
      title: `TX_${unit}`,
      width: amount,
      right: true,
      value: (row) => count(row.bytesSent),
    },
    {
      title: `RX_${unit}`,
      width: amount,
      right: true,
      value: (row) => count(row.bytesReceived),
    },
    {
      title: "MS",
      width: more.length > 0 ? 9 : 0,
      digits: 2,
      value: ({ duration }) => duration,
    },
    ...more,
  ];
  return withoutPadding(columns);
}

/** Nothing follows the last column. */
function withoutPadding(
  columns: readonly Column<SessionRow>[],
): readonly Column<SessionRow>[] {
  const last = columns.at(-1);
  return last === undefined || last.right === true
    ? columns
    : [...columns.slice(0, -1), { ...last, width: 0 }];
}
