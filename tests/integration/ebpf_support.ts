/**
 * What the eBPF tests share: a packet tap with a filter, and the question
 * whether this machine permits eBPF at all.
 *
 * @module
 */

import assert from "node:assert/strict";
import { equal } from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { bpf, BpfAttr } from "../../ffi/bpf.ts";
import { Fd } from "../../ffi/fd.ts";
import { libc } from "../../ffi/libc.ts";
import { cString } from "../../ffi/memory.ts";
import { bindPacketSocket, openPacketSocket } from "../../ffi/packet.ts";
import { attachBpf } from "../../ffi/socket.ts";
import { check } from "../../ffi/errno.ts";
import { KernelFilter } from "../../lib/trace/ebpf_filter.ts";
import { compileWorkload } from "../support/compile.ts";
import type { PrivateNetwork } from "../support/network.ts";
import { Child } from "../support/processes.ts";
import {
  loadTracker,
  TrackerLoadError,
  type Variant,
} from "../../lib/trace/ebpf_loader.ts";
import type { Losses } from "../../lib/trace/ebpf_tracker.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../support/requires.ts";

/** What a tracker says that lost nothing. */
export const NO_LOSSES: Losses = {
  events: 0,
  rules: 0,
  sockets: 0,
  processes: 0,
  calls: 0,
};

const PROG_GET_NEXT_ID = 11n;
const MSG_DONTWAIT = 0x40;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SYS_SETNS = 308n;
const CLONE_NEWNET = 0x4000_0000n;

let reason: string | undefined | null = null;

/** Says what keeps eBPF from working here; `undefined` when nothing does. */
export function missingEbpf(): string | undefined {
  if (reason === null) {
    try {
      new KernelFilter().close();
      openPacketSocket().close();
      reason = undefined;
    } catch (error) {
      reason = `needs CAP_BPF and CAP_NET_RAW (${(error as Error).message})`;
    }
  }
  return reason;
}

/** Declares a test that needs eBPF; its name says why when it is skipped. */
export function ebpfTest(name: string, run: () => void | Promise<void>): void {
  const missing = missingEbpf();
  declare(name, run, missing, !isContinuousIntegration());
}

/**
 * Declares a test of one variant of the tracker. Where the kernel refuses the
 * variant, one test that it does so stands for all of them.
 */
export function variantTest(
  variant: Variant,
  name: string,
  run: () => Promise<void>,
  needs: readonly Requirement[],
): void {
  const title = `${variant}: ${name}`;
  const reason = missingEbpf() ?? missing(needs);
  if (reason !== undefined) {
    declare(title, run, reason, !isContinuousIntegration());
  } else if (missingVariant(variant) === undefined) {
    declare(title, run, undefined, false);
  } else {
    declareRefusal(variant);
  }
}

const refused = new Set<Variant>();

function declareRefusal(variant: Variant): void {
  if (refused.has(variant)) return;
  refused.add(variant);
  Deno.test(`${variant}: refused by this kernel, and the loader says so`, () => {
    assert.throws(
      () => loadTracker({ variants: [variant] }).close(),
      (error) =>
        error instanceof TrackerLoadError &&
        error.probes.every((probe) => probe.error !== undefined) &&
        error.message.includes(variant),
    );
  });
}

function declare(
  name: string,
  run: () => void | Promise<void>,
  missing: string | undefined,
  maySkip: boolean,
): void {
  const ignore = missing !== undefined && maySkip;
  Deno.test({
    name: ignore ? `${name} (skipped: ${missing})` : name,
    ignore,
    fn: run,
  });
}

const variantReasons = new Map<Variant, string | undefined>();

/** Why a variant cannot be loaded here. */
function missingVariant(variant: Variant): string | undefined {
  if (!variantReasons.has(variant)) {
    let reason: string | undefined;
    try {
      loadTracker({ variants: [variant] }).close();
    } catch (error) {
      if (!(error instanceof TrackerLoadError)) throw error;
      reason = error.message;
    }
    variantReasons.set(variant, reason);
  }
  return variantReasons.get(variant);
}

/** A packet as a tap gives it. */
export interface TappedPacket {
  /** `sll_pkttype`. */
  readonly type: number;
  readonly ifindex: number;
  /** From the network header on. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A packet socket behind a filter. */
export class Tap implements Disposable {
  readonly #fd: Fd;
  readonly #buffer = new Uint8Array(1 << 17);
  readonly #address = new Uint8Array(20);

  /** Opens a tap on all interfaces of a network namespace. */
  constructor(programFd: number, netns?: string) {
    this.#fd = inNetns(netns, openPacketSocket);
    check(
      "SO_RCVBUFFORCE",
      libc().setsockopt(
        this.#fd.number,
        SOL_SOCKET,
        SO_RCVBUFFORCE,
        Int32Array.of(64 << 20),
        4,
      ),
    );
    attachBpf(this.#fd.number, programFd);
    bindPacketSocket(this.#fd, 0);
  }

  /** Takes all packets that have arrived. */
  drain(): TappedPacket[] {
    const packets: TappedPacket[] = [];
    const view = new DataView(this.#address.buffer);
    for (;;) {
      const length = libc().recvfrom(
        this.#fd.number,
        this.#buffer,
        BigInt(this.#buffer.length),
        MSG_DONTWAIT,
        this.#address,
        Uint32Array.of(20),
      );
      if (length < 0) return packets;
      packets.push({
        type: view.getUint8(10),
        ifindex: view.getInt32(4, true),
        bytes: this.#buffer.slice(0, length),
      });
    }
  }

  [Symbol.dispose](): void {
    this.#fd.close();
  }
}

/** A UDP socket of this process on one of its own addresses. */
export class UdpSocket implements AsyncDisposable {
  readonly port: number;
  readonly #socket: Socket;
  readonly #host: string;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    this.port = socket.address().port;
    // Errors of earlier datagrams (port unreachable) are of no interest.
    socket.on("error", () => {});
  }

  static async open(host: string): Promise<UdpSocket> {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    await new Promise<void>((resolve) => socket.bind(0, host, resolve));
    return new UdpSocket(socket, host);
  }

  /** Sends zeros to a port of the same address. */
  async send(length: number, port: number): Promise<void> {
    const bytes = new Uint8Array(length);
    await new Promise<void>((resolve) =>
      this.#socket.send(bytes, port, this.#host, () => resolve())
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

/** File of the network namespace of a bench. */
export function netnsOf(
  { network }: { readonly network: PrivateNetwork },
): string {
  const option = network.prefix.find((word) => word.startsWith("--net="));
  return option!.slice("--net=".length);
}

/** Runs a function while this thread is in another network namespace. */
function inNetns<T>(netns: string | undefined, run: () => T): T {
  if (netns === undefined) return run();
  const open = (path: string): Fd =>
    new Fd(check("open", libc().open(cString(path), 0, 0), path));
  using own = open("/proc/self/ns/net");
  using other = open(netns);
  setns(other);
  try {
    return run();
  } finally {
    setns(own);
  }
}

function setns(fd: Fd): void {
  const number = BigInt(fd.number);
  check(
    "setns",
    libc().syscall(SYS_SETNS, number, CLONE_NEWNET, 0n, 0n, 0n, 0n),
  );
}

/** Writes tapped packets as a capture file of raw IP packets. */
export function pcapOf(
  packets: readonly TappedPacket[],
): Uint8Array<ArrayBuffer> {
  const length = packets.reduce(
    (sum, { bytes }) => sum + 16 + bytes.length,
    24,
  );
  const file = new Uint8Array(length);
  const view = new DataView(file.buffer);
  // Magic, version 2.4, zone, accuracy, snaplen, LINKTYPE_RAW.
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 0x4_0000, true);
  view.setUint32(20, 101, true);
  let at = 24;
  for (const { bytes } of packets) {
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, bytes.length, true);
    file.set(bytes, at + 16);
    at += 16 + bytes.length;
  }
  return file;
}

/** A TCP server of this process on 127.0.0.1. */
export class TcpServer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Runs a client that connects from a local port of 127.0.0.1. */
  async visitFrom(localPort: number): Promise<void> {
    const program = await compileWorkload("tcp_client");
    const [to, from] = [this.port, localPort].map((p) => `127.0.0.1:${p}`);
    // It hopes for an echo that does not come, and fails then.
    await using client = new Child([program, "bound", to!, from!]);
    const visitor = await this.#listener.accept();
    equal(visitor.remoteAddr.port, localPort);
    visitor.close();
    await client.status;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** Ids of all programs in the kernel (BPF_PROG_GET_NEXT_ID). */
export function programIds(): number[] {
  const ids: number[] = [];
  for (let id = 0;;) {
    // 0 start_id · 4 next_id · 8 open_flags
    const attr = new BpfAttr(12).u32(0, id);
    if (bpf(PROG_GET_NEXT_ID, attr) < 0) return ids;
    id = attr.read(4);
    ids.push(id);
  }
}
