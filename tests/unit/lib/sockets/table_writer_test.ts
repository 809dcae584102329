import assert from "node:assert/strict";
import {
  createTable,
  Ending,
  NO_END,
  NO_SLOT,
  SlotFlag,
  SlotKind,
  SlotWord,
  SocketTable,
} from "../../../../lib/sockets/table.ts";
import {
  DESTROYED_SECONDS,
  type SlotContent,
  SocketTableWriter,
} from "../../../../lib/sockets/table_writer.ts";
import { endpoint, wordsOf } from "../../../property/flows.ts";

const KEEP_SECONDS = 5;
const LOCAL = endpoint("192.0.2.1:40000");
const REMOTE = endpoint("[2001:db8::2]:443");

const CONTENT: SlotContent = {
  kind: SlotKind.CONNECTED,
  protocol: 6,
  localPort: LOCAL.port,
  localAddress: LOCAL.address,
  remotePort: REMOTE.port,
  remoteAddress: REMOTE.address,
  flags: 0,
  from: { seconds: 100, nanoseconds: 7 },
  owner: 3,
};

interface Opened {
  readonly table: SocketTable;
  readonly writer: SocketTableWriter;
}

function open(capacity = 4): Opened {
  const memory = createTable(capacity);
  return {
    table: new SocketTable(memory),
    writer: new SocketTableWriter(memory),
  };
}

/** Slots of a chain, from its head on. */
function chain(table: SocketTable, head: number): number[] {
  const slots: number[] = [];
  for (let slot = table.words[head]!; slot !== NO_SLOT;) {
    slots.push(slot);
    slot = table.words[table.slotAt(slot) + SlotWord.NEXT]!;
  }
  return slots;
}

function word(table: SocketTable, slot: number, offset: number): number {
  return table.words[table.slotAt(slot) + offset]!;
}

Deno.test("SocketTableWriter.add() writes all that a slot says", () => {
  const { table, writer } = open();
  const flags = SlotFlag.ANY_IPV4 | SlotFlag.ANY_IPV6;
  const slot = writer.add({ ...CONTENT, protocol: 17, flags });
  const words = table.words.subarray(
    table.slotAt(slot),
    table.slotAt(slot + 1),
  );
  assert.equal(words[SlotWord.KIND], SlotKind.CONNECTED);
  assert.equal(words[SlotWord.LOCAL], 17 << 16 | 40000);
  assert.equal(words[SlotWord.REMOTE], flags | 443);
  assert.deepEqual(
    words.slice(SlotWord.LOCAL_ADDRESS, SlotWord.LOCAL_ADDRESS + 4),
    wordsOf(LOCAL.address),
  );
  assert.deepEqual(
    words.slice(SlotWord.REMOTE_ADDRESS, SlotWord.REMOTE_ADDRESS + 4),
    wordsOf(REMOTE.address),
  );
  assert.deepEqual([...words.slice(SlotWord.FROM, SlotWord.FROM + 2)], [
    100,
    7,
  ]);
  assert.equal(words[SlotWord.UNTIL], NO_END);
  assert.equal(words[SlotWord.CLOSED], NO_END);
  assert.equal(words[SlotWord.OWNER], 3);
  assert.equal(words[SlotWord.ENDING], 0);
  assert.equal(writer.used, 1);
});

Deno.test("SocketTableWriter.add() puts each kind into its own chain, newest first", () => {
  const { table, writer } = open(8);
  const heads = {
    [SlotKind.CONNECTED]: table.connectedHead(
      6,
      40000,
      443,
      wordsOf(REMOTE.address)[3]!,
    ),
    [SlotKind.LOCAL]: table.localHead(6, 40000),
    [SlotKind.PENDING_REMOTE]: table.pendingRemoteHead(6, 443),
    [SlotKind.PENDING_LOCAL]: table.pendingLocalHead(6, 40000),
  };
  for (const kind of Object.values(SlotKind)) {
    const first = writer.add({ ...CONTENT, kind });
    const second = writer.add({ ...CONTENT, kind });
    assert.deepEqual(
      chain(table, heads[kind]),
      [second, first],
      `kind ${kind}`,
    );
  }
});

Deno.test("SocketTableWriter.add() gives a slot another generation each time", () => {
  const { table, writer } = open(1);
  const slot = writer.add(CONTENT);
  const generation = writer.generation(slot);
  writer.remove(slot);
  table.beginRound(0);
  table.beginRound(0);
  assert.equal(writer.add(CONTENT), slot);
  assert.notEqual(writer.generation(slot), generation);
});

Deno.test("SocketTableWriter.add() uses slots again when the number of rounds wraps", () => {
  const { table, writer } = open(1);
  // The word of the header that counts them.
  table.words[1] = 0x7fff_ffff;
  assert.equal(table.epoch(), 0x7fff_ffff);
  const slot = writer.add(CONTENT);
  writer.remove(slot);
  table.beginRound(0);
  assert.throws(() => writer.add(CONTENT), RangeError);
  table.beginRound(0);
  assert.equal(writer.add(CONTENT), slot);
});

Deno.test("SocketTableWriter.add() clears what is left of a slot's former use", () => {
  const { table, writer } = open(1);
  const slot = writer.add(CONTENT);
  table.words[table.slotAt(slot) + SlotWord.ENDING] = Ending.BOTH;
  writer.destroy(slot, { seconds: 100, nanoseconds: 5 });
  writer.remove(slot);
  table.beginRound(0);
  table.beginRound(0);
  writer.add(CONTENT);
  assert.equal(word(table, slot, SlotWord.ENDING), 0);
  assert.equal(word(table, slot, SlotWord.CLOSED), NO_END);
  assert.equal(word(table, slot, SlotWord.CLOSED + 1), 0);
});

Deno.test("SocketTableWriter.add() refuses more than the table holds", () => {
  const { writer } = open(2);
  writer.add(CONTENT);
  writer.add(CONTENT);
  assert.throws(
    () => writer.add(CONTENT),
    new RangeError("Cannot follow more than 2 sockets"),
  );
  assert.equal(writer.used, 2);
});

Deno.test("SocketTableWriter.add() uses a slot again after two rounds of the reader", () => {
  const { table, writer } = open(2);
  const slot = writer.add(CONTENT);
  writer.add(CONTENT);
  writer.remove(slot);
  assert.throws(() => writer.add(CONTENT), RangeError);
  table.beginRound(0);
  assert.throws(() => writer.add(CONTENT), RangeError);
  table.beginRound(0);
  assert.equal(writer.add(CONTENT), slot);
});

Deno.test("SocketTableWriter.end() ends a slot once; the first end counts", () => {
  const { table, writer } = open();
  const slot = writer.add(CONTENT);
  writer.end(slot, { seconds: 200, nanoseconds: 9 });
  writer.end(slot, { seconds: 300, nanoseconds: 1 });
  assert.equal(word(table, slot, SlotWord.UNTIL), 200);
  assert.equal(word(table, slot, SlotWord.UNTIL + 1), 9);
});

Deno.test("SocketTableWriter.collect() keeps an ended slot until the reader is past it", () => {
  const { table, writer } = open();
  const slot = writer.add(CONTENT);
  writer.end(slot, { seconds: 200, nanoseconds: 0 });
  table.beginRound(200 + KEEP_SECONDS - 1);
  writer.collect(10_000);
  assert.equal(writer.used, 1);
  table.beginRound(10_000);
  writer.collect(200 + KEEP_SECONDS - 1);
  assert.equal(writer.used, 1);
  writer.collect(200 + KEEP_SECONDS);
  assert.equal(writer.used, 0);
  assert.equal(word(table, slot, SlotWord.KIND), 0);
});

Deno.test("SocketTableWriter.collect() keeps everything before the reader's first round", () => {
  const { writer } = open();
  writer.end(writer.add(CONTENT), { seconds: 200, nanoseconds: 0 });
  writer.collect(2_000_000_000);
  assert.equal(writer.used, 1);
});

Deno.test("SocketTableWriter.collect() keeps closed connections for TIME_WAIT", () => {
  const { table, writer } = open();
  const slot = writer.add(CONTENT);
  writer.destroy(slot, { seconds: 200, nanoseconds: 5 });
  assert.equal(word(table, slot, SlotWord.CLOSED), 200);
  assert.equal(word(table, slot, SlotWord.CLOSED + 1), 5);
  assert.equal(word(table, slot, SlotWord.UNTIL), NO_END);
  table.beginRound(10_000);
  writer.collect(200 + DESTROYED_SECONDS - 1);
  assert.equal(writer.used, 1);
  writer.collect(200 + DESTROYED_SECONDS);
  assert.equal(writer.used, 0);
});

Deno.test("SocketTableWriter.collect() gives closed connections up early in a crowded table", () => {
  const { table, writer } = open(8);
  const slots = Array.from({ length: 7 }, () => writer.add(CONTENT));
  for (const slot of slots) {
    writer.destroy(slot, { seconds: 200, nanoseconds: 0 });
  }
  table.beginRound(10_000);
  writer.collect(202);
  assert.equal(writer.used, 7, "closed two seconds ago");
  writer.collect(203);
  assert.equal(writer.used, 0);
});

Deno.test("SocketTableWriter.remove() takes a slot from anywhere in its chain", () => {
  for (const which of [0, 1, 2]) {
    const { table, writer } = open();
    const slots = [0, 1, 2].map((owner) => writer.add({ ...CONTENT, owner }));
    const head = table.connectedHead(
      6,
      40000,
      443,
      wordsOf(REMOTE.address)[3]!,
    );
    writer.remove(slots[which]!);
    const left = slots.toSpliced(which, 1).reverse();
    assert.deepEqual(chain(table, head), left);
    assert.equal(writer.used, 2);
  }
});

Deno.test("SocketTableWriter.remove() wakes readers that wait for the outcome", () => {
  const { table, writer } = open();
  const slot = writer.add({ ...CONTENT, kind: SlotKind.PENDING_REMOTE });
  const version = table.version();
  writer.remove(slot);
  assert.notEqual(table.version(), version);
});

Deno.test("SocketTableWriter.remove() has no effect the second time", () => {
  const { writer } = open();
  const slot = writer.add(CONTENT);
  const other = writer.add(CONTENT);
  writer.remove(slot);
  writer.remove(slot);
  assert.equal(writer.used, 1);
  writer.remove(other);
  assert.equal(writer.used, 0);
});

Deno.test("SocketTable.changes() counts what may change a verdict", () => {
  const { table, writer } = open();
  let changes = table.changes();
  const hasChanged = () => changes !== (changes = table.changes());
  const slot = writer.add(CONTENT);
  assert.ok(hasChanged(), "added");
  writer.flag(slot, SlotFlag.SHARED);
  assert.ok(hasChanged(), "shared");
  const now = { seconds: 200, nanoseconds: 0 };
  writer.destroy(slot, now);
  assert.ok(!hasChanged(), "closed: only the next SYN tells what follows");
  writer.end(slot, now);
  assert.ok(hasChanged(), "ended");
  table.beginRound(1000);
  writer.collect(1000);
  assert.ok(hasChanged(), "collected");
  writer.remove(writer.add(CONTENT));
  assert.ok(hasChanged(), "removed");
  assert.ok(!hasChanged());
});

Deno.test("SocketTableWriter.isOver() asks what the reader has seen of the end", () => {
  const cases: [ending: number, over: boolean][] = [
    [0, false],
    [Ending.FIN_SENT, false],
    [Ending.FIN_RECEIVED, false],
    [Ending.BOTH, true],
    [Ending.RESET, true],
    [Ending.RESET | Ending.FIN_SENT, true],
    [Ending.REUSED, true],
  ];
  const { table, writer } = open();
  const slot = writer.add(CONTENT);
  const generation = writer.generation(slot);
  for (const [ending, over] of cases) {
    table.words[table.slotAt(slot) + SlotWord.ENDING] = ending;
    assert.equal(writer.isOver(slot, generation), over, `ending ${ending}`);
  }
  table.words[table.slotAt(slot) + SlotWord.ENDING] = 0;
  assert.equal(writer.isOver(slot, generation - 1), true);
});
