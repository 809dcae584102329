/**
 * What a capture tells at its end: per process, its busiest peers.
 *
 * @module
 */
import { formatAddress, isIpv4Mapped } from "../packet/address.ts";
import { transportName } from "../packet/protocol_port.ts";
import type { OwnerTable } from "../trace/owner_table.ts";
import type { FlowRow } from "./flow_table.ts";
import type { PeerSummary, ProcessSummary } from "./types.ts";

/** Traffic of one process under one name. */
interface Process {
  readonly pid: number;
  readonly comm: string;
  bytes: number;
  flows: number;
  /** By endpoint: threads may talk to the same one. */
  readonly rows: Map<string, FlowRow>;
}

/** Groups flow rows by process, the busiest process first. */
export function summarize(
  rows: readonly FlowRow[],
  owners: Pick<OwnerTable, "get">,
  names: ReadonlyMap<string, string>,
): ProcessSummary[] {
  const processes = new Map<string, Process>();
  for (const row of rows) {
    const { pid, comm } = owners.get(row.owner) ?? { pid: 0, comm: "?" };
    const key = `${pid} ${comm}`;
    let process = processes.get(key);
    if (process === undefined) {
      process = { pid, comm, bytes: 0, flows: 0, rows: new Map() };
      processes.set(key, process);
    }
    process.bytes += bytesOf(row);
    process.flows += row.flows;
    addRow(process.rows, row);
  }
  return [...processes.values()]
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ pid, comm, flows, rows }) => ({
      pid,
      comm,
      flows,
      peers: [...rows.values()]
        .sort((a, b) => bytesOf(b) - bytesOf(a))
        .map((row) => peerOf(row, names)),
    }));
}

function bytesOf({ bytesSent, bytesReceived }: FlowRow): number {
  return bytesSent + bytesReceived;
}

function addRow(rows: Map<string, FlowRow>, row: FlowRow): void {
  const { protocol, incoming, port, remoteAddress } = row;
  const key = `${protocol} ${incoming} ${port} ${remoteAddress}`;
  const sum = rows.get(key);
  if (sum === undefined) {
    rows.set(key, { ...row });
    return;
  }
  sum.packetsSent += row.packetsSent;
  sum.packetsReceived += row.packetsReceived;
  sum.bytesSent += row.bytesSent;
  sum.bytesReceived += row.bytesReceived;
  sum.first = Math.min(sum.first, row.first);
  sum.last = Math.max(sum.last, row.last);
  sum.flows += row.flows;
  sum.failed += row.failed;
}

function peerOf(
  row: FlowRow,
  names: ReadonlyMap<string, string>,
): PeerSummary {
  const address = addressText(row.remoteAddress);
  const name = names.get(address);
  return {
    protocol: transportName(row.protocol),
    direction: row.incoming ? "incoming" : "outgoing",
    address,
    port: row.port,
    ...(name === undefined ? {} : { name }),
    packetsSent: row.packetsSent,
    packetsReceived: row.packetsReceived,
    bytesSent: row.bytesSent,
    bytesReceived: row.bytesReceived,
    duration: (row.last - row.first) * 1000,
    flows: row.flows,
    failed: row.failed,
  };
}

/** Text of an address given as 16 bytes, IPv4 v4-mapped. */
export function addressText(address: Uint8Array): string {
  return formatAddress(isIpv4Mapped(address) ? address.subarray(12) : address);
}
