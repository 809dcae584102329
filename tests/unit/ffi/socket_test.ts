import "../../support/open_libc.ts";
import assert from "node:assert/strict";
import { assembleClassic } from "../../../bpf/classic/instruction.ts";
import { SyscallError } from "../../../ffi/errno.ts";
import type { Fd } from "../../../ffi/fd.ts";
import { libc } from "../../../ffi/libc.ts";
import {
  attachFilter,
  bindSocket,
  emptySocketState,
  intOption,
  isTcpClosed,
  openSocket,
  ownNetnsCookie,
  readLocalName,
  readPeerName,
  readSocketState,
  SOCK_DGRAM,
  SOCK_STREAM,
  type SocketState,
  SOL_SOCKET,
} from "../../../ffi/socket.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  emptyEndpoint,
} from "../../../ffi/sockaddr.ts";
import { address } from "../../property/flows.ts";
import { missing } from "../../support/requires.ts";

// Stays open for ever: not something that a test leaks.
libc();

const TCP = 6;
const UDP = 17;
const EINVAL = 22;
const IPPROTO_ICMPV6 = 58;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

function sockaddr(
  family: number,
  host: string,
  port: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(family === AF_INET6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port, false);
  if (family === AF_INET6) bytes.set(address(host), 8);
  else bytes.set(address(host).subarray(12), 4);
  return bytes;
}

function bound(family: number, type: number, host: string): Fd {
  const fd = openSocket(family, type, 0);
  bindSocket(fd.number, sockaddr(family, host, 0));
  return fd;
}

function stateOf(fd: Fd): SocketState {
  const state = emptySocketState();
  assert.ok(readSocketState(fd.number, state));
  return state;
}

/** connect(2), by number: the table has no such function. */
function connect(fd: Fd, target: Uint8Array<ArrayBuffer>): number {
  const CONNECT: Readonly<Record<string, bigint>> = {
    x86_64: 42n,
    aarch64: 203n,
  };
  return libc().syscallBuffer(
    CONNECT[Deno.build.arch]!,
    BigInt(fd.number),
    target,
    BigInt(target.length),
    0n,
  );
}

function listen(fd: Fd): void {
  const LISTEN: Readonly<Record<string, bigint>> = {
    x86_64: 50n,
    aarch64: 201n,
  };
  const number = LISTEN[Deno.build.arch]!;
  assert.equal(
    libc().syscall(number, BigInt(fd.number), 5n, 0n, 0n, 0n, 0n),
    0,
  );
}

Deno.test("readSocketState() tells what a new socket is", () => {
  for (
    const [type, protocol] of [[SOCK_STREAM, TCP], [SOCK_DGRAM, UDP]] as const
  ) {
    using fd = openSocket(AF_INET, type, 0);
    const state = stateOf(fd);
    assert.equal(state.protocol, protocol);
    assert.equal(state.family, AF_INET);
    assert.equal(state.v6Only, false);
    assert.equal(state.listening, false);
    assert.equal(state.local.port, 0);
    assert.equal(state.remote.port, 0);
    assert.ok(state.cookie > 0n);
  }
});

Deno.test("readSocketState() gives each socket a cookie of its own, and keeps it", () => {
  using first = openSocket(AF_INET, SOCK_DGRAM, 0);
  using second = openSocket(AF_INET, SOCK_DGRAM, 0);
  const { cookie } = stateOf(first);
  assert.notEqual(cookie, stateOf(second).cookie);
  assert.equal(stateOf(first).cookie, cookie);
});

Deno.test("readSocketState() follows a datagram socket from bind(2) to connect(2) and back", () => {
  using peer = bound(AF_INET, SOCK_DGRAM, "127.0.0.1");
  using fd = openSocket(AF_INET, SOCK_DGRAM, 0);
  const target = stateOf(peer).local;
  assert.deepEqual(target.address, address("127.0.0.1"));
  assert.equal(connect(fd, sockaddr(AF_INET, "127.0.0.1", target.port)), 0);
  const state = stateOf(fd);
  assert.deepEqual(state.remote, {
    family: AF_INET,
    port: target.port,
    address: address("127.0.0.1"),
  });
  assert.ok(state.local.port > 0);
  assert.equal(connect(fd, sockaddr(0, "0.0.0.0", 0)), 0);
  assert.ok(readSocketState(fd.number, state));
  assert.equal(state.remote.port, 0);
  assert.ok(state.remote.address.every((byte) => byte === 0));
  assert.equal(state.local.port, 0);
});

Deno.test("readSocketState() tells listening sockets", () => {
  using fd = bound(AF_INET, SOCK_STREAM, "127.0.0.1");
  assert.equal(stateOf(fd).listening, false);
  assert.equal(isTcpClosed(fd.number), true);
  listen(fd);
  assert.equal(stateOf(fd).listening, true);
  assert.equal(isTcpClosed(fd.number), false);
});

const withoutIpv6 = missing(["IPv6"]);
Deno.test(
  `readSocketState() tells which IPv6 sockets take IPv4, too${
    withoutIpv6 === undefined ? "" : ` (${withoutIpv6})`
  }`,
  {
    ignore: withoutIpv6 !== undefined,
  },
  () => {
    for (const only of [0, 1]) {
      using fd = openSocket(AF_INET6, SOCK_DGRAM, 0);
      const value = Int32Array.of(only);
      libc().setsockopt(fd.number, IPPROTO_IPV6, IPV6_V6ONLY, value, 4);
      bindSocket(fd.number, sockaddr(AF_INET6, "::", 0));
      const state = stateOf(fd);
      assert.equal(state.v6Only, only === 1);
      assert.equal(state.family, AF_INET6);
      assert.deepEqual(state.local.address, address("::"));
      assert.ok(state.local.port > 0);
    }
  },
);

Deno.test("readSocketState() refuses what is neither TCP nor UDP", () => {
  const state = emptySocketState();
  using unix = openSocket(AF_UNIX, SOCK_STREAM, 0);
  assert.equal(readSocketState(unix.number, state), false);
  assert.equal(readLocalName(unix.number, emptyEndpoint()), false);
  assert.equal(readSocketState(-1, state), false);
  assert.equal(readSocketState(0, state), false);
  if (missing(["root"]) !== undefined) return;
  const SOCK_RAW = 3;
  using raw = openSocket(AF_INET, SOCK_RAW, 1);
  assert.equal(readSocketState(raw.number, state), false);
  // A raw socket for TCP sends what it likes; it has no connections.
  using tcp = openSocket(AF_INET, SOCK_RAW, TCP);
  assert.equal(readSocketState(tcp.number, state), false);
  using ping = openSocket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
  assert.equal(readSocketState(ping.number, state), false);
});

Deno.test("readPeerName() empties the endpoint of a socket without a peer", () => {
  using fd = openSocket(AF_INET, SOCK_STREAM, 0);
  const endpoint = emptyEndpoint();
  endpoint.port = 7;
  endpoint.address.fill(1);
  assert.equal(readPeerName(fd.number, endpoint), false);
  assert.equal(endpoint.port, 0);
  assert.ok(endpoint.address.every((byte) => byte === 0));
});

Deno.test("ownNetnsCookie() is the cookie of our sockets' namespace", () => {
  using fd = openSocket(AF_INET, SOCK_STREAM, 0);
  assert.equal(ownNetnsCookie(), stateOf(fd).netns);
});

Deno.test("bindSocket() throws what errno says", () => {
  using fd = openSocket(AF_INET, SOCK_DGRAM, 0);
  assert.throws(
    () => bindSocket(fd.number, new Uint8Array(2)),
    new SyscallError("bind", EINVAL),
  );
});

Deno.test("intOption() tells options, and -1 where there is none", () => {
  using fd = openSocket(AF_INET, SOCK_DGRAM, 0);
  const SO_TYPE = 3;
  assert.equal(intOption(fd.number, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  assert.equal(intOption(fd.number, SOL_SOCKET, 9999), -1);
  assert.equal(intOption(-1, SOL_SOCKET, SO_TYPE), -1);
});

Deno.test("attachFilter() attaches a classic program, or says why not", () => {
  using receiver = bound(AF_INET, SOCK_DGRAM, "127.0.0.1");
  const { port } = stateOf(receiver).local;
  using sender = openSocket(AF_INET, SOCK_DGRAM, 0);
  assert.equal(connect(sender, sockaddr(AF_INET, "127.0.0.1", port)), 0);
  const MSG_DONTWAIT = 0x40;
  const buffer = new Uint8Array(64);
  const exchange = (text: string): string => {
    const bytes = new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
    libc().send(sender.number, bytes, BigInt(bytes.length), 0);
    const length = libc().recv(receiver.number, buffer, 64n, MSG_DONTWAIT);
    return new TextDecoder().decode(buffer.subarray(0, Math.max(0, length)));
  };
  const RET_K = 0x06;
  const returning = (k: number): Uint8Array<ArrayBuffer> =>
    assembleClassic([{ code: RET_K, jt: 0, jf: 0, k }]);
  assert.equal(exchange("before"), "before");
  assert.equal(attachFilter(receiver.number, returning(0)), 0);
  assert.equal(exchange("dropped"), "");
  // Eight bytes of UDP header and four more.
  assert.equal(attachFilter(receiver.number, returning(12)), 0);
  assert.equal(exchange("shortened"), "shor");
  const EINVAL_PROGRAM = assembleClassic([{ code: 0, jt: 0, jf: 0, k: 0 }]);
  assert.equal(attachFilter(receiver.number, EINVAL_PROGRAM), EINVAL);
  assert.equal(exchange("still"), "stil");
});
