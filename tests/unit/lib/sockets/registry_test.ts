import assert from "node:assert/strict";
import { Match } from "../../../../lib/sockets/matcher.ts";
import { SlotKind } from "../../../../lib/sockets/table.ts";
import { DESTROYED_SECONDS } from "../../../../lib/sockets/table_writer.ts";
import { address, endpoint, type FlowText } from "../../../property/flows.ts";
import {
  RegistryScene,
  type StateText,
} from "../../../property/registry_scene.ts";

const TCP = 6;
const UDP = 17;
const LOCAL = "192.0.2.1:40000";
const SERVER = "198.51.100.2:443";
const OTHER = "203.0.113.9:53";
const REMOTE_RULE = "tcp remote 198.51.100.2:443";
const PORT_RULE = "tcp port 40000";

const UNBOUND: StateText = { cookie: 1n, protocol: TCP };
const BOUND: StateText = { ...UNBOUND, local: "0.0.0.0:40000" };
const NAMED: StateText = { ...UNBOUND, local: LOCAL };
const CONNECTED: StateText = { ...NAMED, remote: SERVER };

const UDP_UNBOUND: StateText = { cookie: 2n, protocol: UDP };
const UDP_BOUND: StateText = { ...UDP_UNBOUND, local: "0.0.0.0:40000" };
const UDP_CONNECTED: StateText = {
  ...UDP_UNBOUND,
  local: LOCAL,
  remote: SERVER,
};

const SYN: FlowText = { source: LOCAL, destination: SERVER, flags: "S" };
const SYN_ACK: FlowText = { source: SERVER, destination: LOCAL, flags: "S." };
const ACK: FlowText = { source: LOCAL, destination: SERVER };
const RESET: FlowText = { source: SERVER, destination: LOCAL, flags: "R." };

function datagram(source: string, destination: string): FlowText {
  return { protocol: UDP, source, destination };
}

/** Closes all sockets and waits until nothing can come any more. */
function closeEverything(scene: RegistryScene): void {
  for (const cookie of [...scene.registry.cookies()]) {
    scene.registry.closed(cookie, scene.tick());
  }
  scene.wait(2 * DESTROYED_SECONDS);
  assert.deepEqual(scene.rules.open, []);
  assert.equal(scene.writer.used, 0);
}

Deno.test("SocketRegistry waits for the local port of a TCP connection", () => {
  using scene = new RegistryScene();
  const call = scene.begin(UNBOUND, [SERVER]);
  assert.deepEqual(scene.rules.calls, [`open ${REMOTE_RULE}`, "apply"]);
  const at = { ...scene.tick() };
  assert.equal(scene.sent(SYN, at), Match.UNDECIDED);
  scene.settle(call, CONNECTED);
  const slot = scene.sent(SYN, at);
  assert.ok(slot >= 0);
  assert.equal(scene.received(SYN_ACK), slot);
  assert.equal(scene.sent(ACK), slot);
  assert.ok(scene.passes(TCP, LOCAL, SERVER));
  assert.equal(scene.matcher.ownerOf(slot), 1);
  assert.equal(
    scene.sent({ ...SYN, source: "192.0.2.1:40001" }),
    Match.FOREIGN,
  );
  assert.deepEqual([scene.registry.size, scene.registry.seen], [1, 1]);
  closeEverything(scene);
});

Deno.test("SocketRegistry lets the port of a connection through when its remote end is closed", () => {
  using scene = new RegistryScene();
  scene.settle(scene.begin(UNBOUND, [SERVER]), CONNECTED);
  scene.rules.tidy();
  assert.ok(scene.passes(TCP, LOCAL, SERVER));
  assert.ok(!scene.passes(TCP, "192.0.2.1:40001", SERVER));
  closeEverything(scene);
});

Deno.test("SocketRegistry keeps the packets of a connect(2) that was refused", () => {
  for (const bound of [undefined, BOUND]) {
    using scene = new RegistryScene();
    const call = scene.begin(bound ?? UNBOUND, [SERVER]);
    const at = [{ ...scene.tick() }, { ...scene.tick() }] as const;
    scene.settle(call, bound ?? NAMED, true);
    const slot = scene.sent(SYN, at[0]);
    assert.ok(slot >= 0);
    assert.equal(scene.received(RESET, at[1]), slot);
    assert.deepEqual([scene.registry.size, scene.registry.seen], [0, 1]);
    assert.equal(scene.sent(SYN), Match.FOREIGN, "another program's");
    closeEverything(scene);
  }
});

Deno.test("SocketRegistry does not take the port of a bound socket for granted", () => {
  using scene = new RegistryScene();
  // After a failed connection getsockname(2) still tells the port given up.
  const call = scene.begin(BOUND, [SERVER]);
  assert.deepEqual(scene.rules.calls, [`open ${REMOTE_RULE}`, "apply"]);
  assert.equal(scene.sent(SYN), Match.UNDECIDED);
  const local = "192.0.2.1:40001";
  scene.settle(call, { ...CONNECTED, local });
  assert.equal(scene.sent(SYN), Match.FOREIGN);
  assert.ok(scene.sent({ ...SYN, source: local }) >= 0);
  scene.rules.tidy();
  assert.ok(scene.passes(TCP, local, SERVER));
  closeEverything(scene);
});

Deno.test("SocketRegistry follows a connection that is being set up", () => {
  using scene = new RegistryScene();
  // EINPROGRESS: the socket has a local name and no peer yet.
  scene.settle(scene.begin(UNBOUND, [SERVER]), NAMED);
  assert.ok(scene.sent(SYN) >= 0);
  scene.rules.tidy();
  assert.ok(scene.passes(TCP, LOCAL, SERVER));
  // The program asks for the outcome by another connect(2): EALREADY.
  scene.settle(scene.begin(NAMED, [SERVER]), NAMED);
  assert.ok(scene.sent(SYN) >= 0, "sent again");
  assert.ok(scene.received(SYN_ACK) >= 0);
  // Now it is there: EISCONN, which changes nothing.
  assert.equal(scene.begin(CONNECTED, [SERVER]), undefined);
  assert.ok(scene.sent(ACK) >= 0);
  assert.equal(scene.registry.size, 1);
  closeEverything(scene);
});

Deno.test("SocketRegistry.seen counts a socket once, however often it connects", () => {
  using scene = new RegistryScene();
  scene.settle(scene.begin(UNBOUND, [SERVER]), NAMED);
  scene.settle(scene.begin(NAMED, [SERVER]), NAMED);
  assert.equal(scene.registry.seen, 1);
  scene.settle(scene.begin(NAMED, [SERVER]), NAMED, true);
  assert.equal(scene.registry.seen, 1, "in progress, then refused");
});

Deno.test("SocketRegistry follows a socket that connects again after a failure", () => {
  using scene = new RegistryScene();
  scene.settle(scene.begin(UNBOUND, [SERVER]), NAMED, true);
  const other = endpoint("198.51.100.3:443");
  const again = scene.begin(UNBOUND, ["198.51.100.3:443"]);
  const at = { ...scene.tick() };
  const local = "192.0.2.1:40002";
  scene.settle(again, { ...UNBOUND, local, remote: "198.51.100.3:443" });
  const syn = { source: local, destination: "198.51.100.3:443", flags: "S" };
  assert.ok(scene.sent(syn, at) >= 0);
  assert.ok(scene.rules.passes(TCP, 40002, other));
  assert.equal(scene.registry.size, 1);
  closeEverything(scene);
});

Deno.test("SocketRegistry.beginSending() leaves a listening socket as it is", () => {
  using scene = new RegistryScene();
  const listening = { ...BOUND, listening: true };
  scene.observe(listening);
  // EISCONN on Linux.
  scene.settle(scene.begin(listening, [SERVER]), listening);
  const syn = { source: OTHER, destination: LOCAL, flags: "S" };
  assert.ok(scene.received(syn) >= 0);
  scene.rules.tidy();
  assert.ok(scene.passes(TCP, LOCAL, OTHER));
  closeEverything(scene);
});

Deno.test("SocketRegistry lets answers from anywhere through to a datagram socket", () => {
  using scene = new RegistryScene();
  const call = scene.begin(UDP_UNBOUND, [SERVER]);
  assert.deepEqual(scene.rules.calls, [
    "open udp remote 198.51.100.2:443",
    "apply",
  ]);
  const at = { ...scene.tick() };
  assert.equal(scene.sent(datagram(LOCAL, SERVER), at), Match.UNDECIDED);
  scene.settle(call, UDP_BOUND);
  assert.ok(scene.sent(datagram(LOCAL, SERVER), at) >= 0);
  // A TFTP server answers from another port.
  assert.ok(scene.received(datagram("198.51.100.2:5000", LOCAL)) >= 0);
  assert.ok(scene.passes(UDP, LOCAL, SERVER));
  assert.ok(scene.passes(UDP, LOCAL, "198.51.100.2:5000"));
  assert.deepEqual([scene.registry.size, scene.registry.seen], [1, 1]);
  closeEverything(scene);
});

Deno.test("SocketRegistry waits for all ends that sendmmsg(2) names", () => {
  using scene = new RegistryScene();
  const call = scene.begin(UDP_UNBOUND, [SERVER, OTHER]);
  for (const remote of [SERVER, OTHER]) {
    assert.equal(scene.sent(datagram(LOCAL, remote)), Match.UNDECIDED);
    assert.ok(scene.passes(UDP, LOCAL, remote));
  }
  scene.settle(call, UDP_BOUND);
  for (const remote of [SERVER, OTHER]) {
    assert.ok(scene.sent(datagram(LOCAL, remote)) >= 0);
  }
  closeEverything(scene);
});

Deno.test("SocketRegistry knows where datagrams of a bound socket go", () => {
  using scene = new RegistryScene();
  assert.equal(scene.begin(UDP_BOUND, [SERVER]), undefined);
  assert.ok(scene.passes(UDP, LOCAL, SERVER));
  assert.ok(scene.sent(datagram(LOCAL, SERVER)) >= 0);
  assert.ok(scene.sent(datagram(LOCAL, OTHER)) >= 0);
  assert.equal(scene.begin(UDP_BOUND, [OTHER]), undefined);
  assert.deepEqual(scene.rules.open, ["1 * udp port 40000"]);
  closeEverything(scene);
});

Deno.test("SocketRegistry follows datagrams that a connected socket sends elsewhere", () => {
  using scene = new RegistryScene();
  scene.observe(UDP_CONNECTED);
  const there = datagram(LOCAL, OTHER);
  assert.equal(scene.sent(there), Match.FOREIGN);
  const used = scene.writer.used;
  for (let i = 0; i < 3; i++) {
    assert.equal(scene.begin(UDP_CONNECTED, [OTHER]), undefined);
    assert.ok(scene.sent(there) >= 0);
  }
  assert.equal(scene.writer.used, used + 1);
  scene.registry.closed(UDP_CONNECTED.cookie, scene.tick());
  assert.equal(scene.sent(there), Match.FOREIGN);
  closeEverything(scene);
});

Deno.test("SocketRegistry with `sendsAnywhere` takes whatever a connected datagram socket sends", () => {
  using scene = new RegistryScene({ sendsAnywhere: true });
  scene.observe(UDP_CONNECTED);
  assert.ok(scene.sent(datagram(LOCAL, SERVER)) >= 0);
  assert.ok(scene.received(datagram(SERVER, LOCAL)) >= 0);
  assert.ok(scene.sent(datagram(LOCAL, OTHER)) >= 0);
  assert.equal(scene.received(datagram(OTHER, LOCAL)), Match.FOREIGN);
  // Connections cannot do that.
  scene.observe(CONNECTED);
  assert.equal(scene.sent({ ...ACK, destination: OTHER }), Match.FOREIGN);
  scene.registry.closed(UDP_CONNECTED.cookie, scene.tick());
  assert.equal(scene.sent(datagram(LOCAL, OTHER)), Match.FOREIGN);
  closeEverything(scene);
});

Deno.test("SocketRegistry follows a datagram socket from peer to peer", () => {
  using scene = new RegistryScene();
  scene.observe(UDP_CONNECTED);
  const first = { ...scene.tick() };
  scene.observe({ ...UDP_CONNECTED, remote: OTHER });
  assert.ok(scene.received(datagram(OTHER, LOCAL)) >= 0);
  assert.equal(scene.received(datagram(SERVER, LOCAL)), Match.FOREIGN);
  assert.ok(scene.received(datagram(SERVER, LOCAL), first) >= 0);
  assert.deepEqual([scene.registry.size, scene.registry.seen], [1, 1]);
  // AF_UNSPEC: a bound socket keeps its port and hears everybody again.
  scene.observe(UDP_BOUND);
  assert.ok(scene.received(datagram(SERVER, LOCAL)) >= 0);
  assert.deepEqual(scene.rules.open, ["1 * udp port 40000"]);
  // A port that connect(2) chose is given back.
  scene.observe(UDP_UNBOUND);
  assert.equal(scene.registry.size, 0);
  assert.equal(scene.received(datagram(SERVER, LOCAL)), Match.FOREIGN);
  closeEverything(scene);
});

Deno.test("SocketRegistry waits for the outcome of bind(2)", () => {
  for (const isBound of [true, false]) {
    using scene = new RegistryScene();
    const call = scene.beginLocal(UDP, 40000);
    assert.deepEqual(scene.rules.calls, ["open udp port 40000", "apply"]);
    const at = { ...scene.tick() };
    const flow = datagram(SERVER, LOCAL);
    assert.equal(scene.received(flow, at), Match.UNDECIDED);
    scene.settle(call, isBound ? UDP_BOUND : UDP_UNBOUND, !isBound);
    assert.equal(scene.received(flow, at) >= 0, isBound);
    assert.equal(scene.registry.size, isBound ? 1 : 0);
    closeEverything(scene);
  }
});

Deno.test("SocketRegistry waits for the outcome of listen(2)", () => {
  for (const isListening of [true, false]) {
    using scene = new RegistryScene();
    const call = scene.beginLocal(TCP, 40000);
    const syn = { source: SERVER, destination: LOCAL, flags: "S" };
    const at = { ...scene.tick() };
    assert.equal(scene.received(syn, at), Match.UNDECIDED);
    assert.ok(scene.passes(TCP, LOCAL, SERVER));
    scene.settle(call, { ...BOUND, listening: isListening }, !isListening);
    assert.equal(scene.received(syn, at) >= 0, isListening);
    closeEverything(scene);
  }
});

Deno.test("SocketRegistry follows listen(2) on a port that the kernel chooses", () => {
  using scene = new RegistryScene();
  const call = scene.beginLocal(TCP, 0);
  assert.deepEqual(scene.rules.open, []);
  scene.settle(call, { ...BOUND, listening: true });
  assert.ok(scene.passes(TCP, LOCAL, SERVER));
  assert.ok(
    scene.received({ source: SERVER, destination: LOCAL, flags: "S" }) >= 0,
  );
  closeEverything(scene);
});

Deno.test("SocketRegistry.adopt() keeps connections of a listening socket that was closed", () => {
  using scene = new RegistryScene();
  scene.observe({ ...BOUND, listening: true }, 5);
  const early = { ...scene.tick() };
  const listener = scene.registry.closed(BOUND.cookie, scene.tick());
  assert.ok(listener !== undefined);
  scene.state(UDP_CONNECTED);
  assert.equal(listener.localPort, 40000);
  assert.deepEqual(listener.localAddress, address("0.0.0.0"));
  scene.registry.adopt(
    listener,
    77n,
    address("192.0.2.1"),
    endpoint(SERVER),
  );
  scene.registry.apply();
  scene.rules.tidy();
  assert.ok(scene.passes(TCP, LOCAL, SERVER));
  for (const at of [early, scene.tick()]) {
    const slot = scene.received({ ...SYN_ACK, flags: "." }, at);
    assert.ok(slot >= 0);
    assert.equal(scene.matcher.ownerOf(slot), 5);
    assert.equal(scene.matcher.kindOf(slot), SlotKind.CONNECTED);
  }
  const later = { source: OTHER, destination: LOCAL, flags: "S" };
  assert.equal(scene.received(later), Match.FOREIGN);
  closeEverything(scene);
});

Deno.test("SocketRegistry.adopt() keeps a connection for as long as it lives", () => {
  using scene = new RegistryScene();
  scene.observe({ ...BOUND, listening: true });
  const listener = scene.registry.closed(BOUND.cookie, scene.tick());
  assert.ok(listener !== undefined);
  const local = address("192.0.2.1");
  scene.registry.adopt(listener, 77n, local, endpoint(SERVER));
  scene.registry.apply();
  for (let minutes = 0; minutes < 5; minutes++) {
    scene.wait(60);
    assert.ok(scene.received({ ...SYN_ACK, flags: "." }) >= 0);
    assert.ok(scene.passes(TCP, LOCAL, SERVER));
  }
});

Deno.test("SocketRegistry.closed() tells about listening sockets only", () => {
  using scene = new RegistryScene();
  scene.observe(UDP_BOUND);
  scene.settle(scene.begin(UNBOUND, [SERVER]), CONNECTED);
  assert.equal(scene.registry.closed(99n, scene.tick()), undefined);
  assert.equal(
    scene.registry.closed(UDP_BOUND.cookie, scene.tick()),
    undefined,
  );
  assert.equal(scene.registry.closed(UNBOUND.cookie, scene.tick()), undefined);
  assert.equal(scene.registry.size, 0);
});

Deno.test("SocketRegistry ends datagram sockets at once and connections later", () => {
  using scene = new RegistryScene();
  scene.observe({ ...UDP_BOUND, local: "0.0.0.0:5000" });
  scene.settle(scene.begin(UNBOUND, [SERVER]), CONNECTED);
  scene.registry.closed(UDP_BOUND.cookie, scene.tick());
  scene.registry.closed(CONNECTED.cookie, scene.tick());
  assert.equal(
    scene.received(datagram(SERVER, "192.0.2.1:5000")),
    Match.FOREIGN,
  );
  // What the server still says, and the kernel answers.
  const fin = { ...SYN_ACK, flags: "F." };
  assert.ok(scene.received(fin) >= 0);
  assert.ok(scene.sent({ ...ACK, flags: "." }) >= 0);
  scene.wait(1);
  assert.deepEqual(scene.rules.open, [`1 * ${PORT_RULE}`]);
  assert.ok(scene.passes(TCP, LOCAL, SERVER));
  assert.ok(scene.received(fin) >= 0);
  closeEverything(scene);
});

Deno.test("SocketRegistry.closePorts() closes the port of a connection that is over after seconds", () => {
  const endings: [about: string, packets: FlowText[], isOver: boolean][] = [
    ["both have said good-bye", [{ ...ACK, flags: "F." }, {
      ...SYN_ACK,
      flags: "F.",
    }], true],
    ["reset", [RESET], true],
    ["half-closed", [{ ...ACK, flags: "F." }], false],
    ["nothing was seen", [], false],
  ];
  for (const [about, packets, isOver] of endings) {
    using scene = new RegistryScene();
    scene.settle(scene.begin(UNBOUND, [SERVER]), CONNECTED);
    for (const packet of packets) {
      const isSent = packet.source === LOCAL;
      const slot = isSent ? scene.sent(packet) : scene.received(packet);
      assert.ok(slot >= 0);
    }
    scene.registry.closed(CONNECTED.cookie, scene.tick());
    scene.wait(1);
    assert.deepEqual(scene.rules.open, [`1 * ${PORT_RULE}`], about);
    scene.wait(2);
    const open = isOver ? [] : [`1 * ${PORT_RULE}`];
    assert.deepEqual(scene.rules.open, open, about);
    closeEverything(scene);
  }
});

Deno.test("SocketRegistry.settle() has no effect the second time", () => {
  using scene = new RegistryScene();
  const call = scene.begin(UNBOUND, [SERVER]);
  scene.settle(call, CONNECTED);
  const { open } = scene.rules;
  scene.settle(call, CONNECTED);
  scene.settle(call, undefined, true);
  assert.deepEqual(scene.rules.open, open);
  assert.equal(scene.registry.seen, 1);
  closeEverything(scene);
});

Deno.test("SocketRegistry.settle() drops a call whose socket is gone", () => {
  const calls: [about: string, StateText, string][] = [
    ["unbound TCP", UNBOUND, SERVER],
    ["bound TCP", BOUND, SERVER],
    ["unbound UDP", UDP_UNBOUND, SERVER],
  ];
  for (const [about, state, remote] of calls) {
    using scene = new RegistryScene();
    const call = scene.begin(state, [remote]);
    assert.ok(call !== undefined, about);
    scene.settle(call, undefined);
    assert.equal(scene.writer.used, 0, about);
    assert.equal(scene.registry.size, 0, about);
    closeEverything(scene);
  }
});

Deno.test("SocketRegistry.observe() adds a socket once, and no unconnected TCP socket", () => {
  using scene = new RegistryScene();
  for (const state of [UNBOUND, BOUND, UDP_UNBOUND]) scene.observe(state);
  assert.equal(scene.registry.size, 0);
  for (let i = 0; i < 3; i++) scene.observe(CONNECTED);
  assert.equal(scene.writer.used, 1);
  assert.deepEqual(scene.rules.open, [`1 * ${PORT_RULE}`]);
  assert.deepEqual([scene.registry.size, scene.registry.seen], [1, 1]);
  assert.ok(scene.registry.has(CONNECTED.cookie));
  assert.deepEqual([...scene.registry.cookies()], [CONNECTED.cookie]);
  closeEverything(scene);
});

Deno.test("SocketRegistry keeps a port open for all sockets that share it", () => {
  using scene = new RegistryScene();
  scene.observe({ ...BOUND, listening: true });
  scene.observe({ ...CONNECTED, cookie: 8n });
  scene.observe({ ...CONNECTED, cookie: 9n, remote: OTHER });
  assert.deepEqual(scene.rules.open, [`3 * ${PORT_RULE}`]);
  scene.registry.closed(8n, scene.tick());
  scene.registry.closed(9n, scene.tick());
  scene.wait(2 * DESTROYED_SECONDS);
  assert.deepEqual(scene.rules.open, [`1 * ${PORT_RULE}`]);
  closeEverything(scene);
});

Deno.test("SocketRegistry knows which addresses a socket may use", () => {
  const v4 = datagram("203.0.113.9:53", "192.0.2.1:5353");
  const v6 = datagram("[2001:db8::9]:53", "[2001:db8::1]:5353");
  const cases: [Partial<StateText>, v4: boolean, v6: boolean][] = [
    [{ local: "0.0.0.0:5353" }, true, false],
    [{ local: "[::]:5353" }, true, true],
    [{ local: "[::]:5353", v6Only: true }, false, true],
    [{ local: "[::ffff:0.0.0.0]:5353" }, true, false],
    [{ local: "192.0.2.1:5353" }, true, false],
    [{ local: "192.0.2.2:5353" }, false, false],
    [{ local: "[2001:db8::1]:5353" }, false, true],
    // Members of a group send from ordinary addresses.
    [{ local: "224.0.0.251:5353" }, true, true],
    [{ local: "255.255.255.255:5353" }, true, true],
    [{ local: "[ff02::fb]:5353" }, true, true],
  ];
  for (const [text, isV4, isV6] of cases) {
    using scene = new RegistryScene();
    scene.observe({ ...UDP_UNBOUND, ...text });
    assert.equal(scene.received(v4) >= 0, isV4, `${text.local} IPv4`);
    assert.equal(scene.received(v6) >= 0, isV6, `${text.local} IPv6`);
  }
});

Deno.test("SocketRegistry.wasClosed() knows connections that were closed of late", () => {
  using scene = new RegistryScene();
  scene.settle(scene.begin(UNBOUND, [SERVER]), CONNECTED);
  const { address: host, port } = endpoint(SERVER);
  const ask = (localPort = 40000, remotePort = port, remote = host): boolean =>
    scene.registry.wasClosed(
      localPort,
      remotePort,
      remote,
      scene.now.seconds - 10,
    );
  assert.ok(!ask());
  scene.registry.closed(CONNECTED.cookie, scene.tick());
  assert.ok(ask());
  assert.ok(!ask(40001));
  assert.ok(!ask(40000, port + 1));
  assert.ok(!ask(40000, port, address("192.0.2.9")));
  scene.wait(5);
  assert.ok(ask());
  // Between the same ends again, and closed again.
  scene.settle(scene.begin(UNBOUND, [SERVER]), CONNECTED);
  scene.registry.closed(CONNECTED.cookie, scene.tick());
  scene.wait(6);
  assert.ok(ask());
  scene.wait(5);
  assert.ok(!ask());
});

for (
  const [name, unbound, named, remote] of [
    ["UDP", UDP_UNBOUND, UDP_BOUND, OTHER],
    ["TCP", UNBOUND, CONNECTED, SERVER],
  ] as const
) {
  Deno.test(`SocketRegistry settles a call while the reader looks for it: ${name}`, () => {
    using scene = new RegistryScene();
    const call = scene.begin(unbound, [remote]);
    const { table } = scene.matcher;
    const { pendingRemoteHead } = table;
    // What is known of the local port has been looked through by then.
    table.pendingRemoteHead = (protocol, port): number => {
      table.pendingRemoteHead = pendingRemoteHead;
      scene.settle(call, named);
      return pendingRemoteHead.call(table, protocol, port);
    };
    const { protocol } = unbound;
    const flow = { protocol, source: LOCAL, destination: remote };
    assert.ok(scene.sent(flow) >= 0);
  });
}

Deno.test("ServerPorts.isRival() finds sockets of others at a port of its own", () => {
  using scene = new RegistryScene();
  const { registry } = scene;
  const isRival = (
    protocol: number,
    at: string,
    cookie = 99n,
    netns = 0n,
  ): boolean => {
    const { address, port } = endpoint(at);
    return registry.servers.isRival(cookie, protocol, address, port, netns);
  };
  assert.ok(registry.servers.isEmpty);
  scene.observe({ ...NAMED, listening: true });
  scene.observe({ cookie: 7n, protocol: UDP, local: "0.0.0.0:53" });
  assert.ok(!registry.servers.isEmpty);
  assert.ok(isRival(TCP, LOCAL));
  assert.ok(isRival(TCP, "0.0.0.0:40000"));
  assert.ok(!isRival(TCP, LOCAL, NAMED.cookie), "it is its own");
  assert.ok(!isRival(TCP, "192.0.2.2:40000"), "another address");
  assert.ok(!isRival(TCP, LOCAL, 99n, 1234n), "another namespace");
  assert.ok(!isRival(TCP, "192.0.2.1:40001"), "another port");
  assert.ok(!isRival(UDP, LOCAL), "another protocol");
  assert.ok(isRival(UDP, "127.0.0.53:53"));
  closeEverything(scene);
  assert.ok(registry.servers.isEmpty);
  assert.ok(!isRival(TCP, LOCAL));
});

Deno.test("ServerPorts.share() leaves the connections of others alone", () => {
  using scene = new RegistryScene();
  const { registry } = scene;
  const listener: StateText = { ...NAMED, listening: true };
  const visit: FlowText = { source: SERVER, destination: LOCAL, flags: "S" };
  const accepted: StateText = { ...CONNECTED, cookie: 50n };
  scene.observe(listener);
  assert.ok(scene.received(visit) >= 0);
  assert.ok(registry.servers.isAccepted(scene.state(accepted)));
  registry.servers.share(TCP, 40000);
  assert.ok(registry.servers.hasShared);
  assert.ok(registry.servers.isShared(scene.state(accepted)));
  assert.ok(
    !registry.servers.isAccepted(scene.state(accepted)),
    "it has to be found",
  );
  assert.ok(
    !registry.servers.isRival(99n, TCP, endpoint(LOCAL).address, 40000),
  );
  assert.equal(scene.received(visit), Match.EARLY);
  assert.equal(scene.sent({ ...ACK, flags: "S." }), Match.EARLY);
  scene.observe(accepted);
  assert.ok(scene.received(visit) >= 0);
  assert.ok(scene.sent(ACK) >= 0);
  // So it is with what listens there later.
  scene.observe({ ...listener, cookie: 60n });
  scene.registry.closed(listener.cookie, scene.tick());
  scene.registry.closed(accepted.cookie, scene.tick());
  const other = { ...visit, source: OTHER };
  assert.equal(scene.received(other), Match.EARLY);
  closeEverything(scene);
});
