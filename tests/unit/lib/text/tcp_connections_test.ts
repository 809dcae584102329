import assert from "node:assert/strict";
import { TcpConnections } from "../../../../lib/text/tcp_connections.ts";
import { be32, bytes } from "./packet_builder.ts";

const SERVER = 0xc000_0202;

/** Makes the connection of a client the current one, seen from either side. */
function select(
  connections: TcpConnections,
  client: number,
  fromServer = false,
  port = 40000,
): void {
  const ends = [be32(0x0a00_0000 + client), be32(SERVER)];
  const data = bytes(...(fromServer ? ends.toReversed() : ends));
  const [source, destination] = fromServer ? [80, port] : [port, 80];
  connections.select(data, 0, 4, source!, destination!);
}

Deno.test("both sides of a connection know where their numbers begin", () => {
  const connections = new TcpConnections();
  select(connections, 1);
  assert.equal(connections.hasOrigins, false);
  connections.setOrigins(100, 200);
  select(connections, 1, true);
  assert.equal(connections.hasOrigins, true);
  assert.deepEqual([connections.ownOrigin, connections.otherOrigin], [
    200,
    100,
  ]);
  select(connections, 2);
  assert.equal(connections.hasOrigins, false);
  select(connections, 1, false, 40001);
  assert.equal(connections.hasOrigins, false);
});

Deno.test("connections between the same port are told apart", () => {
  const connections = new TcpConnections();
  const ends = bytes(be32(1), be32(2));
  connections.select(ends, 0, 4, 80, 80);
  connections.setOrigins(5, 6);
  connections.select(bytes(be32(2), be32(1)), 0, 4, 80, 80);
  assert.deepEqual([connections.ownOrigin, connections.otherOrigin], [6, 5]);
});

Deno.test("IPv6 addresses count wholly", () => {
  const connections = new TcpConnections();
  const ends = bytes(new Uint8Array(15), 1, new Uint8Array(15), 2);
  connections.select(ends, 0, 16, 1, 2);
  connections.setOrigins(5, 6);
  for (let i = 0; i < ends.length; i++) {
    const other = ends.slice();
    other[i]! ^= 0x80;
    connections.select(other, 0, 16, 1, 2);
    assert.equal(connections.hasOrigins, false, String(i));
  }
});

Deno.test("what comes again or too early is told", () => {
  const connections = new TcpConnections();
  const follow = (sequence: number, length: number): number => {
    select(connections, 1);
    return Math.sign(connections.follow(sequence, length, false));
  };
  assert.equal(follow(4294967290, 10), 0, "the first");
  assert.equal(follow(4, 10), 0, "in order");
  assert.equal(follow(4, 10), -1, "again");
  assert.equal(follow(24, 10), 1, "one is missing");
  assert.equal(follow(14, 10), -1, "it comes late");
  assert.equal(follow(34, 1), 0, "in order after the last");
  select(connections, 1);
  assert.equal(connections.follow(7, 1, true), 0, "a new connection");
  select(connections, 1, true);
  assert.equal(connections.follow(900, 1, false), 0, "the other side");
});

Deno.test("memory is bounded, and the last connections are known", () => {
  const connections = new TcpConnections();
  for (let client = 0; client < 300_000; client++) {
    select(connections, client);
    assert.equal(connections.hasOrigins, false);
    connections.setOrigins(client, client + 1);
    // The first one speaks now and then.
    if (client % 10_000 === 0) {
      select(connections, 0);
      assert.equal(connections.ownOrigin, 0);
      assert.equal(connections.hasOrigins, true);
    }
  }
  for (let client = 300_000 - 32_000; client < 300_000; client++) {
    select(connections, client);
    assert.equal(connections.ownOrigin, client);
  }
  select(connections, 5);
  assert.equal(connections.hasOrigins, false, "forgotten");
});
