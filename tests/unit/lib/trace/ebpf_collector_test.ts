import { deepEqual, equal } from "node:assert/strict";
import {
  CONNECTION,
  CONNECTION_KEY,
  EVENT_TYPE,
  PORT,
} from "../../../../bpf/programs/layout.ts";
import type { EntryVisitor } from "../../../../ffi/bpf_map.ts";
import { SyscallError } from "../../../../ffi/errno.ts";
import {
  type EndEvent,
  RuleCollector,
  type RuleMap,
} from "../../../../lib/trace/ebpf_collector.ts";

/** A map in memory; `onTake` may change a value at the last moment. */
class FakeMap implements RuleMap {
  readonly contents = new Map<string, Uint8Array>();
  onTake: (key: string) => void = () => {};

  lookup(key: Uint8Array, target: Uint8Array): boolean {
    const value = this.contents.get(`${key}`);
    if (value === undefined) return false;
    target.set(value);
    return true;
  }

  take(key: Uint8Array, target: Uint8Array): boolean {
    this.onTake(`${key}`);
    return this.lookup(key, target) && this.delete(key);
  }

  delete(key: Uint8Array): boolean {
    return this.contents.delete(`${key}`);
  }

  update(key: Uint8Array, value: Uint8Array): void {
    this.contents.set(`${key}`, value.slice());
  }

  get keys(): Uint8Array[] {
    return [...this.contents.keys()]
      .map((key) => Uint8Array.from(key.split(",").map(Number)));
  }

  visit(visitor: EntryVisitor): void {
    for (const key of this.keys) {
      const value = this.contents.get(`${key}`)!;
      visitor(key, 0, new DataView(value.buffer), 0);
    }
  }
}

function value(size: number, fields: Record<number, number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  for (const [offset, field] of Object.entries(fields)) {
    view.setUint32(Number(offset), field, true);
  }
  return new Uint8Array(view.buffer);
}

function closedConnection(closed: number): Uint8Array {
  return value(CONNECTION.size, { [CONNECTION.closed]: closed });
}

function event(
  type: number,
  time: number,
  localPort: number,
  remotePort = 0,
): EndEvent {
  return {
    type,
    time,
    protocol: 6,
    localPort,
    remotePort,
    readLocal: (target) => void target.fill(1),
    readRemote: (target) => void target.fill(2),
  };
}

function setUp(maxWaiting = 100): {
  conns: FakeMap;
  ports: FakeMap;
  collector: RuleCollector;
  close: (port: number, time: number) => void;
} {
  const conns = new FakeMap();
  const ports = new FakeMap();
  const collector = new RuleCollector({
    conns,
    ports,
    connectionLinger: 1000,
    portLinger: 10,
    maxWaiting,
  });
  const close = (port: number, time: number): void => {
    const key = [
      ...new Array(16).fill(1),
      ...new Array(16).fill(2),
      ...[port >> 8, port & 255, 0, 80, 6, 0, 0, 0],
    ];
    conns.update(Uint8Array.from(key), closedConnection(time));
    collector.observe(event(EVENT_TYPE.CLOSED, time, port, 80));
  };
  return { conns, ports, collector, close };
}

Deno.test("RuleCollector removes connections when they are due", () => {
  const { conns, collector, close } = setUp();
  close(5000, 100);
  close(5001, 200);
  equal(collector.waiting, 2);
  equal(collector.collect(1099), 0);
  equal(collector.collect(1100), 1);
  equal(conns.contents.size, 1);
  equal(collector.collect(5000), 1);
  equal(collector.waiting, 0);
});

Deno.test("RuleCollector leaves a connection that is in use again", () => {
  const { conns, collector, close } = setUp();
  close(5000, 100);
  conns.update(conns.keys[0]!, closedConnection(0));
  equal(collector.collect(5000), 0);
  equal(conns.contents.size, 1);
});

Deno.test("RuleCollector puts back what came to life at the last moment", () => {
  const { conns, collector, close } = setUp();
  close(5000, 100);
  conns.onTake = (key) => conns.contents.set(key, closedConnection(0));
  equal(collector.collect(5000), 0);
  deepEqual([...conns.contents.values()], [closedConnection(0)]);
});

Deno.test("RuleCollector deletes where the kernel cannot take", () => {
  const { conns, collector, close } = setUp();
  conns.onTake = () => {
    throw new SyscallError("bpf(BPF_MAP_LOOKUP_AND_DELETE_ELEM)", 524);
  };
  close(5000, 100);
  close(5001, 100);
  equal(collector.collect(5000), 2);
  equal(conns.contents.size, 0);
});

Deno.test("RuleCollector makes room for the newest by removing the oldest", () => {
  const { conns, collector, close } = setUp(2);
  close(5000, 100);
  close(5001, 101);
  close(5002, 102);
  equal(collector.waiting, 2);
  equal(conns.contents.size, 2);
  equal(conns.contents.has([...conns.contents.keys()][0]!), true);
  equal(collector.collect(5000), 2);
});

Deno.test("RuleCollector removes ports without sockets only", () => {
  const { ports, collector } = setUp();
  const key = (port: number): Uint8Array =>
    Uint8Array.of(port & 255, port >> 8, 6, 0);
  ports.update(key(80), value(PORT.size, { [PORT.closed]: 100 }));
  ports.update(
    key(81),
    value(PORT.size, { [PORT.sockets]: 1, [PORT.closed]: 100 }),
  );
  collector.observe(event(EVENT_TYPE.RELEASED, 100, 80));
  collector.observe(event(EVENT_TYPE.RELEASED, 100, 81));
  collector.observe(event(EVENT_TYPE.RELEASED, 100, 0));
  equal(collector.waiting, 2);
  equal(collector.collect(109), 0);
  equal(collector.collect(110), 1);
  deepEqual([...ports.contents.keys()], [`${key(81)}`]);
});

Deno.test("RuleCollector finds ended rules without events", () => {
  const { conns, ports, collector } = setUp();
  const rules = [[1, 100], [2, 400], [3, 500], [4, 0]] as const;
  for (const [port, closed] of rules) {
    const sockets = closed === 0 ? 1 : 0;
    ports.update(
      Uint8Array.of(port, 0, 6, 0),
      value(PORT.size, { [PORT.sockets]: sockets, [PORT.closed]: closed }),
    );
  }
  const key = new Uint8Array(CONNECTION_KEY.size).fill(1);
  conns.update(key, closedConnection(450));
  collector.connectionEnded(key, 450);
  // What ended before had its events.
  collector.catchUpPorts(400);
  equal(collector.waiting, 3);
  equal(collector.collect(409), 0);
  equal(collector.collect(410), 1);
  equal(collector.collect(1450), 2);
  equal(conns.contents.size, 0);
  equal(ports.contents.size, 2);
});
