/**
 * Netlink sockets: netlink(7), sock_diag(7), rtnetlink(7).
 *
 * Only bytes pass through here; what they mean is known to lib/sockets.
 *
 * @module
 */
import { check, errno, SyscallError } from "./errno.ts";
import { type Fd, ownFd } from "./fd.ts";
import { libc } from "./libc.ts";

// bits/socket.h, linux/netlink.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOCKADDR_NL_LENGTH = 12;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const EAGAIN = 11;
const EMSGSIZE = 90;
const ENOBUFS = 105;

// The kernel makes dump datagrams of up to 32 KiB when the reader offers that
// much; twice that leaves room for single messages with large attributes.
const BUFFER_LENGTH = 65536;

/** NETLINK_ROUTE: network devices, addresses, routes. */
export const NETLINK_ROUTE = 0;

/**
 * Opens and binds a netlink socket. It belongs to the network namespace that
 * the calling thread is in.
 *
 * @throws {SyscallError} EPROTONOSUPPORT where the kernel lacks the protocol
 */
export function openNetlink(protocol: number): Fd {
  const fd = ownFd(
    "socket(AF_NETLINK)",
    libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol),
  );
  // An unbound socket has port id 0 like the kernel itself, and a sender
  // never gets its own multicast messages (do_one_broadcast()).
  const address = new Uint8Array(SOCKADDR_NL_LENGTH);
  new DataView(address.buffer).setUint16(0, AF_NETLINK, true);
  try {
    check("bind(AF_NETLINK)", libc().bind(fd.number, address, address.length));
  } catch (error) {
    fd.close();
    throw error;
  }
  return fd;
}

/**
 * A netlink socket, of NETLINK_SOCK_DIAG unless told. It sees the sockets of the network namespace
 * that the calling thread was in when it was opened, for as long as it lives.
 *
 * Use one for requests and another for events: their answers would mix.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: Fd;
  readonly #buffer = new Uint8Array(BUFFER_LENGTH);
  #sequence = 0;

  /**
   * Opens the socket, or takes over one that is open.
   *
   * @throws {SyscallError} such as EPROTONOSUPPORT where the kernel was built
   * without sock_diag
   */
  constructor(fd: Fd = openNetlink(NETLINK_SOCK_DIAG)) {
    this.#fd = fd;
  }

  /** Number of the descriptor, to wait on with poll(2). */
  get number(): number {
    return this.#fd.number;
  }

  /** A sequence number (nlmsg_seq) that no recent request has used. */
  nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }

  /**
   * Sends one request and hands each datagram of the answer to `consume`
   * until that returns true. The kernel has put the answer's first datagram
   * in the queue when send(2) returns and makes the next while one is read,
   * so this never waits.
   *
   * @param message One netlink message.
   * @param consume Gets a view that is valid during the call only; returns
   * whether the answer is complete.
   * @throws {SyscallError} EAGAIN when the answer ended too early; EMSGSIZE
   * when a datagram was larger than the buffer
   */
  request(
    message: Uint8Array<ArrayBuffer>,
    consume: (datagram: Uint8Array<ArrayBuffer>) => boolean,
  ): void {
    check(
      "send(AF_NETLINK)",
      libc().send(this.#fd.number, message, BigInt(message.length), 0),
    );
    try {
      while (!consume(this.#receive())) { /* next datagram */ }
    } catch (error) {
      this.#discard();
      throw error;
    }
  }

  /**
   * Joins multicast groups, and so turns the socket into a source of events
   * for {@linkcode NetlinkSocket.receive}. The groups of sock_diag are open to
   * every user.
   *
   * @param groups Group numbers (not bits).
   * @throws {SyscallError} such as EINVAL for a group the kernel lacks
   */
  subscribe(groups: readonly number[]): void {
    for (const group of groups) {
      check(
        "setsockopt(NETLINK_ADD_MEMBERSHIP)",
        this.#setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group),
      );
    }
  }

  /**
   * Makes room for `bytes` of events that were not yet received, beyond
   * net.core.rmem_max where the caller may (CAP_NET_ADMIN).
   *
   * @throws {SyscallError}
   */
  setReceiveBuffer(bytes: number): void {
    if (this.#setOption(SOL_SOCKET, SO_RCVBUFFORCE, bytes) === 0) return;
    check(
      "setsockopt(SO_RCVBUF)",
      this.#setOption(SOL_SOCKET, SO_RCVBUF, bytes),
    );
  }

  /**
   * Takes the next datagram if there is one, without waiting.
   *
   * @returns a view that is valid until the next call on this socket;
   * `undefined` when there is none; `"lost"`, once, after the kernel had to
   * drop some because the receive buffer was full
   * @throws {SyscallError} such as EMSGSIZE
   */
  receive(): Uint8Array<ArrayBuffer> | "lost" | undefined {
    const length = this.#tryReceive();
    if (length >= 0) return this.#buffer.subarray(0, length);
    switch (errno()) {
      case EAGAIN:
        return undefined;
      case ENOBUFS:
        return "lost";
      default:
        throw new SyscallError("recv(AF_NETLINK)", errno());
    }
  }

  /** Closes the socket; has no effect the second time. */
  close(): void {
    this.#fd.close();
  }

  /** Same as {@linkcode NetlinkSocket.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #receive(): Uint8Array<ArrayBuffer> {
    const length = check("recv(AF_NETLINK)", this.#tryReceive());
    return this.#buffer.subarray(0, length);
  }

  #tryReceive(): number {
    const length = libc().recv(
      this.#fd.number,
      this.#buffer,
      BigInt(BUFFER_LENGTH),
      MSG_DONTWAIT | MSG_TRUNC,
    );
    // MSG_TRUNC makes recv(2) tell the true length.
    if (length > BUFFER_LENGTH) {
      throw new SyscallError("recv(AF_NETLINK)", EMSGSIZE);
    }
    return length;
  }

  /**
   * Takes what is left of an answer: a dump that is not read to its end makes
   * the next one fail with EBUSY.
   */
  #discard(): void {
    while (
      libc().recv(
        this.#fd.number,
        this.#buffer,
        BigInt(BUFFER_LENGTH),
        MSG_DONTWAIT,
      ) > 0
    ) { /* next datagram */ }
  }

  #setOption(level: number, name: number, value: number): number {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    return libc().setsockopt(this.#fd.number, level, name, bytes, 4);
  }
}
