/**
 * Counting attempts to connect instead of showing them.
 *
 * @module
 */
import type { Column } from "../../text/table.ts";
import type { ConnectionRow } from "../../views/rows.ts";
import type { OutputForm } from "./printer.ts";
import { type Count, RowCounter } from "./row_counter.ts";

type Path = Pick<
  ConnectionRow,
  "family" | "localAddress" | "remoteAddress" | "remotePort"
>;

/** Columns of tcpconnect. */
const COLUMNS: readonly Column<Count<Path>>[] = [
  { title: "LADDR", width: 25, value: (row) => row.localAddress },
  { title: "RADDR", width: 25, value: (row) => row.remoteAddress },
  { title: "RPORT", width: 20, value: (row) => row.remotePort },
  { title: "CONNECTS", width: 0, value: ({ count }) => count },
];

/** Makes a counter by local address and remote end. */
export class ConnectCounter extends RowCounter<ConnectionRow, Path> {
  /** Begins at zero. */
  constructor(form: OutputForm) {
    super(form, COLUMNS, (row) => ({
      family: row.family,
      localAddress: row.localAddress,
      remoteAddress: row.remoteAddress,
      remotePort: row.remotePort,
    }));
  }
}
