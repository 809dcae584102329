import assert from "node:assert/strict";
import type { FlowRow } from "../../../../lib/session/flow_table.ts";
import { addressText, summarize } from "../../../../lib/session/summary.ts";
import {
  createOwnerTable,
  OwnerTable,
} from "../../../../lib/trace/owner_table.ts";
import { address } from "../../../property/flows.ts";

const ROW: FlowRow = {
  owner: 0,
  protocol: 6,
  remoteAddress: address("198.51.100.2"),
  port: 443,
  incoming: false,
  packetsSent: 3,
  packetsReceived: 2,
  bytesSent: 300,
  bytesReceived: 200,
  first: 1000.25,
  last: 1001.5,
  flows: 2,
  failed: 1,
};
const OWNERS = new OwnerTable(createOwnerTable());
OWNERS.append({ pid: 10, tid: 10, comm: "curl", args: [] });
OWNERS.append({ pid: 11, tid: 11, comm: "wget", args: [] });
OWNERS.append({ pid: 11, tid: 12, comm: "wget", args: [] });

Deno.test("summarize() tells all figures of a peer", () => {
  const names = new Map([["198.51.100.2", "www.example.com"]]);
  assert.deepEqual(summarize([ROW], OWNERS, names), [{
    pid: 10,
    comm: "curl",
    flows: 2,
    peers: [{
      protocol: "tcp",
      direction: "outgoing",
      address: "198.51.100.2",
      port: 443,
      name: "www.example.com",
      packetsSent: 3,
      packetsReceived: 2,
      bytesSent: 300,
      bytesReceived: 200,
      duration: 1250,
      flows: 2,
      failed: 1,
    }],
  }]);
});

Deno.test("summarize() leaves the name of a peer out that has none", () => {
  const [process] = summarize([ROW], OWNERS, new Map([["::1", "localhost"]]));
  assert.ok(!Object.hasOwn(process!.peers[0]!, "name"));
});

Deno.test("summarize() names protocols, directions and addresses", () => {
  const rows = [
    { ...ROW, protocol: 17 },
    { ...ROW, incoming: true, remoteAddress: address("2001:db8::2") },
  ];
  const [process] = summarize(rows, OWNERS, new Map());
  const texts = process!.peers.map(({ protocol, direction, address: host }) =>
    `${protocol} ${direction} ${host}`
  );
  assert.deepEqual(texts, [
    "udp outgoing 198.51.100.2",
    "tcp incoming 2001:db8::2",
  ]);
});

Deno.test("summarize() groups peers by process, the busiest process first", () => {
  const rows = [
    { ...ROW, bytesSent: 900 },
    { ...ROW, owner: 1, bytesSent: 600, flows: 4 },
    { ...ROW, owner: 1, bytesSent: 500, flows: 3, port: 80 },
  ];
  const processes = summarize(rows, OWNERS, new Map());
  assert.deepEqual(
    processes.map((
      { pid, comm, flows, peers },
    ) => [pid, comm, flows, peers.length]),
    [[11, "wget", 7, 2], [10, "curl", 2, 1]],
  );
});

Deno.test("summarize() tells of traffic whose owner is not known", () => {
  const [process] = summarize([{ ...ROW, owner: 5 }], OWNERS, new Map());
  assert.equal(process!.pid, 0);
  assert.equal(process!.flows, 2);
  assert.deepEqual(summarize([], OWNERS, new Map()), []);
});

Deno.test("addressText() writes v4-mapped addresses as IPv4", () => {
  assert.equal(addressText(address("192.0.2.1")), "192.0.2.1");
  assert.equal(addressText(address("2001:db8::1")), "2001:db8::1");
  assert.equal(addressText(address("::")), "::");
});

Deno.test("summarize() adds up what threads said to the same peer", () => {
  const rows = [
    { ...ROW, owner: 1, first: 5, last: 6 },
    { ...ROW, owner: 2, first: 4, last: 5, bytesSent: 1 },
  ];
  const [process, ...others] = summarize(rows, OWNERS, new Map());
  assert.deepEqual(others, []);
  assert.equal(process!.pid, 11);
  assert.equal(process!.flows, 4);
  assert.equal(process!.peers.length, 1);
  const { bytesSent, flows, failed, duration } = process!.peers[0]!;
  assert.deepEqual({ bytesSent, flows, failed, duration }, {
    bytesSent: 301,
    flows: 4,
    failed: 2,
    duration: 2000,
  });
});
