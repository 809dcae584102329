/**
 * Columns of `tracedump retrans`, those of tcpretrans.
 *
 * @module
 */
import type { Column } from "../../text/table.ts";
import type { RetransmitRow } from "../../views/rows.ts";
import { TIME_COLUMN } from "./time_columns.ts";

/** What the columns depend on. */
export interface RetransmitColumnOptions {
  readonly sequence: boolean;
  readonly wide: boolean;
  readonly csv: boolean;
}

/** Address and port of an end; IPv6 addresses stand in brackets. */
export function endText(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Returns the columns, in order. */
export function retransmitColumns(
  { sequence, wide, csv }: RetransmitColumnOptions,
): readonly Column<RetransmitRow>[] {
  const end = wide ? 47 : 20;
  const letter = ({ reason }: RetransmitRow): string =>
    reason === "probe" ? "L" : "R";
  const comm: Column<RetransmitRow> = {
    title: "COMM",
    width: 0,
    value: (row) => row.comm,
  };
  return [
    TIME_COLUMN,
    { title: "PID", width: 7, value: ({ pid }) => pid },
    ...csv ? [comm] : [],
    { title: "IP", width: 2, value: ({ family }) => family },
    {
      title: "LADDR:LPORT",
      width: end,
      value: (row) => endText(row.localAddress, row.localPort),
    },
    {
      title: "T>",
      csvTitle: "T",
      width: 2,
      value: csv ? letter : (row): string => `${letter(row)}>`,
    },
    {
      title: "RADDR:RPORT",
      width: end,
      value: (row) => endText(row.remoteAddress, row.remotePort),
    },
    {
      title: "STATE",
      width: sequence ? 11 : 0,
      value: ({ state }) => state,
    },
    ...sequence
      ? [{
        title: "SEQ",
        width: 0,
        value: (row: RetransmitRow): number => row.sequence,
      }]
      : [],
  ];
}
