/**
 * The summary of `tracedump life`: sessions by process and by remote address.
 *
 * @module
 */
import { type Column, formatHeader, formatRow } from "../../text/table.ts";
import type { SessionRow } from "../../views/rows.ts";
import { formatBytes, formatCount, formatSpan, printable } from "../text.ts";

/** Rows of each table. */
const MAX_ROWS = 20;

/** Sums of some sessions. */
interface Sum {
  readonly name: string;
  sessions: number;
  sent: number;
  received: number;
  duration: number;
}

const FIGURES: readonly Column<Sum>[] = [
  figure("SESSIONS", ({ sessions }) => formatCount(sessions)),
  figure("SENT", ({ sent }) => formatBytes(sent)),
  figure("RECEIVED", ({ received }) => formatBytes(received)),
  figure(
    "MEAN TIME",
    ({ duration, sessions }) => formatSpan(duration / sessions),
  ),
];

function figure(title: string, value: (row: Sum) => string): Column<Sum> {
  return { title, width: 10, right: true, value };
}

/** Adds up sessions. */
export class LifeSummary {
  readonly #processes = new Map<string, Sum>();
  readonly #remotes = new Map<string, Sum>();

  /** Takes a session in. */
  add(row: SessionRow): void {
    addTo(this.#processes, `${printable(row.comm)} (${row.pid})`, row);
    addTo(this.#remotes, row.remoteAddress, row);
  }

  /** Returns both tables; the largest sums first. */
  format(): string {
    return table("PROCESS", this.#processes) + table("REMOTE", this.#remotes);
  }
}

function addTo(sums: Map<string, Sum>, name: string, row: SessionRow): void {
  const sum = sums.get(name) ??
    { name, sessions: 0, sent: 0, received: 0, duration: 0 };
  sum.sessions++;
  sum.sent += row.bytesSent;
  sum.received += row.bytesReceived;
  sum.duration += row.duration;
  sums.set(name, sum);
}

function table(title: string, sums: ReadonlyMap<string, Sum>): string {
  const columns: readonly Column<Sum>[] = [
    { title, width: 39, value: ({ name }) => name },
    ...FIGURES,
  ];
  const rows = [...sums.values()].sort((a, b) =>
    b.sent + b.received - a.sent - a.received || b.sessions - a.sessions
  );
  let text = `\n${formatHeader(columns)}\n`;
  for (const row of rows.slice(0, MAX_ROWS)) {
    text += `${formatRow(columns, row)}\n`;
  }
  const more = rows.length - MAX_ROWS;
  return more > 0 ? `${text}… and ${formatCount(more)} more\n` : text;
}
