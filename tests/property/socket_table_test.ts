/**
 * The socket table against a plain list, with a reader that walks along a
 * chain while the writer changes it.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  createTable,
  NO_SLOT,
  SlotKind,
  SlotWord,
  SocketTable,
} from "../../lib/sockets/table.ts";
import {
  ANY_ADDRESS,
  DESTROYED_SECONDS,
  type SlotContent,
  SocketTableWriter,
} from "../../lib/sockets/table_writer.ts";
import { address, wordsOf } from "./flows.ts";

const CAPACITY = 10;
const KEEP_SECONDS = 5;
const CROWDED = CAPACITY / 4;

const REMOTES = [address("192.0.2.1"), address("2001:db8::1")];

/** A slot as the list knows it. */
interface Listed {
  readonly slot: number;
  readonly content: SlotContent;
  readonly head: number;
  /** How many slots had been added before. */
  readonly birth: number;
  until: number | undefined;
  closed: number | undefined;
}

/** The reader in the midst of a chain. */
interface Walk {
  readonly head: number;
  /** Slots of the chain that are not removed since. */
  readonly expected: Set<Listed>;
  readonly births: number;
  readonly visited: Set<number>;
  at: number;
}

interface Model {
  live: Listed[];
  ended: Listed[];
  destroyed: Listed[];
  /** Unlinked slots with the reader's round. */
  left: Map<number, number>;
  births: number;
  seconds: number;
  round: number;
  progress: number;
  walk: Walk | undefined;
}

interface Real {
  readonly table: SocketTable;
  readonly writer: SocketTableWriter;
}

type Command = fc.Command<Model, Real>;

function headOf(table: SocketTable, content: SlotContent): number {
  const { kind, protocol, localPort, remotePort, remoteAddress } = content;
  switch (kind) {
    case SlotKind.CONNECTED: {
      const last = wordsOf(remoteAddress)[3]!;
      return table.connectedHead(protocol, localPort, remotePort, last);
    }
    case SlotKind.LOCAL:
      return table.localHead(protocol, localPort);
    case SlotKind.PENDING_REMOTE:
      return table.pendingRemoteHead(protocol, remotePort);
    case SlotKind.PENDING_LOCAL:
      return table.pendingLocalHead(protocol, localPort);
  }
}

function chain(table: SocketTable, head: number): number[] {
  const slots: number[] = [];
  for (let slot = table.words[head]!; slot !== NO_SLOT;) {
    assert.ok(slots.length <= CAPACITY, "a chain has no end");
    slots.push(slot);
    slot = table.words[table.slotAt(slot) + SlotWord.NEXT]!;
  }
  return slots;
}

/** Every chain of the table is the list's, newest first. */
function compare(model: Model, { table, writer }: Real): void {
  assert.equal(writer.used, model.live.length);
  const heads = new Map<number, number[]>();
  for (const { slot, head } of model.live) {
    heads.set(head, [slot, ...heads.get(head) ?? []]);
  }
  for (const [head, slots] of heads) {
    assert.deepEqual(chain(table, head), slots);
  }
  for (const { slot, content, until, closed } of model.live) {
    const at = table.slotAt(slot);
    const word = (offset: number): number => table.words[at + offset]!;
    assert.equal(word(SlotWord.KIND), content.kind);
    assert.equal(word(SlotWord.OWNER), content.owner);
    if (until !== undefined) assert.equal(word(SlotWord.UNTIL), until);
    if (closed !== undefined) assert.equal(word(SlotWord.CLOSED), closed);
  }
}

function unlist(model: Model, gone: Listed): void {
  if (!model.live.includes(gone)) return;
  model.live = model.live.filter((listed) => listed !== gone);
  model.left.set(gone.slot, model.round);
  model.walk?.expected.delete(gone);
}

function pick(list: readonly Listed[], index: number): Listed | undefined {
  return list.length === 0 ? undefined : list[index % list.length];
}

class Add implements Command {
  constructor(readonly content: Omit<SlotContent, "from">) {}
  check = (): boolean => true;
  run(model: Model, real: Real): void {
    const from = { seconds: model.seconds, nanoseconds: 0 };
    const content: SlotContent = { ...this.content, from };
    const resting = [...model.left].filter(([, round]) =>
      model.round - round < 2
    );
    let slot: number;
    try {
      slot = real.writer.add(content);
    } catch (error) {
      assert.ok(error instanceof RangeError);
      assert.equal(model.live.length + resting.length, CAPACITY);
      return;
    }
    assert.ok(!model.live.some((listed) => listed.slot === slot), "in use");
    assert.ok(!resting.some(([left]) => left === slot), "left just now");
    model.left.delete(slot);
    const head = headOf(real.table, content);
    const birth = model.births++;
    const [until, closed] = [undefined, undefined];
    model.live.push({ slot, content, head, birth, until, closed });
    compare(model, real);
  }
  toString = (): string =>
    `add(${this.content.kind} ${this.content.localPort})`;
}

class End implements Command {
  constructor(readonly index: number) {}
  check = (model: Model): boolean =>
    pick(plain(model), this.index) !== undefined;
  run(model: Model, real: Real): void {
    const listed = pick(plain(model), this.index)!;
    const until = { seconds: model.seconds, nanoseconds: 0 };
    real.writer.end(listed.slot, until);
    listed.until = model.seconds;
    model.ended.push(listed);
    compare(model, real);
  }
  toString = (): string => `end(${this.index})`;
}

class Destroy implements Command {
  constructor(readonly index: number) {}
  check = (model: Model): boolean =>
    pick(plain(model), this.index) !== undefined;
  run(model: Model, real: Real): void {
    const listed = pick(plain(model), this.index)!;
    const now = { seconds: model.seconds, nanoseconds: 0 };
    real.writer.destroy(listed.slot, now);
    listed.closed = model.seconds;
    model.destroyed.push(listed);
    compare(model, real);
  }
  toString = (): string => `destroy(${this.index})`;
}

/** Slots that neither ended nor were closed: only those end or are removed. */
function plain(model: Model): Listed[] {
  return model.live.filter(({ until, closed }) =>
    until === undefined && closed === undefined
  );
}

class Remove implements Command {
  constructor(readonly index: number) {}
  check = (model: Model): boolean =>
    pick(plain(model), this.index) !== undefined;
  run(model: Model, real: Real): void {
    const listed = pick(plain(model), this.index)!;
    const version = real.table.version();
    real.writer.remove(listed.slot);
    assert.notEqual(real.table.version(), version);
    unlist(model, listed);
    compare(model, real);
  }
  toString = (): string => `remove(${this.index})`;
}

class Collect implements Command {
  constructor(readonly wait: number) {}
  check = (): boolean => true;
  run(model: Model, real: Real): void {
    model.seconds += this.wait;
    real.writer.collect(model.seconds);
    const horizon = Math.min(model.seconds, model.progress);
    for (const listed of model.ended) {
      if (listed.until! + KEEP_SECONDS <= horizon) unlist(model, listed);
    }
    const isCrowded = model.live.length > CROWDED;
    for (const listed of model.destroyed) {
      const { closed } = listed;
      const isOver = closed! + DESTROYED_SECONDS <= horizon ||
        isCrowded && closed! + 2 < horizon;
      if (isOver) unlist(model, listed);
    }
    compare(model, real);
  }
  toString = (): string => `collect(after ${this.wait} s)`;
}

/** The reader enters the chain that some slot is in. */
class Enter implements Command {
  constructor(readonly index: number) {}
  check = (model: Model): boolean =>
    model.walk === undefined && model.live.length > 0;
  run(model: Model, { table }: Real): void {
    const { head } = pick(model.live, this.index)!;
    model.walk = {
      head,
      expected: new Set(model.live.filter((listed) => listed.head === head)),
      births: model.births,
      visited: new Set(),
      at: table.words[head]!,
    };
  }
  toString = (): string => `enter(${this.index})`;
}

/** It goes on to the next slot. */
class Step implements Command {
  check = (model: Model): boolean => model.walk !== undefined;
  run(model: Model, real: Real): void {
    step(model, real);
  }
  toString = (): string => "step";
}

function step(model: Model, { table }: Real): void {
  const walk = model.walk!;
  if (walk.at === NO_SLOT) {
    for (const { slot } of walk.expected) {
      assert.ok(walk.visited.has(slot), `slot ${slot} was jumped over`);
    }
    model.walk = undefined;
    return;
  }
  // A slot that was given out after the walk began would lead elsewhere.
  const current = model.live.find(({ slot }) => slot === walk.at);
  if (current !== undefined) {
    assert.ok(current.birth < walk.births, "the reader strayed");
    assert.equal(current.head, walk.head);
  } else assert.ok(model.left.has(walk.at));
  assert.ok(!walk.visited.has(walk.at), "the reader goes round in circles");
  walk.visited.add(walk.at);
  walk.at = table.words[table.slotAt(walk.at) + SlotWord.NEXT]!;
}

/** It finishes its walk and begins a new round. */
class Round implements Command {
  constructor(readonly lag: number) {}
  check = (): boolean => true;
  run(model: Model, real: Real): void {
    while (model.walk !== undefined) step(model, real);
    model.progress = model.seconds - this.lag;
    model.round++;
    real.table.beginRound(model.progress);
  }
  toString = (): string => `round(${this.lag} s behind)`;
}

const content = fc.record({
  kind: fc.constantFrom(...Object.values(SlotKind)),
  protocol: fc.constantFrom(6, 17),
  localPort: fc.constantFrom(1, 2),
  localAddress: fc.constant(ANY_ADDRESS),
  remotePort: fc.constantFrom(1, 2),
  remoteAddress: fc.constantFrom(...REMOTES),
  flags: fc.constantFrom(0, 0x1_0000),
  owner: fc.nat(9),
});
/** Most of them fall into one chain. */
const sameContent = fc.nat(9).map((owner) => ({
  kind: SlotKind.CONNECTED,
  protocol: 6,
  localPort: 1,
  localAddress: ANY_ADDRESS,
  remotePort: 1,
  remoteAddress: REMOTES[0]!,
  flags: 0,
  owner,
}));

const commands = fc.commands<Model, Real>([
  fc.oneof(content, sameContent).map((each) => new Add(each)),
  sameContent.map((each) => new Add(each)),
  fc.nat(9).map((index) => new End(index)),
  fc.nat(9).map((index) => new Destroy(index)),
  fc.nat(9).map((index) => new Remove(index)),
  fc.constantFrom(0, 1, 3, 6, 80).map((wait) => new Collect(wait)),
  fc.nat(9).map((index) => new Enter(index)),
  fc.constant(new Step()),
  fc.constantFrom(0, 0, 1, 4).map((lag) => new Round(lag)),
], { maxCommands: 80, size: "max" });

Deno.test("SocketTableWriter keeps chains whole and does as a plain list does", () => {
  fc.assert(
    fc.property(commands, (list) => {
      const memory = createTable(CAPACITY);
      const setup = (): { model: Model; real: Real } => ({
        model: {
          live: [],
          ended: [],
          destroyed: [],
          left: new Map(),
          births: 0,
          seconds: 1000,
          round: 0,
          progress: 0,
          walk: undefined,
        },
        real: {
          table: new SocketTable(memory),
          writer: new SocketTableWriter(memory),
        },
      });
      fc.modelRun(setup, list);
    }),
    { numRuns: 400 },
  );
});
