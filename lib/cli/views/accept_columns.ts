/**
 * Columns of `tracedump accept`, those of tcpaccept.
 *
 * @module
 */
import type { Column } from "../../text/table.ts";
import type { AcceptRow } from "../../views/rows.ts";
import { printable } from "../text.ts";
import { TIME_COLUMN, timestampColumn } from "./time_columns.ts";

/** What the columns depend on. */
export interface AcceptColumnOptions {
  readonly time: boolean;
  readonly timestamp: boolean;
  readonly wide: boolean;
  readonly csv: boolean;
}

/** Returns the columns, in order. */
export function acceptColumns(
  { time, timestamp, wide, csv }: AcceptColumnOptions,
): readonly Column<AcceptRow>[] {
  const address = wide ? 39 : 16;
  return [
    ...time ? [{ ...TIME_COLUMN, width: 9 }] : [],
    ...timestamp ? [timestampColumn(3)] : [],
    { title: "PID", width: 7, value: ({ pid }) => pid },
    csv ? { title: "COMM", width: 0, value: ({ comm }) => comm } : {
      title: "COMM",
      width: wide ? 16 : 12,
      cut: wide ? 16 : 12,
      value: ({ comm }) => printable(comm),
    },
    { title: "IP", width: 2, value: ({ family }) => family },
    { title: "RADDR", width: address, value: (row) => row.remoteAddress },
    { title: "RPORT", width: 5, value: (row) => row.remotePort },
    { title: "LADDR", width: address, value: (row) => row.localAddress },
    { title: "LPORT", width: 0, value: (row) => row.localPort },
  ];
}
