import assert from "node:assert/strict";
import fc from "fast-check";
import {
  createTable,
  DEFAULT_CAPACITY,
  NO_SLOT,
  SlotWord,
  SocketTable,
  wrappedAge,
  wrappedTime,
} from "../../../../lib/sockets/table.ts";

const PROTOCOLS = [6, 17, 136];

Deno.test("createTable() makes room for the slots asked for, in empty chains", () => {
  for (const capacity of [1, 7, 64]) {
    const table = new SocketTable(createTable(capacity));
    assert.equal(table.capacity, capacity);
    assert.equal(table.words.length, table.slotAt(capacity));
    const heads = [
      table.connectedHead(6, 1, 2, 3),
      table.localHead(17, 65535),
      table.pendingRemoteHead(6, 0),
      table.pendingLocalHead(17, 65535),
    ];
    for (const head of heads) assert.equal(table.words[head], NO_SLOT);
  }
});

Deno.test("createTable() takes the default capacity from a slot's 128 bytes", () => {
  const table = new SocketTable(createTable());
  assert.equal(table.capacity, DEFAULT_CAPACITY);
  assert.equal(table.slotAt(1) - table.slotAt(0), 32);
});

Deno.test("SocketTable.words are one memory for everyone who opens it", () => {
  const memory = createTable(2);
  const writer = new SocketTable(memory);
  const reader = new SocketTable(memory);
  writer.words[writer.slotAt(1) + SlotWord.OWNER] = 42;
  assert.equal(reader.words[reader.slotAt(1) + SlotWord.OWNER], 42);
});

Deno.test("SocketTable heads of ports are all different, and before the slots", () => {
  const table = new SocketTable(createTable(1));
  const seen = new Set<number>();
  for (const protocol of PROTOCOLS) {
    for (let port = 0; port < 65536; port++) {
      seen.add(table.localHead(protocol, port));
      seen.add(table.pendingRemoteHead(protocol, port));
      seen.add(table.pendingLocalHead(protocol, port));
    }
  }
  assert.equal(seen.size, 3 * 3 * 65536);
  assert.equal(Math.max(...[...seen].slice(-10)), table.slotAt(0) - 1);
});

Deno.test("SocketTable.connectedHead() stays within its array and tells ends apart", () => {
  const table = new SocketTable(createTable(1));
  const first = table.localHead(6, 0);
  const port = fc.nat(65535);
  const used = new Set<number>();
  fc.assert(
    fc.property(
      fc.constantFrom(...PROTOCOLS),
      port,
      port,
      fc.integer(),
      (protocol, localPort, remotePort, word) => {
        const head = table.connectedHead(protocol, localPort, remotePort, word);
        assert.ok(Number.isInteger(head));
        assert.ok(head >= first - (1 << 18) && head < first);
        used.add(head);
      },
    ),
    { numRuns: 1000 },
  );
  assert.ok(used.size > 700, `${used.size} heads for 1000 connections`);
});

Deno.test("SocketTable.connectedHead() spreads clients of one service", () => {
  const table = new SocketTable(createTable(1));
  const longest = (heads: readonly number[]): number => {
    const counts = new Map<number, number>();
    for (const head of heads) counts.set(head, (counts.get(head) ?? 0) + 1);
    return Math.max(...counts.values());
  };
  const ports = Array.from({ length: 28232 }, (_, index) => 32768 + index);
  // As a client of one server, and as a server of one host.
  const client = ports.map((port) =>
    table.connectedHead(6, port, 443, 0x0100007f)
  );
  const server = ports.map((port) =>
    table.connectedHead(6, 443, port, 0x0100007f)
  );
  const hosts = ports.map((port) =>
    table.connectedHead(6, 443, 40000, port << 16)
  );
  for (const heads of [client, server, hosts]) {
    assert.ok(longest(heads) <= 12, `${longest(heads)} in one chain`);
  }
});

Deno.test("SocketTable.bumpVersion() ends waitForVersion()", () => {
  const memory = createTable(1);
  const table = new SocketTable(memory);
  const before = table.version();
  new SocketTable(memory).bumpVersion();
  assert.notEqual(table.version(), before);
  // Another version already: returns at once instead of in an hour.
  table.waitForVersion(before, 3_600_000);
});

Deno.test("SocketTable.beginRound() tells the writer about rounds and progress", () => {
  const memory = createTable(1);
  const reader = new SocketTable(memory);
  const writer = new SocketTable(memory);
  const before = writer.epoch();
  reader.beginRound(1_800_000_000);
  assert.equal(writer.epoch(), before + 1);
  assert.equal(writer.progress(), 1_800_000_000);
});

Deno.test("wrappedAge() measures across the wrap", () => {
  const early = wrappedTime(999, 999_999_000);
  assert.equal(wrappedAge(early, wrappedTime(1000, 1_000)), 2);
  assert.equal(wrappedAge(early, early), 0);
  assert.equal(wrappedTime(2000, 0), 1);
});
