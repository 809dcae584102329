/**
 * Samples of `tracedump top` as text, in the columns of tcptop.
 *
 * @module
 */
import type { TextBuffer } from "../../bytes/text_buffer.ts";
import {
  type Column,
  formatCsvHeader,
  formatHeader,
  formatRow,
  writeCsvRow,
} from "../../text/table.ts";
import type { TrafficRow, TrafficSample } from "../../views/rows.ts";
import type { Host } from "../host.ts";
import { cut, printable } from "../text.ts";
import type { OutputForm, ViewPrinter } from "./printer.ts";
import { endText } from "./retransmit_columns.ts";
import { TIME_COLUMN, timeOfDay } from "./time_columns.ts";

/** What the output depends on. */
export interface TopOptions extends OutputForm {
  readonly wide: boolean;
  readonly noClear: boolean;
  readonly noSummary: boolean;
}

const KIB = 1024;
/** ECMA-48: cursor to the first place, erase all below. */
const CLEAR = "\x1b[H\x1b[2J";

type Timed = TrafficRow & { readonly time: number };

/** Prints samples. */
export class TopPrinter implements ViewPrinter<TrafficSample> {
  readonly #options: TopOptions;
  readonly #host: Host;

  /** Prints for the standard output of a host. */
  constructor(options: TopOptions, host: Host) {
    this.#options = options;
    this.#host = host;
  }

  begin(): string {
    const { csv, json } = this.#options;
    return csv && !json ? `${formatCsvHeader(csvColumns())}\n` : "";
  }

  row(sample: TrafficSample, text: TextBuffer): void {
    const { csv, json } = this.#options;
    if (json) text.text(`${JSON.stringify(sample)}\n`);
    else if (!csv) text.text(this.#table(sample));
    else {
      const { time } = sample;
      const columns = csvColumns();
      for (const row of sample.rows) {
        writeCsvRow(columns, { ...row, time }, text);
        text.text("\n");
      }
    }
  }

  end(): string {
    return "";
  }

  #table({ time, rows }: TrafficSample): string {
    const { noClear, noSummary, wide } = this.#options;
    const clears = this.#host.stdout.isTerminal && !noClear;
    const lines: string[] = [];
    if (!noSummary) {
      const load = this.#host.loadAverage();
      const clock = timeOfDay(time);
      lines.push(load === "" ? clock : `${clock} loadavg: ${load}`, "");
    }
    for (const family of [4, 6] as const) {
      const some = rows.filter((row) => row.family === family);
      if (some.length === 0) continue;
      const columns = topColumns(family, wide);
      lines.push(formatHeader(columns));
      for (const row of some) lines.push(formatRow(columns, row));
      lines.push("");
    }
    if (!clears) return lines.map((line) => `${line}\n`).join("");
    // The last line is the cursor's, and none may wrap.
    const width = this.#host.columns() - 1;
    return CLEAR + lines.slice(0, this.#host.lines() - 1)
      .map((line) => `${cut(line, width)}\n`).join("");
  }
}

function topColumns(
  family: 4 | 6,
  wide: boolean,
): readonly Column<TrafficRow>[] {
  const end = wide ? 47 : family === 6 ? 32 : 21;
  const suffix = family === 6 ? "6" : "";
  return [
    { title: "PID", width: 7, value: ({ pid }) => pid },
    {
      title: "COMM",
      width: 12,
      cut: 12,
      value: ({ comm }) => printable(comm),
    },
    {
      title: `LADDR${suffix}`,
      width: end,
      value: (row) => endText(row.localAddress, row.localPort),
    },
    {
      title: `RADDR${suffix}`,
      width: end,
      value: (row) => endText(row.remoteAddress, row.remotePort),
    },
    ...amounts(),
  ];
}

function csvColumns(): readonly Column<Timed>[] {
  const column = (
    title: string,
    value: Column<Timed>["value"],
  ): Column<Timed> => ({ title, width: 0, value });
  return [
    TIME_COLUMN,
    column("PID", ({ pid }) => pid),
    column("COMM", ({ comm }) => comm),
    column("IP", ({ family }) => family),
    column("LADDR", (row) => row.localAddress),
    column("LPORT", (row) => row.localPort),
    column("RADDR", (row) => row.remoteAddress),
    column("RPORT", (row) => row.remotePort),
    ...amounts(),
  ];
}

function amounts(): readonly Column<TrafficRow>[] {
  return [
    {
      title: "RX_KB",
      width: 6,
      right: true,
      value: (row) => Math.floor(row.bytesReceived / KIB),
    },
    {
      title: "TX_KB",
      width: 6,
      right: true,
      value: (row) => Math.floor(row.bytesSent / KIB),
    },
  ];
}
