import assert from "node:assert/strict";
import { libc } from "../../ffi/libc.ts";
import { poll } from "../../ffi/memory.ts";
import { NetlinkSocket } from "../../ffi/netlink.ts";
import { socketFds } from "../../lib/proc/fd.ts";
import {
  decodeTcpInfo,
  INET_DIAG,
  type InetDiagSocket,
  IPPROTO_TCP,
  IPPROTO_UDP,
  TCP_STATE,
} from "../../lib/sockets/inet_diag.ts";
import {
  encodeDumpRequest,
  extensionBit,
  stateMask,
} from "../../lib/sockets/inet_diag_request.ts";
import { SKNLGRP } from "../../lib/sockets/sock_diag.ts";
import {
  DestroyEvents,
  dumpSockets,
  lookupSocket,
} from "../../lib/sockets/inet_sockets.ts";
import { Child } from "../support/processes.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../support/requires.ts";

// Stays open for ever: not something that a test leaks.
libc();

// Opens one socket of every kind, prints what the kernel itself says of each,
// and closes those that are named on its input.
const SOCKETS = `
import json, os, socket as s, sys

def bound(family, kind, address):
    sock = s.socket(family, kind)
    if family == s.AF_INET6:
        sock.setsockopt(s.IPPROTO_IPV6, s.IPV6_V6ONLY, address != "::")
    sock.bind((address, 0))
    return sock

def pair(family, address, to=None):
    listener = bound(family, s.SOCK_STREAM, address)
    listener.listen(5)
    port = listener.getsockname()[1]
    client = s.create_connection((to or address, port))
    accepted, _ = listener.accept()
    return listener, client, accepted

found = {}
def add(name, sock): found[name] = sock

for name, sock in zip(("listen4", "client4", "accepted4"), pair(s.AF_INET, "127.0.0.1")):
    add(name, sock)
for name, sock in zip(("listen6", "client6", "accepted6"), pair(s.AF_INET6, "::1")):
    add(name, sock)
for name, sock in zip(("listenany", "clientmapped", "acceptedmapped"), pair(s.AF_INET6, "::", "127.0.0.1")):
    add(name, sock)
found["client4"].sendall(b"x" * 1000)
found["accepted4"].recv(1000, s.MSG_WAITALL)
add("bound4", bound(s.AF_INET, s.SOCK_STREAM, "127.0.0.1"))
add("udp4", bound(s.AF_INET, s.SOCK_DGRAM, "127.0.0.1"))
add("udp6", bound(s.AF_INET6, s.SOCK_DGRAM, "::1"))
connected = bound(s.AF_INET, s.SOCK_DGRAM, "127.0.0.1")
connected.connect(found["udp4"].getsockname())
add("udpconnected", connected)

def describe(name, sock):
    try:
        remote = sock.getpeername()[1]
    except OSError:
        remote = 0
    return dict(
        name=name, fd=sock.fileno(), inode=os.fstat(sock.fileno()).st_ino,
        cookie=int.from_bytes(sock.getsockopt(s.SOL_SOCKET, 57, 8), sys.byteorder),
        localPort=sock.getsockname()[1], remotePort=remote)

print(json.dumps([describe(*item) for item in found.items()]), flush=True)
for line in sys.stdin:
    found.pop(line.strip()).close()
    print("closed", line.strip(), flush=True)
`;

interface Described {
  readonly name: string;
  readonly fd: number;
  readonly inode: number;
  readonly cookie: number;
  readonly localPort: number;
  readonly remotePort: number;
}

/** A running program with one socket of every kind. */
class Sockets implements AsyncDisposable {
  readonly child: Child;
  #all: readonly Described[] = [];

  private constructor() {
    this.child = new Child(["python3", "-c", SOCKETS], { stdin: "piped" });
  }

  static async open(): Promise<Sockets> {
    const sockets = new Sockets();
    try {
      const [json] = await sockets.child.seen("stdout", /^\[.*\]$/m);
      sockets.#all = JSON.parse(json);
    } catch (error) {
      await sockets[Symbol.asyncDispose]();
      throw error;
    }
    return sockets;
  }

  get all(): readonly Described[] {
    return this.#all;
  }

  get(name: string): Described {
    const found = this.#all.find((socket) => socket.name === name);
    assert.ok(found, name);
    return found;
  }

  async close(name: string): Promise<void> {
    await this.child.writeLine(name);
    await this.child.seen("stdout", new RegExp(`^closed ${name}$`, "m"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}

const NEEDS: readonly Requirement[] = ["program python3", "IPv6"];

function test(
  name: string,
  needs: readonly Requirement[],
  run: () => void | Promise<void>,
): void {
  const reason = missing(needs);
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined && !isContinuousIntegration(),
    fn: run,
  });
}

function byCookie(
  sockets: readonly InetDiagSocket[],
  described: Described,
): InetDiagSocket {
  const found = sockets.filter(({ cookie }) =>
    cookie === BigInt(described.cookie)
  );
  assert.equal(found.length, 1, `${found.length} times ${described.name}`);
  return found[0]!;
}

/** Waits for the ends of sockets; fails when one of them does not come. */
function waitForEnds(
  events: DestroyEvents,
  cookies: readonly bigint[],
): ReadonlyMap<bigint, InetDiagSocket> {
  const POLLIN = 1;
  const ended = new Map<bigint, InetDiagSocket>();
  const deadline = performance.now() + 10_000;
  for (;;) {
    const { sockets, lost } = events.drain();
    assert.equal(lost, false);
    for (const socket of sockets) ended.set(socket.cookie, socket);
    const awaited = cookies.filter((cookie) => !ended.has(cookie));
    if (awaited.length === 0) return ended;
    const rest = deadline - performance.now();
    assert.ok(rest > 0, `No destroy event of cookies ${awaited}`);
    poll(Int32Array.of(events.number, POLLIN), Math.ceil(rest));
  }
}

const ANY4 = new Uint8Array(4);
const LOCAL4 = Uint8Array.of(127, 0, 0, 1);
const LOCAL6 = Uint8Array.from({ length: 16 }, (_, i) => i === 15 ? 1 : 0);
const MAPPED = Uint8Array.from(
  { length: 16 },
  (_, i) => i < 10 ? 0 : i < 12 ? 0xff : LOCAL4[i - 12]!,
);

test("dumpSockets() finds every socket of a program", NEEDS, async () => {
  await using program = await Sockets.open();
  using netlink = new NetlinkSocket();
  const dump = dumpSockets(netlink);
  for (const described of program.all) {
    const socket = byCookie(dump, described);
    assert.equal(socket.inode, described.inode, described.name);
    assert.equal(socket.localPort, described.localPort, described.name);
    assert.equal(socket.remotePort, described.remotePort, described.name);
    assert.equal(
      socket.protocol,
      described.name.startsWith("udp") ? IPPROTO_UDP : IPPROTO_TCP,
    );
  }
  const expected: Readonly<Record<string, [number, Uint8Array, Uint8Array]>> = {
    listen4: [TCP_STATE.LISTEN, LOCAL4, ANY4],
    client4: [TCP_STATE.ESTABLISHED, LOCAL4, LOCAL4],
    accepted4: [TCP_STATE.ESTABLISHED, LOCAL4, LOCAL4],
    listen6: [TCP_STATE.LISTEN, LOCAL6, new Uint8Array(16)],
    client6: [TCP_STATE.ESTABLISHED, LOCAL6, LOCAL6],
    listenany: [TCP_STATE.LISTEN, new Uint8Array(16), new Uint8Array(16)],
    acceptedmapped: [TCP_STATE.ESTABLISHED, MAPPED, MAPPED],
    bound4: [TCP_STATE.CLOSE, LOCAL4, ANY4],
    udp4: [TCP_STATE.CLOSE, LOCAL4, ANY4],
    udp6: [TCP_STATE.CLOSE, LOCAL6, new Uint8Array(16)],
    udpconnected: [TCP_STATE.ESTABLISHED, LOCAL4, LOCAL4],
  };
  for (const [name, [state, local, remote]] of Object.entries(expected)) {
    const socket = byCookie(dump, program.get(name));
    assert.equal(socket.state, state, name);
    assert.deepEqual(socket.localAddress, local, name);
    assert.deepEqual(socket.remoteAddress, remote, name);
  }
  assert.equal(byCookie(dump, program.get("listen6")).v6Only, true);
  assert.equal(byCookie(dump, program.get("listenany")).v6Only, false);
});

test(
  "dumpSockets() joins with the descriptors of a program",
  NEEDS,
  async () => {
    await using program = await Sockets.open();
    using netlink = new NetlinkSocket();
    const fds = socketFds(program.child.pid);
    const inodes = new Set(fds.map(({ inode }) => inode));
    const dump = dumpSockets(netlink, { inodes });
    assert.deepEqual(
      fds.map(({ fd, inode }) => [fd, inode]),
      program.all.map(({ fd, inode }) => [fd, inode]).sort(([a], [b]) =>
        a! - b!
      ),
    );
    assert.deepEqual(
      new Set(dump.map(({ cookie }) => Number(cookie))),
      new Set(program.all.map(({ cookie }) => cookie)),
    );
  },
);

test("dumpSockets() keeps to what was asked for", NEEDS, async () => {
  await using program = await Sockets.open();
  using netlink = new NetlinkSocket();
  const listening = dumpSockets(netlink, {
    protocols: [IPPROTO_TCP],
    states: stateMask(TCP_STATE.LISTEN),
  });
  assert.ok(listening.every(({ state }) => state === TCP_STATE.LISTEN));
  const names = program.all.filter(({ cookie }) =>
    listening.some((socket) => socket.cookie === BigInt(cookie))
  ).map(({ name }) => name);
  assert.deepEqual(names, ["listen4", "listen6", "listenany"]);

  const info = dumpSockets(netlink, {
    protocols: [IPPROTO_TCP],
    extensions: extensionBit(INET_DIAG.INFO),
  });
  const { tcpInfo } = byCookie(info, program.get("accepted4"));
  assert.ok(tcpInfo);
  assert.equal(decodeTcpInfo(tcpInfo)?.bytesReceived, 1000n);
});

test("lookupSocket() finds sockets by their addresses", NEEDS, async () => {
  await using program = await Sockets.open();
  using netlink = new NetlinkSocket();
  const dump = dumpSockets(netlink);
  for (const described of program.all) {
    // A bound TCP socket does not receive anything, so it is not found.
    if (described.name === "bound4") continue;
    const socket = byCookie(dump, described);
    const { cookie: _, ...anyCookie } = socket;
    for (const tuple of [socket, anyCookie]) {
      const found = lookupSocket(netlink, tuple);
      assert.equal(found?.cookie, socket.cookie, described.name);
      assert.equal(found.inode, socket.inode, described.name);
      assert.deepEqual(found.localAddress, socket.localAddress);
    }
  }
});

test("lookupSocket() falls back to the listening socket", NEEDS, async () => {
  await using program = await Sockets.open();
  using netlink = new NetlinkSocket();
  const listener = program.get("listen4");
  const found = lookupSocket(netlink, {
    protocol: IPPROTO_TCP,
    localAddress: LOCAL4,
    localPort: listener.localPort,
    remoteAddress: Uint8Array.of(127, 0, 0, 99),
    remotePort: 1,
  });
  assert.equal(found?.cookie, BigInt(listener.cookie));
});

test("lookupSocket() gives undefined for no such socket", NEEDS, async () => {
  await using program = await Sockets.open();
  using netlink = new NetlinkSocket();
  const client = byCookie(dumpSockets(netlink), program.get("client4"));
  assert.equal(
    lookupSocket(netlink, { ...client, cookie: client.cookie + (1n << 60n) }),
    undefined,
  );
  const free = Deno.listen({ hostname: "127.0.0.2", port: 0 });
  const { port } = free.addr as Deno.NetAddr;
  free.close();
  for (const protocol of [IPPROTO_TCP, IPPROTO_UDP]) {
    assert.equal(
      lookupSocket(netlink, {
        protocol,
        localAddress: Uint8Array.of(127, 0, 0, 2),
        localPort: port,
        remoteAddress: ANY4,
        remotePort: 0,
      }),
      undefined,
    );
  }
  // The socket is good for further requests.
  assert.equal(lookupSocket(netlink, client)?.cookie, client.cookie);
});

test("dumpSockets() throws what the kernel refuses", [], () => {
  using netlink = new NetlinkSocket();
  assert.throws(
    () => dumpSockets(netlink, { protocols: [IPPROTO_TCP], families: [255] }),
    { name: "SyscallError", syscall: "sock_diag", code: "EINVAL" },
  );
  assert.ok(Array.isArray(dumpSockets(netlink)));
});

test(
  "NetlinkSocket.request() cleans up after its reader failed",
  NEEDS,
  async () => {
    await using _program = await Sockets.open();
    using netlink = new NetlinkSocket();
    assert.throws(() =>
      netlink.request(
        encodeDumpRequest({ family: 2, protocol: IPPROTO_TCP }),
        () => {
          throw new RangeError("No more, please");
        },
      ), new RangeError("No more, please"));
    assert.equal(netlink.receive(), undefined);
    assert.ok(dumpSockets(netlink).length > 0);
  },
);

test("NetlinkSocket.request() does not wait for answers", [], () => {
  using netlink = new NetlinkSocket();
  const nothing = new Uint8Array(16);
  new DataView(nothing.buffer).setUint32(0, 16, true);
  // A message without NLM_F_REQUEST is dropped by the kernel.
  assert.throws(() => netlink.request(nothing, () => true), {
    name: "SyscallError",
    code: "EAGAIN",
  });
});

test(
  "DestroyEvents tells of every closed socket",
  NEEDS,
  async () => {
    await using program = await Sockets.open();
    using netlink = new NetlinkSocket();
    const before = dumpSockets(netlink);
    using events = new DestroyEvents();
    for (const described of program.all) {
      await program.close(described.name);
      const socket = byCookie(before, described);
      const gone = waitForEnds(events, [socket.cookie]).get(socket.cookie)!;
      assert.equal(gone.protocol, socket.protocol, described.name);
      assert.equal(gone.localPort, socket.localPort, described.name);
      assert.equal(gone.remotePort, socket.remotePort, described.name);
      assert.deepEqual(gone.localAddress, socket.localAddress, described.name);
      assert.equal(gone.inode, 0);
      assert.equal(gone.tcpInfo !== undefined, gone.protocol === IPPROTO_TCP);
    }
    const after = new Set(dumpSockets(netlink).map(({ cookie }) => cookie));
    for (const { cookie, name } of program.all) {
      assert.equal(after.has(BigInt(cookie)), false, name);
    }
  },
);

test(
  "DestroyEvents has nothing to tell while all is quiet",
  [],
  () => {
    using events = new DestroyEvents([]);
    assert.deepEqual(events.drain(), { sockets: [], lost: false });
  },
);

test(
  "NetlinkSocket.receive() says when events were lost",
  [],
  () => {
    using netlink = new NetlinkSocket();
    using small = new NetlinkSocket();
    // Linux makes it 2304 bytes, enough for one event.
    small.setReceiveBuffer(1);
    small.subscribe([SKNLGRP.INET_TCP_DESTROY]);
    using events = new DestroyEvents([SKNLGRP.INET_TCP_DESTROY]);
    const cookies = Array.from({ length: 16 }, () => {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const socket = lookupSocket(netlink, {
        protocol: IPPROTO_TCP,
        localAddress: LOCAL4,
        localPort: (listener.addr as Deno.NetAddr).port,
        remoteAddress: ANY4,
        remotePort: 0,
      });
      assert.ok(socket);
      return socket.cookie;
    });
    waitForEnds(events, cookies);
    const received: (number | "lost")[] = [];
    for (;;) {
      const datagram = small.receive();
      if (datagram === undefined) break;
      received.push(datagram === "lost" ? datagram : datagram.length);
    }
    assert.equal(received.filter((item) => item === "lost").length, 1);
    assert.ok(received.length < cookies.length, `${received}`);
  },
);
