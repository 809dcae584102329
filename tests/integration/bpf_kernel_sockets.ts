/**
 * Sockets that let the kernel judge filters: a filter is attached, a packet
 * comes, and how much of it arrives is the verdict.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  assembleClassic,
  type Instruction,
} from "../../bpf/classic/instruction.ts";
import { libc as productLibc } from "../../ffi/libc.ts";
import { attachFilter } from "../../ffi/socket.ts";

// Stays open for ever: not something that a test leaks.
productLibc();

const AF_UNIX = 1;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const ETH_P_ALL = 3;
const MSG_DONTWAIT = 0x40;
const CLONE_NEWNET = 0x40000000;
const EINVAL = 22;
const ENOMEM = 12;

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  // int socketpair(int domain, int type, int protocol, int fds[2])
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i64" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i64" },
  close: { parameters: ["i32"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int setns(int fd, int nstype): of the calling thread
  setns: { parameters: ["i32", "i32"], result: "i32" },
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
});

const buffer = new Uint8Array(4096);

/**
 * Whether a program is small enough for the memory that the kernel grants to
 * a socket's filter: 20 KiB before Linux 6.7. It keeps the program in its own
 * instructions of 8 bytes, about two for each of ours.
 */
export function hasRoom(program: readonly Instruction[]): boolean {
  const room = Deno.readTextFileSync("/proc/sys/net/core/optmem_max");
  return 2 * 8 * program.length < Number(room);
}

/** A socket whose filter is under test. */
export class FilteredSocket {
  readonly fd: number;

  /** Takes over a descriptor. */
  constructor(fd: number) {
    assert.ok(fd >= 0, "no socket");
    this.fd = fd;
  }

  /**
   * Attaches a program.
   *
   * @returns Whether the kernel takes it.
   */
  attach(program: readonly Instruction[]): boolean {
    const errno = attachFilter(this.fd, assembleClassic(program));
    const isExpected = errno === 0 || errno === EINVAL ||
      errno === ENOMEM && !hasRoom(program);
    assert.ok(isExpected, `SO_ATTACH_FILTER: ${errno}`);
    return errno === 0;
  }

  /** Bytes of the packet that has arrived; 0 when there is none. */
  receive(): number {
    const length = libc.recv(this.fd, buffer, 4096n, MSG_DONTWAIT);
    return Math.max(0, Number(length));
  }

  /** Waits for a packet, one second at most. */
  await(): Uint8Array<ArrayBuffer> {
    const length = Number(libc.recv(this.fd, buffer, 4096n, 0));
    assert.ok(length >= 0, "no packet came");
    return buffer.slice(0, length);
  }

  /** Sends a packet. */
  send(bytes: Uint8Array<ArrayBuffer>): void {
    const sent = libc.send(this.fd, bytes, BigInt(bytes.length), 0);
    assert.equal(Number(sent), bytes.length);
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    libc.close(this.fd);
  }
}

/** Two connected datagram sockets; needs no right. */
export function socketPair(): [FilteredSocket, FilteredSocket] {
  const fds = new Int32Array(2);
  assert.equal(libc.socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
  return [new FilteredSocket(fds[0]!), new FilteredSocket(fds[1]!)];
}

/** Opens packet sockets in a network namespace. */
export class PacketSockets {
  readonly #path: string;

  /** @param path Such as `/run/netns/name`. */
  constructor(path: string) {
    this.#path = path;
  }

  /** A socket that gets packets of one interface from the network header. */
  datagrams(device: string): FilteredSocket {
    return this.#open(SOCK_DGRAM, device, ETH_P_ALL);
  }

  /** A socket that sends frames on one interface, and receives nothing. */
  sender(device: string): FilteredSocket {
    return this.#open(SOCK_RAW, device, 0);
  }

  /** Index of an interface. */
  indexOf(device: string): number {
    return this.#inside(() => libc.if_nametoindex(cString(device)));
  }

  #open(type: number, device: string, protocol: number): FilteredSocket {
    return this.#inside(() => {
      const socket = new FilteredSocket(libc.socket(AF_PACKET, type, 0));
      const { fd } = socket;
      // struct timeval: one second
      const second = BigInt64Array.of(1n, 0n);
      assert.equal(libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, second, 16), 0);
      // struct sockaddr_ll
      const address = new Uint8Array(20);
      const view = new DataView(address.buffer);
      view.setUint16(0, AF_PACKET, true);
      view.setUint16(2, protocol);
      view.setInt32(4, libc.if_nametoindex(cString(device)), true);
      assert.equal(libc.bind(fd, address, address.length), 0);
      return socket;
    });
  }

  /** Moves this thread to the namespace and back; nothing may wait inside. */
  #inside<T>(action: () => T): T {
    const home = libc.open(cString("/proc/thread-self/ns/net"), 0);
    const there = libc.open(cString(this.#path), 0);
    assert.ok(home >= 0 && there >= 0);
    try {
      assert.equal(libc.setns(there, CLONE_NEWNET), 0);
      try {
        return action();
      } finally {
        assert.equal(libc.setns(home, CLONE_NEWNET), 0);
      }
    } finally {
      libc.close(home);
      libc.close(there);
    }
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(`${text}\0`));
}
