import "../../../support/open_libc.ts";
import { deepEqual, equal } from "node:assert/strict";
import { monotonicTime } from "../../../../ffi/clock.ts";
import { emptySocketState } from "../../../../ffi/socket.ts";
import {
  lossText,
  LostEvents,
  type LostEventsParts,
} from "../../../../lib/session/lost_events.ts";
import { NO_RULES } from "../../../../lib/session/no_rules.ts";
import { SocketRegistry } from "../../../../lib/sockets/registry.ts";
import { createTable } from "../../../../lib/sockets/table.ts";
import { SocketTableWriter } from "../../../../lib/sockets/table_writer.ts";
import type {
  Losses,
  RuledConnection,
} from "../../../../lib/trace/ebpf_tracker.ts";

const NOTHING: Losses = {
  events: 0,
  rules: 0,
  sockets: 0,
  processes: 0,
  calls: 0,
};
const TIME = { seconds: 1000, nanoseconds: 0 };
const UDP = 17;

/** A kernel that loses what it is told to lose. */
class Scene {
  readonly connections: RuledConnection[] = [];
  readonly alive = new Set<bigint>();
  /** What the processes have, added to `alive` when they are looked at. */
  readonly descriptors = new Set<bigint>();
  readonly said: string[] = [];
  readonly ended: bigint[] = [];
  scans = 0;
  events = 0;
  readonly registry = new SocketRegistry(
    new SocketTableWriter(createTable()),
    NO_RULES,
  );
  readonly lost: LostEvents;

  constructor(parts: Partial<LostEventsParts> = {}) {
    const losses = (): Losses => ({ ...NOTHING, events: this.events });
    this.lost = new LostEvents({
      tracker: {
        get lossCount() {
          return losses().events;
        },
        get losses() {
          return losses();
        },
        countCalls: () => {},
        catchUp: (_, visitor) => this.connections.forEach(visitor),
        endConnections: (cookies) => void this.ended.push(...cookies),
      } as LostEventsParts["tracker"],
      registry: this.registry,
      owners: { numberOf: (pid) => pid },
      cleanup: { alive: () => new Set(this.alive) },
      scan: () => {
        this.scans++;
        return this.descriptors;
      },
      netnsOf: (told) => told,
      isSeen: () => true,
      moment: () => TIME,
      warn: (text) => void this.said.push(text),
      ...parts,
    });
  }

  connection(cookie: bigint, port: number, closed = 0): void {
    const address = new Uint8Array(16);
    address.set([0xff, 0xff, 127, 0, 0, 1], 10);
    this.connections.push({
      ...{ cookie, netns: 1n, tgid: 42, tid: 42, closed },
      local: { address, port },
      remote: { address, port: 80 },
      key: new Uint8Array(40),
    });
    if (closed === 0) this.alive.add(cookie);
  }

  /** The registry was told of a UDP socket. */
  socket(cookie: bigint, port: number): void {
    const state = emptySocketState();
    state.cookie = cookie;
    state.protocol = UDP;
    state.local.port = port;
    this.registry.observe(state, 1, TIME, TIME);
  }

  check(): void {
    this.lost.check(performance.now());
    this.lost.tend(false);
  }
}

Deno.test("LostEvents does nothing while nothing is lost", () => {
  const scene = new Scene();
  scene.connection(1n, 1001);
  scene.socket(2n, 53);
  scene.check();
  scene.lost.report();
  equal(scene.scans, 0);
  deepEqual([...scene.registry.cookies()], [2n]);
  deepEqual(scene.said, []);
});

Deno.test("LostEvents finds connections before packets are judged", () => {
  const scene = new Scene();
  scene.connection(1n, 1001);
  scene.connection(2n, 1002, 5);
  scene.events = 3;
  scene.lost.check(performance.now());
  equal(scene.scans, 0);
  deepEqual([...scene.registry.cookies()], [1n]);
  equal(scene.registry.seen, 2);
  // Once is enough.
  scene.events = 4;
  scene.lost.check(performance.now());
  equal(scene.registry.seen, 2);
});

Deno.test("LostEvents tells connections between the same ends apart", () => {
  const scene = new Scene({
    moment: (time) => ({
      seconds: Math.floor(time / 1e9),
      nanoseconds: Math.floor(time % 1e9),
    }),
  });
  const began = performance.now();
  scene.lost.check(began);
  scene.connection(1n, 1001, monotonicTime());
  for (scene.events = 1; scene.events < 3; scene.events++) {
    scene.lost.check(began);
    equal(scene.registry.seen, 1);
  }
  // Later than a clock's tolerance.
  scene.lost.check(performance.now() + 1);
  scene.connections.pop();
  scene.connection(2n, 1001, monotonicTime() + 1e9);
  scene.events = 5;
  scene.lost.check(performance.now() + 1000);
  equal(scene.registry.seen, 2);
});

Deno.test("LostEvents leaves namespaces alone that nobody has entered", () => {
  const scene = new Scene({ isSeen: () => false });
  scene.connection(1n, 1001);
  scene.events = 1;
  scene.check();
  equal(scene.registry.size, 0);
});

Deno.test("LostEvents ends known connections whose end was lost", () => {
  const scene = new Scene();
  scene.connection(1n, 1001);
  scene.events = 1;
  scene.check();
  scene.connections.pop();
  scene.connection(1n, 1001, 7);
  scene.events = 2;
  scene.lost.check(performance.now());
  equal(scene.registry.size, 0);
  equal(scene.registry.seen, 1);
});

Deno.test("LostEvents forgets sockets that are gone", () => {
  const scene = new Scene();
  scene.connection(1n, 1001);
  scene.events = 1;
  scene.lost.check(performance.now());
  scene.alive.clear();
  scene.socket(2n, 53);
  scene.socket(3n, 54);
  scene.socket(4n, 55);
  scene.alive.add(3n);
  scene.descriptors.add(4n);
  scene.lost.tend(false);
  deepEqual([...scene.registry.cookies()].sort(), [3n, 4n]);
  deepEqual(scene.ended.sort(), [1n, 2n]);
});

Deno.test("LostEvents looks at the end, however lately it looked", () => {
  const scene = new Scene({
    scan: () => {
      scene.scans++;
      // It may take much time: then some has to go by until the next.
      const until = performance.now() + 20;
      while (performance.now() < until);
      return new Set();
    },
  });
  scene.events = 1;
  scene.check();
  scene.events = 2;
  scene.lost.check(performance.now());
  scene.lost.tend(true);
  equal(scene.scans, 2);
});

Deno.test("LostEvents believes no list alone", () => {
  let lists = 0;
  const scene = new Scene({
    cleanup: { alive: () => new Set(++lists === 1 ? [] : [2n]) },
  });
  scene.socket(2n, 53);
  scene.events = 1;
  scene.check();
  equal(scene.registry.size, 1);
});

Deno.test("LostEvents tells at once, and all of it at the end", () => {
  const scene = new Scene();
  scene.events = 2;
  scene.check();
  scene.events = 9;
  scene.check();
  equal(scene.said.length, 1);
  scene.lost.report();
  scene.lost.report();
  deepEqual(
    scene.said,
    [2, 9].map((events) => lossText({ ...NOTHING, events })),
  );
});

Deno.test("lossText() names what was lost", () => {
  equal(
    lossText({
      ...{ events: 1234, rules: 1, sockets: 0, processes: 2, calls: 1 },
    }),
    "lost in the kernel: 1,234 events of sockets and processes, 1 rule of " +
      "the packet filter, 2 processes, 1 call of a hook; the program's " +
      "sockets are looked up, but packets may be missing",
  );
});
