import assert from "node:assert/strict";
import fc from "fast-check";
import {
  disassembleClassic,
  INSTRUCTION_LENGTH,
} from "../../../../bpf/classic/instruction.ts";
import { ClassicMachine } from "../../../../bpf/classic/vm.ts";
import { SyscallError } from "../../../../ffi/errno.ts";
import { libc } from "../../../../ffi/libc.ts";
import { AF_INET } from "../../../../ffi/sockaddr.ts";
import { openSocket, SOCK_DGRAM, SOL_SOCKET } from "../../../../ffi/socket.ts";
import { ClassicRules } from "../../../../lib/capture/classic_rules.ts";
import { endpoint } from "../../../property/flows.ts";
import {
  buildPacket,
  IPV4_ETHERTYPE,
  IPV6_ETHERTYPE,
} from "../../bpf/packets.ts";

// Stays open for ever: not something that a test leaks.
libc();

const TCP = 6;
const UDP = 17;
const SO_GET_FILTER = 26;
const SO_DETACH_FILTER = 27;
const MOST_INSTRUCTIONS = 4096;
const HOST = 0;
const OUTGOING = 4;
const LOCAL = { v4: "192.0.2.1", v6: "2001:db8::1" };

/** Longer than rules linger. */
const LONG = 5000;

/** Rules of a socket whose filter is looked at as the kernel has it. */
class Scene implements Disposable {
  readonly rules: ClassicRules;
  readonly #socket = openSocket(AF_INET, SOCK_DGRAM, 0);
  readonly #now = performance.now;
  time = 1000;

  constructor(snaplen = 0) {
    performance.now = (): number => this.time;
    this.rules = new ClassicRules(this.#socket.number, snaplen);
  }

  /** Instructions of the filter that is attached; 0 for none. */
  get length(): number {
    return this.#program().length / INSTRUCTION_LENGTH;
  }

  detach(): void {
    const value = Int32Array.of(0);
    const { number } = this.#socket;
    libc().setsockopt(number, SOL_SOCKET, SO_DETACH_FILTER, value, 4);
  }

  /** Bytes kept of a packet between a local port and a remote end. */
  kept(
    protocol: number,
    port: number,
    remote: string,
    packetType = OUTGOING,
  ): number {
    const program = disassembleClassic(this.#program());
    if (program.length === 0) return 0;
    const { address, port: remotePort } = endpoint(remote);
    const isV6 = remote.startsWith("[");
    const local = endpoint(isV6 ? `[${LOCAL.v6}]:1` : `${LOCAL.v4}:1`).address;
    const isSent = packetType === OUTGOING;
    const bytes = buildPacket({
      packetType,
      tags: [],
      version: isV6 ? 6 : 4,
      protocol,
      sourceAddress: isSent ? local : address,
      destinationAddress: isSent ? address : local,
      sourcePort: isSent ? port : remotePort,
      destinationPort: isSent ? remotePort : port,
      optionWords: 0,
      fragmentOffset: 0,
      moreFragments: false,
      headers: [],
      payload: new Uint8Array(16),
      cut: 0,
    });
    return new ClassicMachine(program).run({
      bytes,
      packetType,
      protocol: isV6 ? IPV6_ETHERTYPE : IPV4_ETHERTYPE,
    });
  }

  /** Whether such packets pass in both directions, or in neither. */
  passes(protocol: number, port: number, remote: string): boolean {
    const sent = this.kept(protocol, port, remote, OUTGOING) > 0;
    assert.equal(this.kept(protocol, port, remote, HOST) > 0, sent);
    return sent;
  }

  openRemote(protocol: number, remote: string): void {
    const { address, port } = endpoint(remote);
    this.rules.openRemote(protocol, address, port);
  }

  closeRemote(protocol: number, remote: string): void {
    const { address, port } = endpoint(remote);
    this.rules.closeRemote(protocol, address, port);
  }

  /** Lets time go by with regular work. */
  wait(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 200) {
      this.time += 200;
      this.rules.tidy();
    }
  }

  #program(): Uint8Array {
    const bytes = new Uint8Array(MOST_INSTRUCTIONS * INSTRUCTION_LENGTH);
    const count = Uint32Array.of(MOST_INSTRUCTIONS);
    const { number } = this.#socket;
    const result = libc()
      .getsockopt(number, SOL_SOCKET, SO_GET_FILTER, bytes, count);
    assert.equal(result, 0);
    return bytes.subarray(0, count[0]! * INSTRUCTION_LENGTH);
  }

  [Symbol.dispose](): void {
    performance.now = this.#now;
    this.#socket.close();
  }
}

const SERVER = "198.51.100.2:443";
const SERVER_6 = "[2001:db8::2]:443";
const OTHER = "203.0.113.9:5000";

Deno.test("ClassicRules.apply() brings open ports into force", () => {
  using scene = new Scene();
  scene.rules.openPort(TCP, 40000);
  scene.rules.openPort(UDP, 53);
  assert.equal(scene.length, 0);
  scene.rules.apply();
  for (const remote of [SERVER, SERVER_6]) {
    assert.ok(scene.passes(TCP, 40000, remote));
    assert.ok(scene.passes(UDP, 53, remote));
    assert.ok(!scene.passes(UDP, 40000, remote));
    assert.ok(!scene.passes(TCP, 53, remote));
  }
});

Deno.test("ClassicRules.apply() brings open remote ends into force", () => {
  for (const remote of [SERVER, SERVER_6]) {
    using scene = new Scene();
    scene.openRemote(UDP, remote);
    scene.rules.apply();
    assert.ok(scene.passes(UDP, 1, remote));
    assert.ok(scene.passes(UDP, 65535, remote));
    assert.ok(!scene.passes(TCP, 1, remote));
    assert.ok(!scene.passes(UDP, 1, remote.replace(/443$/, "444")));
    assert.ok(!scene.passes(UDP, 1, OTHER));
  }
});

Deno.test("ClassicRules keeps a port open until it is closed as often as opened", () => {
  using scene = new Scene();
  scene.rules.openPort(TCP, 80);
  scene.rules.openPort(TCP, 80);
  scene.rules.apply();
  scene.rules.closePort(TCP, 80);
  scene.wait(LONG);
  assert.ok(scene.passes(TCP, 80, SERVER));
  scene.rules.closePort(TCP, 80);
  scene.wait(LONG);
  assert.ok(!scene.passes(TCP, 80, SERVER));
});

Deno.test("ClassicRules lets a remote end linger, and attaches nothing for the next call", () => {
  using scene = new Scene();
  scene.openRemote(TCP, SERVER);
  scene.rules.apply();
  for (let i = 0; i < 3; i++) {
    scene.rules.openCoveredPort(TCP, 40000 + i);
    scene.closeRemote(TCP, SERVER);
    scene.wait(400);
    assert.ok(scene.passes(TCP, 40000 + i, SERVER));
    scene.detach();
    scene.openRemote(TCP, SERVER);
    scene.rules.apply();
    assert.equal(scene.length, 0, "a filter was attached");
    scene.rules.openPort(UDP, 53 + i);
    scene.rules.apply();
  }
  scene.closeRemote(TCP, SERVER);
  scene.wait(LONG);
  assert.ok(!scene.passes(TCP, 1, SERVER));
  for (let i = 0; i < 3; i++) assert.ok(scene.passes(TCP, 40000 + i, OTHER));
});

Deno.test("ClassicRules attaches nothing where nothing new is open", () => {
  using scene = new Scene();
  scene.rules.apply();
  assert.equal(scene.length, 0);
  scene.rules.openPort(TCP, 80);
  scene.rules.apply();
  scene.detach();
  scene.rules.openPort(TCP, 80);
  scene.rules.closePort(TCP, 80);
  scene.rules.apply();
  scene.wait(LONG);
  assert.equal(scene.length, 0);
});

Deno.test("ClassicRules opens a port again that was just closed", () => {
  using scene = new Scene();
  scene.rules.openPort(TCP, 80);
  scene.rules.apply();
  scene.rules.closePort(TCP, 80);
  scene.rules.openPort(TCP, 80);
  scene.rules.apply();
  scene.wait(LONG);
  assert.ok(scene.passes(TCP, 80, SERVER));
  scene.rules.closePort(TCP, 80);
  scene.wait(LONG);
  scene.rules.openPort(TCP, 80);
  scene.rules.apply();
  assert.ok(scene.passes(TCP, 80, SERVER));
});

Deno.test("ClassicRules keeps as many bytes as asked for", () => {
  for (const [snaplen, kept] of [[0, 0x7fffffff], [96, 96]] as const) {
    using scene = new Scene(snaplen);
    scene.rules.openPort(TCP, 80);
    scene.rules.apply();
    assert.equal(scene.kept(TCP, 80, SERVER), kept);
  }
});

Deno.test("ClassicRules takes any number of ports", () => {
  using scene = new Scene();
  const ports = Array.from({ length: 12_000 }, (_, index) => 5 * index + 7);
  for (const port of ports) scene.rules.openPort(TCP, port);
  scene.rules.apply();
  assert.ok(scene.length <= MOST_INSTRUCTIONS);
  for (const port of ports.filter((_, index) => index % 97 === 0)) {
    assert.ok(scene.passes(TCP, port, SERVER), `${port}`);
  }
  assert.ok(!scene.passes(UDP, 7, SERVER));
});

Deno.test("ClassicRules.apply() throws what the kernel says", () => {
  const rules = new ClassicRules(-1, 0);
  rules.openPort(TCP, 80);
  const EBADF = 9;
  assert.throws(
    () => rules.apply(),
    new SyscallError("SO_ATTACH_FILTER", EBADF),
  );
});

Deno.test("ClassicRules.closeRemote() takes ends that were never opened", () => {
  using scene = new Scene();
  scene.closeRemote(TCP, SERVER);
  scene.rules.openPort(TCP, 80);
  scene.rules.apply();
  scene.wait(LONG);
  assert.ok(scene.passes(TCP, 80, SERVER));
});

const PORTS = [80, 81, 40000];
const REMOTES = [SERVER, SERVER_6, OTHER];

/** What is open, and how. */
interface Model {
  /** Openings of a port that are in force after `apply`. */
  readonly ports: Map<string, number>;
  /** Openings that a remote end covers. */
  readonly covered: { readonly key: string; readonly remote: string }[];
  readonly remotes: Map<string, number>;
}

type Action = "open" | "cover" | "close" | "call" | "return" | "apply" | "wait";

const actions = fc.array(
  fc.tuple(
    fc.constantFrom<Action[]>(
      ...["open", "cover", "cover", "close", "close", "call", "call"] as const,
      ...["return", "return", "apply", "apply", "wait", "wait"] as const,
    ),
    fc.constantFrom(TCP, UDP),
    fc.nat(2),
    fc.nat(2),
  ),
  { maxLength: 40, size: "max" },
);

Deno.test("ClassicRules lets through what is open, always, and nothing else in the end", () => {
  fc.assert(
    fc.property(actions, (steps) => {
      using scene = new Scene();
      const model: Model = {
        ports: new Map(),
        covered: [],
        remotes: new Map(),
      };
      for (const [action, protocol, a, b] of steps) {
        act(scene, model, action, protocol, PORTS[a]!, REMOTES[b]!);
        if (action === "apply" || action === "wait") check(scene, model);
      }
      scene.rules.apply();
      scene.wait(LONG);
      checkExactly(scene, model);
    }),
    { numRuns: 200 },
  );
});

function act(
  scene: Scene,
  { ports, covered, remotes }: Model,
  action: Action,
  protocol: number,
  port: number,
  remote: string,
): void {
  const key = `${protocol} ${port}`;
  const end = `${protocol} ${remote}`;
  const calls = remotes.get(end) ?? 0;
  switch (action) {
    case "open":
      scene.rules.openPort(protocol, port);
      ports.set(key, (ports.get(key) ?? 0) + 1);
      break;
    case "cover":
      // Only while a call to the remote end is under way, and in force.
      if (calls === 0) break;
      scene.rules.apply();
      scene.rules.openCoveredPort(protocol, port);
      covered.push({ key, remote });
      break;
    case "close": {
      const index = covered.findIndex((entry) => entry.key === key);
      const count = ports.get(key) ?? 0;
      if (index >= 0) covered.splice(index, 1);
      else if (count > 0) ports.set(key, count - 1);
      else break;
      scene.rules.closePort(protocol, port);
      break;
    }
    case "call":
      scene.openRemote(protocol, remote);
      remotes.set(end, calls + 1);
      break;
    case "return":
      if (calls === 0) break;
      scene.closeRemote(protocol, remote);
      remotes.set(end, calls - 1);
      break;
    case "apply":
      scene.rules.apply();
      break;
    case "wait":
      scene.rules.apply();
      scene.wait(600);
      break;
  }
}

function check(scene: Scene, { ports, covered, remotes }: Model): void {
  for (const [key, count] of ports) {
    if (count === 0) continue;
    const [protocol, port] = key.split(" ").map(Number);
    for (const remote of REMOTES) {
      assert.ok(scene.passes(protocol!, port!, remote), `${key} ${remote}`);
    }
  }
  for (const { key, remote } of covered) {
    const [protocol, port] = key.split(" ").map(Number);
    assert.ok(scene.passes(protocol!, port!, remote), `${key} ${remote}`);
  }
  for (const [end, calls] of remotes) {
    if (calls === 0) continue;
    const [protocol, remote] = end.split(" ");
    assert.ok(scene.passes(Number(protocol), 9, remote!), end);
  }
}

function checkExactly(scene: Scene, { ports, covered, remotes }: Model): void {
  for (const protocol of [TCP, UDP]) {
    for (const port of [...PORTS, 9]) {
      const key = `${protocol} ${port}`;
      const isOpen = (ports.get(key) ?? 0) > 0 ||
        covered.some((entry) => entry.key === key);
      for (const remote of [...REMOTES, "203.0.113.9:5001"]) {
        const isCalled = (remotes.get(`${protocol} ${remote}`) ?? 0) > 0;
        const text = `${key} ${remote}`;
        const passes = scene.passes(protocol, port, remote);
        assert.equal(passes, isOpen || isCalled, text);
      }
    }
  }
}
