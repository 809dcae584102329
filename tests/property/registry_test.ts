/**
 * Random programs on a simulated network: every packet of theirs passes the
 * kernel filter when it flies, and the matcher finds it; packets of other
 * programs are never taken; in the end nothing is left.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { Match } from "../../lib/sockets/matcher.ts";
import type { CallUnderWay } from "../../lib/sockets/pending_calls.ts";
import type { Moment } from "../../lib/sockets/table_writer.ts";
import { endpoint, type FlowText } from "./flows.ts";
import { RegistryScene, type StateText } from "./registry_scene.ts";

const TCP = 6;
const UDP = 17;
const HOST = "192.0.2.1";
const REMOTES = ["198.51.100.2:443", "198.51.100.2:53", "203.0.113.9:443"];
/** Few, so that they are used again soon. */
const PORTS = [40000, 40001, 40002, 40003, 40004, 40005];
/** Longer than anything is kept. */
const LONG = 200;

const OURS = "ours";
const FOREIGN = "foreign";

/** A socket of the simulated kernel. */
interface Socket {
  readonly cookie: bigint;
  readonly protocol: number;
  readonly who: typeof OURS | typeof FOREIGN;
  port: number;
  remote: string | undefined;
  /** bind(2) was called: the port stays when the peer goes. */
  bound: boolean;
  stage: "idle" | "calling" | "connecting" | "connected" | "listening";
  /** Connections that a listening socket accepted. */
  readonly accepted: Set<string>;
}

/** A call between its entry and its exit. */
interface OpenCall {
  readonly socket: Socket;
  readonly call: CallUnderWay | undefined;
  readonly finish: () => { readonly failed: boolean };
}

interface Flying {
  readonly flow: FlowText;
  readonly sent: boolean;
  readonly at: Moment;
  readonly isOurs: boolean;
}

class World {
  readonly #scene: RegistryScene;
  readonly #sockets: Socket[] = [];
  readonly #calls: OpenCall[] = [];
  #ring: Flying[] = [];
  #cookies = 1n;
  /** Connections that outlived their listening socket. */
  readonly #orphans = new Map<
    string,
    { port: number; remote: string; cookie: bigint }
  >();
  #orphanCookie = 1n << 40n;
  /** Ports given up while calls are under way. */
  readonly #late = new Set<number>();
  taken = 0;
  passed = 0;

  constructor(scene: RegistryScene) {
    this.#scene = scene;
  }

  step(action: Action, a: number, b: number): void {
    const remote = REMOTES[b % REMOTES.length]!;
    switch (action) {
      case "tcp":
        return this.#open(TCP, OURS);
      case "udp":
        return this.#open(UDP, OURS);
      case "foreign":
        return this.#foreign(a % 2 === 0 ? TCP : UDP, remote, b);
      case "bind":
        return this.#bind(a, b);
      case "listen":
        return this.#listen(a);
      case "connect":
        return this.#connect(a, remote, b);
      case "disconnect":
        return this.#disconnect(a);
      case "send":
        return this.#send(a, remote, REMOTES[a % REMOTES.length]!);
      case "finish":
        return this.#finish(a);
      case "talk":
        return this.#talk(a, b);
      case "close":
        return this.#close(a, b);
      case "sniff":
        return this.#sniff();
      case "tidy":
        return this.#scene.rules.tidy();
      case "wait":
        return this.#wait(1);
    }
  }

  /** Ends everything and looks for what was left. */
  end(): void {
    while (this.#calls.length > 0) this.#finish(0);
    while (this.#sockets.length > 0) this.#close(0, this.#sockets.length);
    this.#endOrphans();
    this.#sniff();
    assert.equal(this.#ring.length, 0);
    this.#wait(LONG);
    assert.deepEqual(this.#scene.rules.open, []);
    assert.equal(this.#scene.writer.used, 0);
    assert.equal(this.#scene.registry.size, 0);
  }

  #open(protocol: number, who: Socket["who"]): void {
    if (this.#sockets.length === 8) return;
    this.#sockets.push({
      cookie: this.#cookies++,
      protocol,
      who,
      port: 0,
      remote: undefined,
      bound: false,
      stage: "idle",
      accepted: new Set(),
    });
  }

  #pick(
    index: number,
    wanted: (socket: Socket) => boolean,
  ): Socket | undefined {
    const found = this.#sockets.filter(wanted);
    return found[index % Math.max(1, found.length)];
  }

  #stateOf(socket: Socket): StateText {
    const { cookie, protocol, port, remote, stage } = socket;
    const isNamed = remote !== undefined && stage !== "calling";
    const local = `${isNamed ? HOST : "0.0.0.0"}:${port}`;
    const base = { cookie, protocol, local };
    if (stage === "listening") return { ...base, listening: true };
    const hasPeer = stage === "connected" && remote !== undefined;
    return hasPeer ? { ...base, remote } : base;
  }

  /**
   * A port that nobody has, nor had since the oldest call under way began: a
   * call's packets are told from earlier ones by the time when it began.
   */
  #freePort(protocol: number, wanted: number): number | undefined {
    if (this.#calls.length === 0) this.#late.clear();
    const used = new Set(this.#late);
    for (const { port } of this.#orphans.values()) used.add(port);
    for (const socket of this.#sockets) {
      if (socket.protocol === protocol) used.add(socket.port);
    }
    for (let i = 0; i < PORTS.length; i++) {
      const port = PORTS[(wanted + i) % PORTS.length]!;
      if (!used.has(port)) return port;
    }
    return undefined;
  }

  #fly(
    protocol: number,
    sent: boolean,
    port: number,
    remote: string,
    isOurs: boolean,
    flags = ".",
  ): void {
    const local = `${HOST}:${port}`;
    const flow: FlowText = sent
      ? { protocol, source: local, destination: remote, flags }
      : { protocol, source: remote, destination: local, flags };
    const at = { ...this.#scene.tick() };
    if (isOurs) {
      assert.ok(
        this.#scene.passes(protocol, local, remote),
        `${JSON.stringify(flow)} is filtered out`,
      );
    }
    this.#ring.push({ flow, sent, at, isOurs });
  }

  #foreign(protocol: number, remote: string, b: number): void {
    const port = this.#freePort(protocol, b);
    if (port === undefined || this.#sockets.length === 8) return;
    this.#open(protocol, FOREIGN);
    const socket = this.#sockets.at(-1)!;
    socket.port = port;
    socket.remote = remote;
    socket.stage = "connected";
    if (protocol === TCP) this.#handshake(socket, remote);
    else this.#fly(UDP, true, port, remote, false);
  }

  #handshake({ port, who }: Socket, remote: string): void {
    this.#fly(TCP, true, port, remote, who === OURS, "S");
    this.#fly(TCP, false, port, remote, who === OURS, "S.");
    this.#fly(TCP, true, port, remote, who === OURS, ".");
  }

  #bind(a: number, b: number): void {
    const socket = this.#pick(
      a,
      ({ who, stage, port }) => who === OURS && stage === "idle" && port === 0,
    );
    if (socket === undefined) return;
    const free = this.#freePort(socket.protocol, b);
    if (free === undefined) return;
    if (socket.protocol === TCP) {
      socket.port = free; // Not watched.
      socket.bound = true;
      return;
    }
    const isTaken = b % 5 === 0;
    const call = this.#scene.beginLocal(UDP, free);
    socket.stage = "calling";
    this.#calls.push({
      socket,
      call,
      finish: () => {
        socket.stage = "idle";
        // In the meantime somebody else may have been given the port.
        const failed = isTaken || this.#freePort(UDP, b) !== free;
        if (!failed) {
          socket.port = free;
          socket.bound = true;
          this.#fly(UDP, false, free, REMOTES[0]!, true);
        }
        return { failed };
      },
    });
  }

  #listen(a: number): void {
    const socket = this.#pick(
      a,
      ({ who, protocol, stage, bound }) =>
        who === OURS && protocol === TCP && stage === "idle" && bound,
    );
    if (socket === undefined) return;
    const call = this.#scene.beginLocal(TCP, socket.port);
    socket.stage = "calling";
    this.#calls.push({
      socket,
      call,
      finish: () => {
        socket.stage = "listening";
        // A client is faster than our look at the outcome.
        this.#accept(socket, REMOTES[1]!);
        return { failed: false };
      },
    });
  }

  #accept(socket: Socket, remote: string): void {
    if (socket.accepted.has(remote)) return;
    socket.accepted.add(remote);
    this.#fly(TCP, false, socket.port, remote, true, "S");
    this.#fly(TCP, true, socket.port, remote, true, "S.");
    this.#fly(TCP, false, socket.port, remote, true, ".");
  }

  #connect(a: number, remote: string, b: number): void {
    const socket = this.#pick(
      a,
      ({ who, stage }) => who === OURS && stage !== "calling",
    );
    if (socket === undefined) return;
    if (socket.protocol === UDP) return this.#connectUdp(socket, remote, b);
    const { stage } = socket;
    const target = stage === "connecting" ? socket.remote! : remote;
    const call = this.#scene.begin(this.#stateOf(socket), [target]);
    if (stage === "listening" || stage === "connected") {
      assert.equal(call, undefined);
      return;
    }
    const outcome = ["made", "in progress", "refused"][b % 3]!;
    if (stage === "idle") socket.stage = "calling";
    this.#calls.push({
      socket,
      call,
      finish: () => this.#finishConnect(socket, target, stage, outcome, b),
    });
  }

  #finishConnect(
    socket: Socket,
    remote: string,
    stage: Socket["stage"],
    outcome: string,
    b: number,
  ): { readonly failed: boolean } {
    if (stage === "connecting") return { failed: false }; // EALREADY, EISCONN
    const port = socket.bound ? socket.port : this.#freePort(TCP, b);
    if (port === undefined) {
      socket.stage = "idle";
      return { failed: true }; // EADDRNOTAVAIL
    }
    this.#fly(TCP, true, port, remote, true, "S");
    socket.port = port;
    socket.remote = remote;
    socket.stage = "connecting";
    if (outcome === "refused") {
      this.#fly(TCP, false, port, remote, true, "R.");
      return { failed: true };
    }
    if (outcome === "made") {
      this.#fly(TCP, false, port, remote, true, "S.");
      this.#fly(TCP, true, port, remote, true, ".");
      socket.stage = "connected";
    }
    return { failed: false };
  }

  #connectUdp(socket: Socket, remote: string, b: number): void {
    if (socket.port === 0) {
      const port = this.#freePort(UDP, b);
      if (port === undefined) return;
      socket.port = port;
    }
    socket.remote = remote;
    socket.stage = "connected";
    this.#scene.observe(this.#stateOf(socket));
  }

  /** connect(2) with AF_UNSPEC. */
  #disconnect(a: number): void {
    const socket = this.#pick(
      a,
      ({ who, protocol, stage }) =>
        who === OURS && protocol === UDP && stage === "connected",
    );
    if (socket === undefined) return;
    socket.remote = undefined;
    socket.stage = "idle";
    this.#late.add(socket.port);
    if (!socket.bound) socket.port = 0;
    this.#scene.observe(this.#stateOf(socket));
  }

  /** sendto(2), sendmmsg(2). */
  #send(a: number, first: string, second: string): void {
    const socket = this.#pick(
      a,
      ({ who, protocol, stage }) =>
        who === OURS && protocol === UDP && stage !== "calling",
    );
    if (socket === undefined) return;
    const remotes = [...new Set([first, second])];
    const call = this.#scene.begin(this.#stateOf(socket), remotes);
    const emit = (): void => {
      for (const remote of remotes) {
        this.#fly(UDP, true, socket.port, remote, true);
      }
    };
    if (socket.port !== 0) {
      assert.equal(call, undefined);
      return emit();
    }
    socket.stage = "calling";
    this.#calls.push({
      socket,
      call,
      finish: () => {
        socket.stage = "idle";
        const port = this.#freePort(UDP, a);
        if (port === undefined) return { failed: true }; // EAGAIN
        socket.port = port;
        // The kernel chose it, and keeps it.
        socket.bound = true;
        emit();
        return { failed: false };
      },
    });
  }

  #finish(index: number): void {
    const open = this.#calls[index % Math.max(1, this.#calls.length)];
    if (open === undefined) return;
    const { socket } = open;
    const { failed } = open.finish();
    this.#calls.splice(this.#calls.indexOf(open), 1);
    this.#scene.settle(open.call, this.#stateOf(socket), failed);
    if (failed && socket.protocol === TCP) {
      socket.stage = "idle";
      socket.remote = undefined;
      this.#late.add(socket.port);
      if (!socket.bound) socket.port = 0;
    }
  }

  #talk(a: number, b: number): void {
    const socket = this.#pick(
      a,
      ({ port, stage }) => port !== 0 && stage !== "calling",
    );
    if (socket === undefined) return;
    const { protocol, port, remote, who, stage } = socket;
    const isOurs = who === OURS;
    const some = REMOTES[b % REMOTES.length]!;
    if (stage === "listening") {
      this.#accept(socket, some);
      this.#fly(TCP, true, port, some, true);
    } else if (stage === "connecting") {
      if (this.#calls.some((call) => call.socket === socket)) return;
      this.#fly(TCP, true, port, remote!, isOurs, "S");
      this.#fly(TCP, false, port, remote!, isOurs, "S.");
      socket.stage = "connected";
    } else if (stage === "connected") {
      this.#fly(protocol, b % 2 === 0, port, remote!, isOurs);
    } else if (protocol === UDP) {
      this.#fly(UDP, false, port, some, isOurs);
    }
    for (const [, orphan] of this.#orphans) {
      this.#fly(TCP, b % 2 === 0, orphan.port, orphan.remote, true);
    }
  }

  #close(a: number, b: number): void {
    const socket = this.#pick(
      a,
      (each) => !this.#calls.some((call) => call.socket === each),
    );
    if (socket === undefined) return;
    this.#sockets.splice(this.#sockets.indexOf(socket), 1);
    const { protocol, who, port, remote, stage, cookie } = socket;
    const isOurs = who === OURS;
    this.#late.add(port);
    const destroy = (): void => {
      if (!isOurs) return;
      const listener = this.#scene.registry.closed(cookie, this.#scene.tick());
      if (listener === undefined) return;
      for (const accepted of socket.accepted) {
        const orphan = { port, remote: accepted, cookie: this.#orphanCookie++ };
        this.#orphans.set(`${port} ${accepted}`, orphan);
        const local = endpoint(`${HOST}:${port}`).address;
        const end = endpoint(accepted);
        this.#scene.registry.adopt(listener, orphan.cookie, local, end);
      }
      this.#scene.registry.apply();
    };
    if (protocol === TCP && (stage === "connected" || stage === "connecting")) {
      if (b % 3 === 0) {
        this.#fly(TCP, true, port, remote!, isOurs, "R.");
        destroy();
      } else {
        this.#fly(TCP, true, port, remote!, isOurs, "F.");
        if (b % 3 === 1) destroy();
        this.#fly(TCP, false, port, remote!, isOurs, "F.");
        if (b % 3 === 2) destroy();
        this.#fly(TCP, true, port, remote!, isOurs, ".");
      }
    } else destroy();
    if (protocol === UDP && isOurs && port !== 0) {
      // It comes too late.
      this.#fly(UDP, false, port, REMOTES[0]!, false);
    }
    if (b % 2 === 0) this.#endOrphans();
  }

  #endOrphans(): void {
    for (const { port, remote, cookie } of this.#orphans.values()) {
      this.#late.add(port);
      this.#fly(TCP, false, port, remote, true, "F.");
      this.#fly(TCP, true, port, remote, true, "F.");
      this.#fly(TCP, false, port, remote, true, ".");
      this.#scene.registry.closed(cookie, this.#scene.tick());
    }
    this.#orphans.clear();
  }

  /** The sniffer takes what it can. */
  #sniff(): void {
    let count = 0;
    for (const { flow, sent, at, isOurs } of this.#ring) {
      const slot = sent
        ? this.#scene.sent(flow, at)
        : this.#scene.received(flow, at);
      if (slot === Match.UNDECIDED) {
        assert.ok(this.#calls.length > 0, "no call is under way");
        break;
      }
      const text = `${JSON.stringify(flow)} at ${at.seconds}.${at.nanoseconds}`;
      assert.equal(slot >= 0, isOurs, `${text} ${isOurs ? OURS : FOREIGN}`);
      if (isOurs) this.taken++;
      else this.passed++;
      count++;
    }
    this.#ring = this.#ring.slice(count);
  }

  #wait(seconds: number): void {
    this.#sniff();
    this.#scene.wait(seconds, this.#ring[0]?.at.seconds);
  }
}

const ACTIONS = [
  ...["tcp", "udp", "foreign", "bind", "listen", "connect", "connect"],
  ...["disconnect", "send", "finish", "finish", "talk", "talk", "close"],
  ...["sniff", "tidy", "wait"],
] as const;
type Action =
  | "tcp"
  | "udp"
  | "foreign"
  | "bind"
  | "listen"
  | "connect"
  | "disconnect"
  | "send"
  | "finish"
  | "talk"
  | "close"
  | "sniff"
  | "tidy"
  | "wait";

const story = fc.array(
  fc.tuple(
    fc.constantFrom(...ACTIONS as readonly Action[]),
    fc.nat(20),
    fc.nat(20),
  ),
  { minLength: 10, maxLength: 80, size: "max" },
);

for (const isEager of [false, true]) {
  const kind = isEager ? "an eager" : "a lazy";
  Deno.test(`SocketRegistry follows random programs with ${kind} kernel filter`, () => {
    let taken = 0;
    let passed = 0;
    fc.assert(
      fc.property(story, (steps) => {
        using scene = new RegistryScene({ isEager });
        const world = new World(scene);
        for (const [action, a, b] of steps) world.step(action, a, b);
        world.end();
        taken += world.taken;
        passed += world.passed;
      }),
      { numRuns: 300 },
    );
    assert.ok(taken > 2000 && passed > 300, `${taken} taken, ${passed} not`);
  });
}
