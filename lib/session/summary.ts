/**
 * What a capture tells at its end: per process, its busiest peers.
 *
 * @module
 */
import { formatAddress, isIpv4Mapped } from "../packet/address.ts";
import { PROTOCOL_TCP } from "../packet/flow_fields.ts";
import type { Owner } from "../trace/owners.ts";
import type { FlowRow } from "./flow_table.ts";
import type { PeerSummary, ProcessSummary } from "./types.ts";

/** Groups flow rows by process, the busiest process first. */
export function summarize(
  rows: readonly FlowRow[],
  owners: readonly Owner[],
  names: ReadonlyMap<string, string>,
): ProcessSummary[] {
  const processes = new Map<
    number,
    { owner: Owner; bytes: number; flows: number; peers: PeerSummary[] }
  >();
  for (const row of rows) {
    const owner = owners[row.owner] ?? { pid: 0, comm: "?" };
    let process = processes.get(row.owner);
    if (process === undefined) {
      process = { owner, bytes: 0, flows: 0, peers: [] };
      processes.set(row.owner, process);
    }
    process.bytes += row.bytesSent + row.bytesReceived;
    process.flows += row.flows;
    process.peers.push(peerOf(row, names));
  }
  return [...processes.values()]
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ owner, flows, peers }) => ({
      pid: owner.pid,
      comm: owner.comm,
      flows,
      peers,
    }));
}

function peerOf(
  row: FlowRow,
  names: ReadonlyMap<string, string>,
): PeerSummary {
  const address = addressText(row.remoteAddress);
  const name = names.get(address);
  return {
    protocol: row.protocol === PROTOCOL_TCP ? "tcp" : "udp",
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
