/**
 * The summary that closes a capture.
 *
 * @module
 */

import type {
  CaptureResult,
  PeerSummary,
  ProcessSummary,
} from "../session/types.ts";
import {
  countOf,
  cutMiddle,
  formatBytes,
  formatCount,
  formatSpan,
  printable,
} from "./text.ts";

/** Longest line. */
const WIDTH = 79;
/** Rows shown for each process. */
const MAX_PEERS = 5;
const INDENT = "  ";
const GAP = "  ";

/** Returns the sentence on packets, bytes, sockets and drops. */
export function formatTotals(
  result: CaptureResult,
  output: string | undefined,
): string {
  const written = output === undefined
    ? ""
    : ` written to ${formatTarget(result.files ?? [output])}`;
  return `${countOf(result.packets, "packet")} (${
    formatBytes(result.bytes)
  }) ` +
    `of ${countOf(result.sockets, "socket")}${written}, ` +
    `${formatCount(result.drops)} dropped by kernel`;
}

function formatTarget(files: readonly string[]): string {
  const [first = "", last = first] = [files.at(0), files.at(-1)];
  if (files.length > 1) {
    return `${countOf(files.length, "file")}, ${printable(first)} to ${
      printable(last)
    }`;
  }
  return first === "-" ? "standard output" : printable(first);
}

/**
 * Returns the busiest peers of every process in aligned columns, below 80
 * characters wide. Processes without peers are left out.
 */
export function formatPeers(processes: readonly ProcessSummary[]): string {
  let text = "";
  for (const process of processes) {
    if (process.peers.length === 0) continue;
    text += `${printable(process.comm)} (${process.pid}), ` +
      `${countOf(process.flows, "flow")}:\n`;
    text += formatTable(process.peers.slice(0, MAX_PEERS));
    const more = process.peers.length - MAX_PEERS;
    if (more > 0) text += `${INDENT}… and ${formatCount(more)} more\n`;
  }
  return text;
}

function formatTable(peers: readonly PeerSummary[]): string {
  const failed = peers.some((peer) => peer.failed > 0);
  const rows = [
    ["peer", "sent", "received", "time", ...failed ? ["failed"] : []],
    ...peers.map((peer) => [
      formatPeer(peer),
      formatBytes(peer.bytesSent),
      formatBytes(peer.bytesReceived),
      formatSpan(peer.duration),
      ...failed ? [formatFailed(peer)] : [],
    ]),
  ];
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => [...row[column]!].length))
  );
  const others = widths.slice(1).reduce((sum, width) => sum + width, 0) +
    GAP.length * (widths.length - 1);
  widths[0] = Math.min(widths[0]!, WIDTH - INDENT.length - others);
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column === 0
        ? cutMiddle(cell, widths[0]!).padEnd(widths[0]!)
        : cell.padStart(widths[column]!)
    );
    return `${INDENT}${cells.join(GAP).trimEnd()}\n`;
  }).join("");
}

/**
 * Returns protocol, name or address, and port of a peer; the port is the
 * process's own where the peer began.
 */
function formatPeer(peer: PeerSummary): string {
  const { protocol, port } = peer;
  const host = peer.name === undefined
    ? peer.address.includes(":") ? `[${peer.address}]` : peer.address
    : printable(peer.name);
  return peer.direction === "incoming"
    ? `${protocol} ${host} to port ${port}`
    : `${protocol} ${host}:${port}`;
}

/** Returns how many of the flows failed; nothing when none did. */
function formatFailed(peer: PeerSummary): string {
  if (peer.failed === 0) return "";
  return `${formatCount(peer.failed)}/${formatCount(peer.flows)}`;
}
