/**
 * Columns of `tracedump states`, those of tcpstates.
 *
 * @module
 */
import type { Column } from "../../text/table.ts";
import type { StateRow } from "../../views/rows.ts";
import { printable } from "../text.ts";
import { TIME_COLUMN, timestampColumn } from "./time_columns.ts";

/** What the columns depend on. */
export interface StateColumnOptions {
  readonly time: boolean;
  readonly timestamp: boolean;
  readonly wide: boolean;
  readonly csv: boolean;
}

/** Returns the columns, in order. */
export function stateColumns(
  { time, timestamp, wide, csv }: StateColumnOptions,
): readonly Column<StateRow>[] {
  const address = wide ? 39 : 15;
  const family: Column<StateRow> = {
    title: "IP",
    width: 2,
    value: (row) => row.family,
  };
  return [
    ...time ? [TIME_COLUMN] : [],
    ...timestamp ? [timestampColumn(6)] : [],
    { title: "SKADDR", width: 16, value: ({ socket }) => socket },
    { title: "C-PID", width: 5, value: ({ pid }) => pid },
    csv ? { title: "C-COMM", width: 0, value: ({ comm }) => comm } : {
      title: "C-COMM",
      width: wide ? 16 : 10,
      cut: wide ? 16 : 10,
      value: ({ comm }) => printable(comm),
    },
    ...wide || csv ? [family] : [],
    { title: "LADDR", width: address, value: (row) => row.localAddress },
    { title: "LPORT", width: 5, value: (row) => row.localPort },
    { title: "RADDR", width: address, value: (row) => row.remoteAddress },
    { title: "RPORT", width: 5, value: (row) => row.remotePort },
    { title: "OLDSTATE", width: 11, value: (row) => row.oldState },
    ...csv
      ? []
      : [{ title: "->", width: 2, value: (_: StateRow): string => "->" }],
    { title: "NEWSTATE", width: 11, value: (row) => row.newState },
    { title: "MS", width: 0, digits: 3, value: ({ duration }) => duration },
  ];
}
