/**
 * Columns of `tracedump connect`.
 *
 * @module
 */
import type { Column } from "../../text/table.ts";
import type { ConnectionRow } from "../../views/rows.ts";
import { printable } from "../text.ts";
import { TIME_COLUMN, timestampColumn } from "./time_columns.ts";

/** What the columns depend on. */
export interface ConnectColumnOptions {
  readonly time: boolean;
  readonly timestamp: boolean;
  readonly wide: boolean;
  readonly csv: boolean;
  readonly uid: boolean;
  readonly udp: boolean;
  /** The name that DNS was asked for. */
  readonly dns: boolean;
}

/** Returns the columns, in order. */
export function connectColumns(
  options: ConnectColumnOptions,
): readonly Column<ConnectionRow>[] {
  const { csv, wide } = options;
  const address = wide && !csv ? 39 : 15;
  const nothing = csv ? "" : "-";
  const column = (
    title: string,
    width: number,
    value: Column<ConnectionRow>["value"],
  ): Column<ConnectionRow> => ({ title, width, value });
  return [
    // The time of day unless the seconds are enough.
    ...options.time || !options.timestamp ? [TIME_COLUMN] : [],
    ...options.timestamp ? [timestampColumn(3)] : [],
    ...options.uid ? [column("UID", 6, ({ uid }) => uid)] : [],
    column("PID", 7, ({ pid }) => pid),
    csv ? column("COMM", 0, ({ comm }) => comm) : {
      ...column("COMM", wide ? 16 : 12, ({ comm }) => printable(comm)),
      cut: wide ? 16 : 12,
    },
    ...csv || wide ? [column("IP", 2, ({ family }) => family)] : [],
    ...options.udp ? [column("PROTO", 5, ({ protocol }) => protocol)] : [],
    column("SADDR", address, (row) => row.localAddress),
    column("SPORT", 5, (row) => row.localPort),
    column("DADDR", address, (row) => row.remoteAddress),
    column("DPORT", 5, (row) => row.remotePort),
    column("RESULT", 13, ({ result }) => result),
    {
      ...column(
        "LAT(ms)",
        8,
        ({ latency }) => latency ?? nothing,
      ),
      right: true,
      digits: 3,
    },
    ...options.dns ? [column("QUERY", 0, ({ name }) => name ?? nothing)] : [],
  ];
}
