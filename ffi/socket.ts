/**
 * Sockets: options, names, and what identifies a socket in the kernel.
 *
 * Sources: socket(7), ip(7), ipv6(7), asm-generic/socket.h.
 *
 * @module
 */
import { check, Errno, errno, SyscallError } from "./errno.ts";
import { type Fd, ownFd } from "./fd.ts";
import { libc } from "./libc.ts";
import { cString } from "./memory.ts";
import {
  AF_INET,
  AF_INET6,
  emptyEndpoint,
  type Endpoint,
  readSockaddr,
  SOCKADDR_IN6_LENGTH,
} from "./sockaddr.ts";

/** SOCK_STREAM. */
export const SOCK_STREAM = 1;
/** SOCK_DGRAM. */
export const SOCK_DGRAM = 2;
/** SOCK_RAW. */
export const SOCK_RAW = 3;
/** SOCK_CLOEXEC. */
export const SOCK_CLOEXEC = 0o2000000;
/** SOL_SOCKET. */
export const SOL_SOCKET = 1;

const SO_TYPE = 3;
const SO_ERROR = 4;
const SO_ATTACH_FILTER = 26;
const SO_ACCEPTCONN = 30;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const SO_ATTACH_BPF = 50;
const SO_COOKIE = 57;
const SO_NETNS_COOKIE = 71;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** Opens a socket; see socket(2). */
export function openSocket(
  domain: number,
  type: number,
  protocol: number,
  name = "socket",
): Fd {
  return ownFd(name, libc().socket(domain, type | SOCK_CLOEXEC, protocol));
}

const intValue = new Int32Array(1);
const longValue = new BigUint64Array(1);
const intLength = Uint32Array.of(4);
const longLength = Uint32Array.of(8);

const protocolName = new Uint8Array(32);

/**
 * Name of the protocol of another process' socket, such as `TCP`, `UDPv6`,
 * `UNIX-STREAM`, without touching the socket (sockfs' extended attribute).
 *
 * @param path such as `/proc/PID/fd/3`
 * @returns undefined when it cannot be told
 */
export function socketProtocolName(path: string): string | undefined {
  const length = libc().getxattr(
    cString(path),
    cString("system.sockprotoname"),
    protocolName,
    BigInt(protocolName.length),
  );
  if (length <= 0) return undefined;
  return new TextDecoder().decode(protocolName.subarray(0, length - 1));
}

/** An integer option of a descriptor; -1 when it has none such. */
export function intOption(fd: number, level: number, name: number): number {
  intLength[0] = 4;
  return libc().getsockopt(fd, level, name, intValue, intLength) < 0
    ? -1
    : intValue[0]!;
}

/** A 64-bit option; 0 when it cannot be had. */
function longOption(fd: number, level: number, name: number): bigint {
  longLength[0] = 8;
  return libc().getsockopt(fd, level, name, longValue, longLength) < 0
    ? 0n
    : longValue[0]!;
}

/** The error that waits on a socket, which is forgotten with it; or 0. */
export function takeSocketError(fd: number): number {
  return intOption(fd, SOL_SOCKET, SO_ERROR);
}

/**
 * Sets an integer option.
 *
 * @throws {SyscallError}
 */
export function setIntOption(
  fd: number,
  level: number,
  name: number,
  value: number,
  what = "setsockopt",
): void {
  check(what, libc().setsockopt(fd, level, name, Int32Array.of(value), 4));
}

/**
 * Attaches a classic BPF program; replaces the one before at once.
 *
 * @param program struct sock_filter[], 8 bytes an instruction
 * @returns 0, or the errno value: ENOMEM where the program is too big for
 * net.core.optmem_max or replaced faster than the kernel frees memory
 */
export function attachFilter(
  fd: number,
  program: Uint8Array<ArrayBuffer>,
): number {
  // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
  const fprog = new BigUint64Array(2);
  fprog[0] = BigInt(program.length / 8);
  fprog[1] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(program));
  const result = libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog, 16);
  return result < 0 ? errno() : 0;
}

/**
 * Attaches a loaded eBPF socket filter.
 *
 * @throws {SyscallError}
 */
export function attachBpf(fd: number, programFd: number): void {
  setIntOption(fd, SOL_SOCKET, SO_ATTACH_BPF, programFd, "SO_ATTACH_BPF");
}

const nameBytes = new Uint8Array(SOCKADDR_IN6_LENGTH);
const nameLength = Uint32Array.of(SOCKADDR_IN6_LENGTH);

/** Local endpoint into `endpoint`; false when it is not an Internet socket. */
export function readLocalName(fd: number, endpoint: Endpoint): boolean {
  nameLength[0] = SOCKADDR_IN6_LENGTH;
  if (libc().getsockname(fd, nameBytes, nameLength) < 0) return false;
  return readSockaddr(nameBytes, nameLength[0]!, endpoint);
}

/** Remote endpoint into `endpoint`; false when it is not connected. */
export function readPeerName(fd: number, endpoint: Endpoint): boolean {
  nameLength[0] = SOCKADDR_IN6_LENGTH;
  if (libc().getpeername(fd, nameBytes, nameLength) < 0) {
    if (errno() !== Errno.ENOTCONN) endpoint.family = 0;
    endpoint.port = 0;
    endpoint.address.fill(0);
    return false;
  }
  return readSockaddr(nameBytes, nameLength[0]!, endpoint);
}

/** IPPROTO_TCP. */
export const IPPROTO_TCP = 6;
/** IPPROTO_UDP. */
export const IPPROTO_UDP = 17;
/** IPPROTO_UDPLITE. */
export const IPPROTO_UDPLITE = 136;

const TCP_INFO = 11;
const TCP_CLOSE = 7;
const tcpInfo = new Uint8Array(8);

/** Whether a TCP socket is neither connected nor connecting nor closing. */
export function isTcpClosed(fd: number): boolean {
  intLength[0] = tcpInfo.length;
  // struct tcp_info begins with tcpi_state.
  return libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, tcpInfo, intLength) < 0 ||
    tcpInfo[0] === TCP_CLOSE;
}

/** A TCP, UDP or UDP-Lite socket as the kernel describes it at one moment. */
export interface SocketState {
  /** SO_COOKIE: never reused while the machine runs. */
  cookie: bigint;
  /** SO_NETNS_COOKIE, 0 where the kernel (before 5.14) does not tell. */
  netns: bigint;
  /** IPPROTO_TCP, IPPROTO_UDP or IPPROTO_UDPLITE. */
  protocol: number;
  /** AF_INET or AF_INET6. */
  family: number;
  /** IPV6_V6ONLY: does not take part in IPv4. */
  v6Only: boolean;
  /** SO_ACCEPTCONN: a listening TCP socket. */
  listening: boolean;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** A state with nothing in it, to be filled by {@linkcode readSocketState}. */
export function emptySocketState(): SocketState {
  return {
    cookie: 0n,
    netns: 0n,
    protocol: 0,
    family: 0,
    v6Only: false,
    listening: false,
    local: emptyEndpoint(),
    remote: emptyEndpoint(),
  };
}

/**
 * Reads what identifies the socket behind a descriptor of ours.
 *
 * @returns false when it is no Internet socket, or of another protocol
 */
export function readSocketState(fd: number, state: SocketState): boolean {
  const family = intOption(fd, SOL_SOCKET, SO_DOMAIN);
  if (family !== AF_INET && family !== AF_INET6) return false;
  const type = intOption(fd, SOL_SOCKET, SO_TYPE);
  const protocol = intOption(fd, SOL_SOCKET, SO_PROTOCOL);
  if (type !== SOCK_STREAM && type !== SOCK_DGRAM) return false;
  if (!isFollowed(protocol)) return false;
  state.family = family;
  state.protocol = protocol;
  state.cookie = longOption(fd, SOL_SOCKET, SO_COOKIE);
  state.netns = longOption(fd, SOL_SOCKET, SO_NETNS_COOKIE);
  state.v6Only = family === AF_INET6 &&
    intOption(fd, IPPROTO_IPV6, IPV6_V6ONLY) === 1;
  state.listening = protocol === IPPROTO_TCP &&
    intOption(fd, SOL_SOCKET, SO_ACCEPTCONN) === 1;
  readSocketNames(fd, state);
  return true;
}

function isFollowed(protocol: number): boolean {
  return protocol === IPPROTO_TCP || protocol === IPPROTO_UDP ||
    protocol === IPPROTO_UDPLITE;
}

/** Protocols that are not followed, though their packets are TCP. */
const OTHER_PROTOCOLS: Readonly<Record<number, string>> = {
  262: "MPTCP",
};

/** Name of a descriptor's protocol if it is one that is not followed. */
export function otherProtocol(fd: number): string | undefined {
  return OTHER_PROTOCOLS[intOption(fd, SOL_SOCKET, SO_PROTOCOL)];
}

/** Reads the two names again; they change with bind, connect and sending. */
export function readSocketNames(fd: number, state: SocketState): void {
  readLocalName(fd, state.local);
  readPeerName(fd, state.remote);
}

/**
 * Cookie of the network namespace of the calling process; 0 where the kernel
 * does not tell. Requires Linux 5.14.
 */
export function ownNetnsCookie(): bigint {
  using socket = openSocket(AF_INET, SOCK_DGRAM, 0);
  return longOption(socket.number, SOL_SOCKET, SO_NETNS_COOKIE);
}

/**
 * Binds to an address given as bytes.
 *
 * @throws {SyscallError}
 */
export function bindSocket(fd: number, address: Uint8Array<ArrayBuffer>): void {
  if (libc().bind(fd, address, address.length) < 0) {
    throw new SyscallError("bind", errno());
  }
}
