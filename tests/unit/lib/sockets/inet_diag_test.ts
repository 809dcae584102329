import assert from "node:assert/strict";
import fc from "fast-check";
import {
  AF_INET,
  AF_INET6,
  decodeInetDiag,
  decodeTcpInfo,
  inetDiagInode,
  type InetDiagSocket,
  IPPROTO_TCP,
  IPPROTO_UDP,
  TCP_STATE,
  tcpStateName,
} from "../../../../lib/sockets/inet_diag.ts";
import {
  TCP4_DESTROY,
  TCP4_ESTABLISHED,
  TCP6_LISTEN,
  UDP6_DESTROY,
  viewOf,
} from "./sock_diag_golden.ts";

function decode(
  message: Uint8Array<ArrayBuffer>,
  protocol?: number,
): InetDiagSocket | undefined {
  return decodeInetDiag(viewOf(message), 16, message.length, protocol);
}

Deno.test("decodeInetDiag() decodes a connected socket", () => {
  assert.deepEqual(decode(TCP4_ESTABLISHED, IPPROTO_TCP), {
    family: AF_INET,
    protocol: IPPROTO_TCP,
    state: TCP_STATE.ESTABLISHED,
    localAddress: Uint8Array.of(127, 0, 0, 1),
    localPort: 41002,
    remoteAddress: Uint8Array.of(127, 0, 0, 1),
    remotePort: 41001,
    interface: 0,
    cookie: 50673n,
    uid: 0,
    inode: 119635,
    expires: 0,
    receiveQueue: 0,
    sendQueue: 0,
    shutdown: 0,
    v6Only: undefined,
    tcpInfo: undefined,
  });
});

Deno.test("decodeInetDiag() decodes a listening IPv6 socket", () => {
  assert.deepEqual(decode(TCP6_LISTEN, IPPROTO_TCP), {
    family: AF_INET6,
    protocol: IPPROTO_TCP,
    state: TCP_STATE.LISTEN,
    localAddress: Uint8Array.from({ length: 16 }, (_, i) => i === 15 ? 1 : 0),
    localPort: 41003,
    remoteAddress: new Uint8Array(16),
    remotePort: 0,
    interface: 0,
    cookie: 50679n,
    uid: 0,
    inode: 119639,
    expires: 0,
    receiveQueue: 0,
    sendQueue: 7,
    shutdown: 0,
    v6Only: true,
    tcpInfo: undefined,
  });
});

Deno.test("decodeInetDiag() takes the protocol from destroy events", () => {
  const tcp = decode(TCP4_DESTROY);
  assert.equal(tcp?.protocol, IPPROTO_TCP);
  assert.equal(tcp.cookie, 50673n);
  assert.equal(tcp.localPort, 41002);
  assert.equal(tcp.inode, 0);
  assert.equal(tcp.state, TCP_STATE.CLOSE);
  assert.equal(tcp.tcpInfo?.length, 280);

  const udp = decode(UDP6_DESTROY);
  assert.equal(udp?.protocol, IPPROTO_UDP);
  assert.equal(udp.cookie, 50682n);
  assert.equal(udp.localPort, 41005);
  assert.equal(udp.tcpInfo, undefined);
});

Deno.test("decodeInetDiag() reads every field of the fixed part", () => {
  const view = new DataView(new ArrayBuffer(72));
  view.setUint8(0, AF_INET6);
  view.setUint8(1, TCP_STATE.CLOSE_WAIT);
  view.setUint16(4, 0x1234);
  view.setUint16(6, 0x5678);
  for (let i = 0; i < 32; i++) view.setUint8(8 + i, i + 1);
  view.setUint32(40, 3, true);
  view.setBigUint64(44, 0xfedc_ba98_7654_3210n, true);
  [5000, 11, 22, 1000, 0xffff_fffe].forEach((value, i) =>
    view.setUint32(52 + 4 * i, value, true)
  );
  assert.deepEqual(decodeInetDiag(view, 0, 72), {
    family: AF_INET6,
    protocol: 0,
    state: TCP_STATE.CLOSE_WAIT,
    localAddress: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
    localPort: 0x1234,
    remoteAddress: Uint8Array.from({ length: 16 }, (_, i) => i + 17),
    remotePort: 0x5678,
    interface: 3,
    cookie: 0xfedc_ba98_7654_3210n,
    uid: 1000,
    inode: 0xffff_fffe,
    expires: 5000,
    receiveQueue: 11,
    sendQueue: 22,
    shutdown: undefined,
    v6Only: undefined,
    tcpInfo: undefined,
  });
  assert.equal(inetDiagInode(view, 0, 72), 0xffff_fffe);
});

Deno.test("decodeInetDiag() copies what it keeps", () => {
  const bytes = TCP4_DESTROY.slice();
  const socket = decode(bytes);
  bytes.fill(0xee);
  assert.deepEqual(socket, decode(TCP4_DESTROY));
});

Deno.test("decodeInetDiag() decodes messages inside of a datagram", () => {
  const bytes = new Uint8Array(500).fill(0xff);
  bytes.set(TCP6_LISTEN, 100);
  const inner = bytes.subarray(8);
  const socket = decodeInetDiag(
    viewOf(inner),
    108,
    92 + TCP6_LISTEN.length,
    IPPROTO_TCP,
  );
  assert.deepEqual(socket, decode(TCP6_LISTEN, IPPROTO_TCP));
});

Deno.test("decodeInetDiag() refuses other families and short messages", () => {
  assert.equal(decode(TCP4_ESTABLISHED.with(16, 1)), undefined);
  const view = viewOf(TCP4_ESTABLISHED);
  assert.equal(decodeInetDiag(view, 16, 87), undefined);
  assert.equal(decodeInetDiag(view, 16, 125), undefined);
  assert.equal(decodeInetDiag(view, -1, 124), undefined);
  assert.ok(decodeInetDiag(view, 16, 88));
  assert.equal(inetDiagInode(view, 16, 87), 0);
  assert.equal(inetDiagInode(view, 16, 88), 119635);
});

Deno.test("decodeInetDiag() ignores damaged attributes", () => {
  // The length of the first attribute: too small, beyond the end.
  for (const length of [0, 3, 0x7f]) {
    const socket = decode(TCP4_ESTABLISHED.with(88, length));
    assert.equal(socket?.shutdown, undefined);
    assert.equal(socket?.inode, 119635);
  }
  // An attribute without content.
  assert.equal(decode(TCP4_ESTABLISHED.with(88, 4))?.shutdown, undefined);
});

Deno.test("decodeInetDiag() never throws", () => {
  fc.assert(fc.property(
    fc.constantFrom(TCP4_ESTABLISHED, TCP6_LISTEN, TCP4_DESTROY, UDP6_DESTROY),
    fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 }),
    fc.nat(400),
    fc.nat(400),
    (message, changes, start, end) => {
      const bytes = message.slice();
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      decodeInetDiag(viewOf(bytes), 16, bytes.length);
      decodeInetDiag(viewOf(bytes), start, end);
      inetDiagInode(viewOf(bytes), start, end);
    },
  ));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (array) => {
    const bytes = Uint8Array.from(array);
    if (bytes.length > 0) bytes[0] = AF_INET;
    decodeInetDiag(viewOf(bytes), 0, bytes.length);
  }));
});

Deno.test("decodeTcpInfo() reads the counters", () => {
  const tcpInfo = decode(TCP4_DESTROY)?.tcpInfo;
  assert.ok(tcpInfo);
  // 1000 bytes, the SYN and the FIN.
  assert.deepEqual(decodeTcpInfo(tcpInfo), {
    bytesAcked: 1002n,
    bytesReceived: 0n,
    segmentsOut: 4,
    segmentsIn: 3,
  });
  assert.equal(decodeTcpInfo(tcpInfo.subarray(0, 143)), undefined);
  assert.ok(decodeTcpInfo(tcpInfo.subarray(0, 144)));
});

Deno.test("tcpStateName() names every state", () => {
  assert.equal(tcpStateName(TCP_STATE.ESTABLISHED), "ESTABLISHED");
  assert.equal(tcpStateName(TCP_STATE.LISTEN), "LISTEN");
  assert.equal(tcpStateName(14), "state 14");
});
