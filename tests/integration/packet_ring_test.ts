import "../support/open_libc.ts";
import assert from "node:assert/strict";
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import { DROP_ALL } from "../../bpf/capture_filter.ts";
import { check } from "../../ffi/errno.ts";
import { type Fd, ownFd } from "../../ffi/fd.ts";
import { openEventFd, signalEventFd } from "../../ffi/file.ts";
import { libc } from "../../ffi/libc.ts";
import { cString, poll } from "../../ffi/memory.ts";
import {
  ARPHRD_LOOPBACK,
  interfaceIndex,
  PacketField,
  PacketType,
  readStatistics,
  type RingOptions,
} from "../../ffi/packet.ts";
import { AF_INET } from "../../ffi/sockaddr.ts";
import {
  attachFilter,
  bindSocket,
  openSocket,
  SOCK_DGRAM,
  SOCK_RAW,
} from "../../ffi/socket.ts";
import { ClassicRules } from "../../lib/capture/classic_rules.ts";
import { EARLY_SIZE } from "../../lib/capture/early_packets.ts";
import {
  openCaptureSocket,
  openEarlySocket,
  openLateSocket,
  PacketRing,
  ringOptions,
} from "../../lib/capture/packet_ring.ts";
import { compileWorkload } from "../support/compile.ts";
import { Child } from "../support/processes.ts";
import {
  ETHERNET_DEVICE,
  FAR,
  NEAR,
  PrivateNetwork,
} from "../support/network.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../support/requires.ts";

const UDP = 17;
const POLLIN = 1;
const IPV4 = 0x0800;
const VLAN = 0x8100;
const HEADERS = 28;
const PORT = 45678;
const ARPHRD_ETHER = 1;
const CLONE_NEWNET = 0x4000_0000;
const SETNS: Readonly<Record<string, number>> = { x86_64: 308, aarch64: 268 };
const CONNECT: Readonly<Record<string, number>> = { x86_64: 42, aarch64: 203 };
/** Longest time that packets may take, ms. */
const PATIENCE = 10_000;

function test(
  name: string,
  body: (network: PrivateNetwork) => void | Promise<void>,
  ...needs: Requirement[]
): void {
  const reason = missing(["root", "network namespaces", ...needs]);
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined && !isContinuousIntegration(),
    fn: async () => {
      await using network = await PrivateNetwork.create();
      await body(network);
    },
  });
}

/** Runs `body`, which must not await, with sockets of another namespace. */
function inside<T>(network: PrivateNetwork, body: () => T): T {
  const path = network.prefix[1]!.replace("--net=", "");
  const open = (name: string): Fd =>
    ownFd("open", libc().open(cString(name), 0o2000000, 0));
  const enter = (namespace: Fd): number =>
    libc().syscall(
      BigInt(SETNS[Deno.build.arch]!),
      BigInt(namespace.number),
      BigInt(CLONE_NEWNET),
      0n,
      0n,
      0n,
      0n,
    );
  using own = open("/proc/thread-self/ns/net");
  using other = open(path);
  check("setns", enter(other));
  try {
    return body();
  } finally {
    check("setns", enter(own));
  }
}

function sockaddr(host: string, port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port, false);
  bytes.set(host.split(".").map(Number), 4);
  return bytes;
}

/** Sends datagrams from and to the loopback interface. */
class Sender implements Disposable {
  readonly #receiver = openSocket(AF_INET, SOCK_DGRAM, 0);
  readonly #sender = openSocket(AF_INET, SOCK_DGRAM, 0);

  constructor() {
    const target = sockaddr("127.0.0.1", PORT);
    bindSocket(this.#receiver.number, target);
    bindSocket(this.#sender.number, sockaddr("127.0.0.1", PORT + 1));
    const connect = BigInt(CONNECT[Deno.build.arch]!);
    const number = BigInt(this.#sender.number);
    check("connect", libc().syscallBuffer(connect, number, target, 16n, 0n));
  }

  send(payload: Uint8Array<ArrayBuffer>): void {
    const { number } = this.#sender;
    const sent = libc().send(number, payload, BigInt(payload.length), 0);
    assert.equal(check("send", sent), payload.length);
  }

  [Symbol.dispose](): void {
    this.#receiver.close();
    this.#sender.close();
  }
}

/** A packet as the ring shows it. */
interface Seen {
  readonly packetType: number;
  readonly bytes: Uint8Array;
  readonly wireLength: number;
  readonly etherType: number;
  readonly interfaceIndex: number;
  readonly hardwareType: number;
  readonly address: Uint8Array;
  readonly time: number;
  readonly vlan: string;
}

/** A ring with its socket. */
class Capture implements Disposable {
  readonly socket: Fd;
  readonly ring: PacketRing;
  readonly #wake = openEventFd();

  constructor(
    options: RingOptions,
    filter: (socket: Fd) => void,
    tail = 4096,
  ) {
    this.socket = openCaptureSocket(options, filter);
    this.ring = new PacketRing(
      this.socket.number,
      this.#wake.number,
      options,
      tail,
    );
  }

  /** Makes `wait` return. */
  wake(): void {
    signalEventFd(this.#wake.number);
  }

  /** Whether `wait` would return at once. */
  get isWoken(): boolean {
    return poll(Int32Array.of(this.#wake.number, POLLIN), 0) > 0;
  }

  /** Reads packets until there are `count`. */
  read(count: number): Seen[] {
    const seen: Seen[] = [];
    const deadline = Date.now() + PATIENCE;
    while (seen.length < count) {
      assert.ok(Date.now() < deadline, `${seen.length} packets of ${count}`);
      if (this.ring.ready) seen.push(...this.readBlock());
      else this.ring.wait(100);
    }
    assert.equal(seen.length, count);
    return seen;
  }

  readBlock(): Seen[] {
    const { ring } = this;
    const seen: Seen[] = [];
    ring.openBlock();
    while (ring.nextPacket()) {
      const { networkAt, capturedLength } = ring;
      const addressAt = ring.at + PacketField.ADDRESS;
      const addressLength = ring.bytes[ring.at + PacketField.ADDRESS_LENGTH]!;
      seen.push({
        packetType: ring.packetType,
        bytes: ring.bytes.slice(networkAt, networkAt + capturedLength),
        wireLength: ring.wireLength,
        etherType: ring.etherType,
        interfaceIndex: ring.interfaceIndex,
        hardwareType: ring.hardwareType,
        address: ring.bytes.slice(addressAt, addressAt + addressLength),
        time: ring.seconds + ring.nanoseconds / 1e9,
        vlan: `${ring.vlanProtocol.toString(16)} ${ring.vlanTag}`,
      });
    }
    ring.closeBlock();
    return seen;
  }

  [Symbol.dispose](): void {
    this.ring[Symbol.dispose]();
    this.socket.close();
    this.#wake.close();
  }
}

/** Lets the datagrams of a sender through, and nothing else. */
function ourPort(snaplen = 0): (socket: Fd) => void {
  return ({ number }) => {
    const rules = new ClassicRules(number, snaplen);
    rules.openPort(UDP, PORT + 1);
    rules.openPort(UDP, PORT);
    rules.apply();
  };
}

function random(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65536));
  }
  return bytes;
}

const SMALL = ringOptions(2);

test("PacketRing shows each loopback packet both ways, with all its bytes", (network) =>
  inside(network, () => {
    using sender = new Sender();
    using capture = new Capture(SMALL, ourPort());
    const before = Date.now() / 1000;
    const payloads = [0, 1, 17, 1472, 1473, 30000, 65507].map(random);
    for (const payload of payloads) sender.send(payload);
    const seen = capture.read(2 * payloads.length);
    const after = Date.now() / 1000;
    payloads.forEach((payload, index) => {
      const pair = seen.slice(2 * index, 2 * index + 2);
      const types = pair.map(({ packetType }) => packetType);
      assert.deepEqual(types, [PacketType.OUTGOING, PacketType.HOST]);
      for (const packet of pair) {
        assert.equal(packet.wireLength, HEADERS + payload.length);
        assert.equal(packet.bytes.length, HEADERS + payload.length);
        assert.ok(
          indexedEqual(packet.bytes.subarray(HEADERS), payload),
          `payload of ${payload.length} bytes`,
        );
        assert.equal(packet.etherType, IPV4);
        assert.equal(packet.hardwareType, ARPHRD_LOOPBACK);
        assert.equal(packet.interfaceIndex, interfaceIndex("lo"));
        assert.deepEqual([...packet.address], [0, 0, 0, 0, 0, 0]);
        assert.equal(packet.vlan, "0 0");
        assert.ok(
          packet.time >= before - 0.001 && packet.time <= after + 0.001,
        );
      }
    });
    const times = seen.map(({ time }) => time);
    assert.deepEqual(times, times.toSorted((a, b) => a - b));
    assert.deepEqual(readStatistics(capture.socket.number), {
      packets: seen.length,
      drops: 0,
    });
  }));

function indexedEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** A ring that goes on where a socket without one began. */
class Succession implements Disposable {
  readonly #early: Fd;
  readonly #late: Fd;
  readonly #wake = openEventFd();
  readonly ring: PacketRing;

  /** @param between what happens while the ring is made */
  constructor(filter: (socket: Fd) => void, between: () => void) {
    this.#early = openEarlySocket(filter);
    between();
    this.#late = openLateSocket(SMALL, filter);
    this.ring = new PacketRing(
      this.#late.number,
      this.#wake.number,
      SMALL,
      EARLY_SIZE,
    );
    this.ring.takeOver(this.#early, this.#late, this.ring.tailAt);
  }

  /** The numbers in the datagrams that are there, and the packet's type. */
  numbers(): { number: number; packetType: number }[] {
    const { ring } = this;
    const found: { number: number; packetType: number }[] = [];
    let last = Date.now() / 1000 - 10;
    while (ring.ready || ring.waitForLast()) {
      ring.openBlock();
      while (ring.nextPacket()) {
        const { networkAt, capturedLength, packetType } = ring;
        const text = ring.bytes.slice(
          networkAt + HEADERS,
          networkAt + capturedLength,
        );
        const number = Number(new TextDecoder().decode(text));
        assert.equal(ring.wireLength, capturedLength);
        assert.equal(ring.hardwareType, ARPHRD_LOOPBACK);
        assert.equal(ring.etherType, IPV4);
        const time = ring.seconds + ring.nanoseconds / 1e9;
        assert.ok(time >= last, `${time} after ${last}`);
        last = time;
        found.push({ number, packetType });
      }
      ring.closeBlock();
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.ring[Symbol.dispose]();
    this.#late.close();
    this.#wake.close();
  }
}

test("PacketRing.takeOver() gives first what came while the ring was made", (network) =>
  inside(network, () => {
    using sender = new Sender();
    let next = 0;
    const send = (): void => {
      for (let i = 0; i < 10; i++) {
        sender.send(new TextEncoder().encode(`${next++}`));
      }
    };
    using succession = new Succession(ourPort(), send);
    assert.ok(succession.ring.ready);
    send();
    assert.deepEqual(
      succession.numbers(),
      Array.from(
        { length: next },
        (_, number) =>
          [PacketType.OUTGOING, PacketType.HOST].map((packetType) => ({
            number,
            packetType,
          })),
      ).flat(),
    );
    assert.equal(succession.ring.takeLost(), 0);
  }));

test(
  "PacketRing.takeOver() neither misses nor doubles a packet",
  async (network) => {
    const program = await compileWorkload("udp_burst");
    await using burst = new Child(
      [...network.prefix, program, `127.0.0.1:${PORT}`, "0", "0"],
      { stdin: "piped" },
    );
    await burst.seen("stdout", /sending/);
    let total = 0;
    for (let round = 0; round < 20; round++) {
      inside(network, () => {
        using succession = new Succession(ourPort(), () => {});
        const deadline = Date.now() + PATIENCE;
        const numbers: number[] = [];
        // Packets of the ring after those of the socket before it.
        const { ring } = succession;
        for (let blocks = 0; blocks < 3;) {
          assert.ok(Date.now() < deadline);
          if (!ring.ready) ring.waitForLast();
          if (!ring.ready) continue;
          blocks++;
          ring.openBlock();
          while (ring.nextPacket()) {
            const at = ring.networkAt + HEADERS;
            const text = ring.bytes.slice(at, at + 100);
            numbers.push(Number(new TextDecoder().decode(text)));
          }
          ring.closeBlock();
        }
        // On a busy machine the queue may be too short, which it tells.
        if (ring.takeLost() > 0) return;
        const odd = numbers.filter((number, index) =>
          number !== numbers[0]! + index
        );
        assert.deepEqual(odd.slice(0, 10), []);
        total += numbers.length;
      });
    }
    assert.ok(total > 1000, `${total}`);
    await burst.closeInput();
    assert.equal((await burst.ended()).code, 0);
  },
  "gcc",
);

test("PacketRing goes round and round without losing anything", (network) =>
  inside(network, () => {
    using sender = new Sender();
    using capture = new Capture(SMALL, ourPort());
    const ROUNDS = 60;
    const BATCH = 20;
    // Five times what the ring holds.
    let next = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < BATCH; i++) {
        const payload = new Uint8Array(8000 + i);
        new DataView(payload.buffer).setUint32(0, round * BATCH + i);
        sender.send(payload);
      }
      for (const { bytes, packetType } of capture.read(2 * BATCH)) {
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        const number = view.getUint32(HEADERS);
        assert.equal(number, next);
        if (packetType === PacketType.HOST) next++;
      }
    }
    assert.equal(next, ROUNDS * BATCH);
    assert.equal(readStatistics(capture.socket.number).drops, 0);
  }));

test("PacketRing counts what did not fit, and goes on afterwards", (network) =>
  inside(network, () => {
    using sender = new Sender();
    using capture = new Capture(SMALL, ourPort());
    const payload = random(30000);
    const COUNT = 100;
    for (let i = 0; i < COUNT; i++) sender.send(payload);
    const { packets, drops } = readStatistics(capture.socket.number);
    assert.equal(packets, 2 * COUNT);
    assert.ok(drops > 0 && drops < 2 * COUNT);
    capture.read(2 * COUNT - drops);
    // Counters begin anew when they are read.
    assert.deepEqual(readStatistics(capture.socket.number), {
      packets: 0,
      drops: 0,
    });
    sender.send(random(10));
    assert.equal(capture.read(2)[0]!.wireLength, HEADERS + 10);
  }));

test("PacketRing tells the length of packets that the filter shortens", (network) =>
  inside(network, () => {
    using sender = new Sender();
    using capture = new Capture(SMALL, ourPort(64));
    for (const length of [10, 500]) {
      const payload = random(length);
      sender.send(payload);
      for (const { bytes, wireLength } of capture.read(2)) {
        assert.equal(wireLength, HEADERS + length);
        assert.equal(bytes.length, Math.min(64, HEADERS + length));
        const kept = bytes.subarray(HEADERS);
        assert.ok(indexedEqual(kept, payload.subarray(0, kept.length)));
      }
    }
  }));

test("openCaptureSocket() lets nothing in before the filter decides", (network) =>
  inside(network, () => {
    using sender = new Sender();
    using capture = new Capture(SMALL, (socket) => {
      // Nothing flies in before the socket is bound.
      sender.send(random(5));
      attachFilter(socket.number, assembleClassic(DROP_ALL));
      sender.send(random(6));
    });
    sender.send(random(7));
    assert.equal(readStatistics(capture.socket.number).packets, 0);
    ourPort()(capture.socket);
    sender.send(random(8));
    for (const { wireLength } of capture.read(2)) {
      assert.equal(wireLength, HEADERS + 8);
    }
  }));

test("PacketRing.wait() ends when it is woken", (network) =>
  inside(network, () => {
    using capture = new Capture(SMALL, ourPort());
    capture.wake();
    assert.equal(capture.isWoken, true);
    // An hour at most.
    capture.ring.wait(3_600_000);
    assert.equal(capture.ring.ready, false);
    // One signal wakes once.
    assert.equal(capture.isWoken, false);
  }));

test("PacketRing.waitForLast() gets the block that is being filled", (network) =>
  inside(network, () => {
    using sender = new Sender();
    using capture = new Capture(SMALL, ourPort());
    sender.send(random(5));
    assert.equal(capture.ring.waitForLast(), true);
    assert.equal(capture.readBlock().length, 2);
    assert.equal(capture.ring.waitForLast(), false);
  }));

test("PacketRing has ordinary memory behind the ring", (network) =>
  inside(network, () => {
    const TAIL = 1 << 16;
    using sender = new Sender();
    using capture = new Capture(SMALL, ourPort(), TAIL);
    const { ring } = capture;
    const { blockSize, blockCount } = SMALL;
    assert.equal(ring.tailAt, blockSize * blockCount);
    assert.equal(ring.bytes.length, ring.tailAt + TAIL);
    sender.send(Uint8Array.of(1, 2, 3));
    assert.ok(ring.waitForLast());
    ring.openBlock();
    assert.ok(ring.nextPacket());
    const start = ring.networkAt + HEADERS;
    ring.bytes.copyWithin(ring.tailAt, start, start + 3);
    ring.closeBlock();
    assert.deepEqual([...ring.bytes.subarray(ring.tailAt, ring.tailAt + 3)], [
      1,
      2,
      3,
    ]);
    assert.equal(ring.view.getUint8(ring.tailAt + 2), 3);
  }));

test("PacketRing tells hardware addresses and VLAN tags of Ethernet packets", async (network) => {
  await using far = await PrivateNetwork.create();
  await network.connect(far);
  using capture = inside(far, () => new Capture(SMALL, ourPort()));
  using wire = inside(network, () => openWire());
  const tags: [tag: number[], vlan: string][] = [
    [[], "0 0"],
    [[0x81, 0x00, 0xa0, 0x64], "8100 41060"],
    [[0x88, 0xa8, 0x00, 0x07], "88a8 7"],
    // The kernel takes the outer one off.
    [[0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x64], "88a8 7"],
  ];
  for (const [tag, vlan] of tags) {
    const frame = Uint8Array.from([
      ...hardware(FAR.hardware),
      ...hardware(NEAR.hardware),
      ...tag,
      ...u16(IPV4),
      ...datagram(50),
    ]);
    const length = BigInt(frame.length);
    check("send", libc().send(wire.number, frame, length, 0));
    const [packet] = capture.read(1);
    assert.equal(packet!.packetType, PacketType.HOST);
    assert.equal(packet!.hardwareType, ARPHRD_ETHER);
    assert.deepEqual([...packet!.address], hardware(NEAR.hardware));
    assert.equal(packet!.vlan, vlan);
    const inner = tag.slice(4);
    // Since Linux 6.10 the kernel looks behind a tag that it leaves there.
    const types = inner.length > 0 ? [VLAN, IPV4] : [IPV4];
    assert.ok(types.includes(packet!.etherType));
    assert.equal(packet!.wireLength, inner.length + HEADERS + 50);
    const expected = [...inner.slice(2), ...inner.length > 0 ? u16(IPV4) : []];
    assert.deepEqual([...packet!.bytes], [...expected, ...datagram(50)]);
  }
});

/** A socket that sends whole frames. */
function openWire(): Fd {
  const AF_PACKET = 17;
  const fd = openSocket(AF_PACKET, SOCK_RAW, 0);
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setInt32(4, interfaceIndex(ETHERNET_DEVICE), true);
  bindSocket(fd.number, address);
  return fd;
}

function hardware(text: string): number[] {
  return text.split(":").map((digits) => parseInt(digits, 16));
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

/** An IPv4 packet to our port. */
function datagram(length: number): number[] {
  const octets = (text: string): number[] => text.split(".").map(Number);
  return [
    ...[0x45, 0, ...u16(HEADERS + length), 0, 0, 0, 0, 64, UDP, 0, 0],
    ...octets(NEAR.ipv4),
    ...octets(FAR.ipv4),
    ...[...u16(PORT + 1), ...u16(PORT), ...u16(8 + length), 0, 0],
    ...Array(length).fill(0xa5),
  ];
}
