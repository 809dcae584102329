import "../support/open_libc.ts";
import assert from "node:assert/strict";
import { check } from "../../ffi/errno.ts";
import type { Fd } from "../../ffi/fd.ts";
import { openEventFd } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { PacketType } from "../../ffi/packet.ts";
import { AF_INET, AF_INET6 } from "../../ffi/sockaddr.ts";
import { bindSocket, openSocket, SOCK_DGRAM } from "../../ffi/socket.ts";
import { ClassicRules } from "../../lib/capture/classic_rules.ts";
import {
  openCaptureSocket,
  PacketRing,
  ringOptions,
} from "../../lib/capture/packet_ring.ts";
import { FlowFields } from "../../lib/packet/flow_fields.ts";
import { endpoint } from "../property/flows.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../support/requires.ts";

const UDP = 17;
const TCP = 6;
const CONNECT: Readonly<Record<string, number>> = { x86_64: 42, aarch64: 203 };
const OPTIONS = ringOptions(2);
/** Of this test alone, as nobody else uses 127.9.8.7. */
const HOSTS = ["127.9.8.7", "[::1]"];
const PORTS = [36001, 36002, 36003, 36004];

function test(name: string, body: () => void, ...needs: Requirement[]): void {
  const reason = missing(["root", "IPv6", ...needs]);
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined && !isContinuousIntegration(),
    fn: body,
  });
}

function sockaddr(text: string): Uint8Array<ArrayBuffer> {
  const { address, port } = endpoint(text);
  const isV6 = text.startsWith("[");
  const bytes = new Uint8Array(isV6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV6 ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port, false);
  if (isV6) bytes.set(address, 8);
  else bytes.set(address.subarray(12), 4);
  return bytes;
}

/** Sends an empty datagram. */
function send(from: string, to: string): void {
  const family = from.startsWith("[") ? AF_INET6 : AF_INET;
  using sender = openSocket(family, SOCK_DGRAM, 0);
  using receiver = openSocket(family, SOCK_DGRAM, 0);
  bindSocket(sender.number, sockaddr(from));
  if (from !== to) bindSocket(receiver.number, sockaddr(to));
  const target = sockaddr(to);
  const connect = BigInt(CONNECT[Deno.build.arch]!);
  const number = BigInt(sender.number);
  const length = BigInt(target.length);
  check("connect", libc().syscallBuffer(connect, number, target, length, 0n));
  check("send", libc().send(sender.number, new Uint8Array(1), 0n, 0));
}

/** A packet socket with rules; shows what they let through. */
class Scene implements Disposable {
  readonly rules: ClassicRules;
  readonly #socket: Fd;
  readonly #wake = openEventFd();
  readonly #ring: PacketRing;
  readonly #fields = new FlowFields();

  constructor() {
    let rules: ClassicRules | undefined;
    this.#socket = openCaptureSocket(OPTIONS, ({ number }) => {
      rules = new ClassicRules(number, 0);
      // Attaches a filter that lets nothing through which matters here.
      rules.openPort(TCP, 1);
      rules.apply();
    });
    assert.ok(rules !== undefined);
    this.rules = rules;
    const { number } = this.#socket;
    this.#ring = new PacketRing(number, this.#wake.number, OPTIONS, 4096);
  }

  /** Datagrams between all ports, as far as they get through. */
  exchange(): string[] {
    for (const [from, to] of pairs()) send(from, to);
    const seen: string[] = [];
    const ring = this.#ring;
    while (ring.waitForLast()) {
      ring.openBlock();
      while (ring.nextPacket()) {
        const { networkAt: at, capturedLength, etherType } = ring;
        const fields = this.#fields;
        const end = at + capturedLength;
        assert.ok(fields.parse(ring.bytes, at, end, etherType));
        const { sourcePort, destinationPort, version } = fields;
        // Other programs use ports of their own.
        if (![sourcePort, destinationPort].every((p) => PORTS.includes(p))) {
          continue;
        }
        const isSent = ring.packetType === PacketType.OUTGOING;
        seen.push(textOf(version, sourcePort, destinationPort, isSent));
      }
      ring.closeBlock();
    }
    return seen.sort();
  }

  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
    this.#socket.close();
    this.#wake.close();
  }
}

function pairs(): [from: string, to: string][] {
  return HOSTS.flatMap((host) =>
    PORTS.flatMap((from) =>
      PORTS.filter((to) => to !== from).map((to): [string, string] => [
        `${host}:${from}`,
        `${host}:${to}`,
      ])
    )
  );
}

function textOf(
  version: number,
  from: number,
  to: number,
  isSent: boolean,
): string {
  return `IPv${version} ${from} > ${to} ${isSent ? "sent" : "received"}`;
}

/** What should get through. */
function expected(
  wanted: (version: number, local: number, remote: number) => boolean,
): string[] {
  const texts: string[] = [];
  for (const [from, to] of pairs()) {
    const version = from.startsWith("[") ? 6 : 4;
    const [a, b] = [endpoint(from).port, endpoint(to).port];
    if (wanted(version, a, b)) texts.push(textOf(version, a, b, true));
    if (wanted(version, b, a)) texts.push(textOf(version, a, b, false));
  }
  return texts.sort();
}

test("ClassicRules lets packets of local ports through, and no others", () => {
  using scene = new Scene();
  assert.deepEqual(scene.exchange(), []);
  scene.rules.openPort(UDP, 36002);
  scene.rules.apply();
  assert.deepEqual(scene.exchange(), expected((_, local) => local === 36002));
  scene.rules.openPort(UDP, 36004);
  scene.rules.openPort(TCP, 36001);
  scene.rules.apply();
  assert.deepEqual(
    scene.exchange(),
    expected((_, local) => local === 36002 || local === 36004),
  );
});

test("ClassicRules lets packets of remote ends through, and no others", () => {
  HOSTS.forEach((host, index) => {
    using scene = new Scene();
    const { address, port } = endpoint(`${host}:36003`);
    scene.rules.openRemote(UDP, address, port);
    scene.rules.apply();
    assert.deepEqual(
      scene.exchange(),
      expected((version, _, remote) =>
        version === (index === 0 ? 4 : 6) && remote === 36003
      ),
    );
  });
});

test("ClassicRules.tidy() ends what nobody wants any more", () => {
  using scene = new Scene();
  const real = performance.now;
  let time = real.call(performance);
  scene.rules.openPort(UDP, 36001);
  scene.rules.openPort(UDP, 36002);
  scene.rules.apply();
  scene.rules.closePort(UDP, 36001);
  try {
    performance.now = (): number => time;
    time += 10_000;
    scene.rules.tidy();
  } finally {
    performance.now = real;
  }
  assert.deepEqual(scene.exchange(), expected((_, local) => local === 36002));
});
