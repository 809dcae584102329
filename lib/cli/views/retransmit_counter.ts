/**
 * Counting segments that are sent again instead of showing them.
 *
 * @module
 */
import type { Column } from "../../text/table.ts";
import type { RetransmitRow } from "../../views/rows.ts";
import type { OutputForm } from "./printer.ts";
import { endText } from "./retransmit_columns.ts";
import { type Count, RowCounter } from "./row_counter.ts";

interface Flow {
  readonly family: 4 | 6;
  readonly local: string;
  readonly remote: string;
}

/** Columns of tcpretrans. */
const COLUMNS: readonly Column<Count<Flow>>[] = [
  { title: "LADDR:LPORT", width: 25, value: ({ local }) => local },
  { title: "RADDR:RPORT", width: 25, value: ({ remote }) => remote },
  { title: "RETRANSMITS", width: 0, value: ({ count }) => count },
];

/** Makes a counter by connection. */
export class RetransmitCounter extends RowCounter<RetransmitRow, Flow> {
  /** Begins at zero. */
  constructor(form: OutputForm) {
    super(form, COLUMNS, (row) => ({
      family: row.family,
      local: endText(row.localAddress, row.localPort),
      remote: endText(row.remoteAddress, row.remotePort),
    }));
  }
}
