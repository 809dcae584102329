/**
 * Layouts of everything that the programs in the kernel and user space share:
 * keys and values of maps, and the records of the event ring.
 *
 * Numbers are little-endian unless "network order" is said. Addresses are
 * always 16 bytes: IPv4 is kept v4-mapped (RFC 4291 2.5.5.2), as it is on the
 * wire, whatever the family of the socket.
 *
 * @module
 */

/** Names of the maps. */
export const MAP = {
  /** Connections whose packets are wanted; {@linkcode CONNECTION_KEY}. */
  connections: "conns",
  /** Local ports whose packets are wanted; {@linkcode portKey}. */
  ports: "ports",
  /** Local ports that any rule ever named; {@linkcode portIndex}. */
  usedPorts: "used_ports",
  /** Remote ends of calls under way; {@linkcode REMOTE_KEY}. */
  remotes: "remotes",
  /** Fragmented packets of late; {@linkcode FRAGMENT_KEY}. */
  fragments: "fragments",
  /** Settings of the filter; {@linkcode CONFIG}. */
  config: "config",
  /** Processes that are followed; the key is the process id, 32 bits. */
  targets: "targets",
  /** Who owns a socket; {@linkcode MARK}, stored with the socket. */
  marks: "marks",
  /** The same by the address of `struct sock`, where that is not possible. */
  socks: "socks",
  /** Records for user space; {@linkcode EVENT}. */
  events: "events",
  /** Counters of the tracker; {@linkcode COUNTERS}. */
  counters: "counters",
} as const;

/** Name of a map. */
export type MapName = typeof MAP[keyof typeof MAP];

/**
 * Key of `conns`: one connection, seen from the side of the program.
 *
 * ```text
 *  0                16                32       34       36        40
 * +----------------+-----------------+--------+--------+----------+
 * | local address  | remote address  | l.port | r.port | protocol |
 * +----------------+-----------------+--------+--------+----------+
 *                                     network order      u32
 * ```
 */
export const CONNECTION_KEY = {
  local: 0,
  remote: 16,
  localPort: 32,
  remotePort: 34,
  protocol: 36,
  size: 40,
} as const;

/** Value of `conns`. */
export const CONNECTION = {
  /** u64, CLOCK_MONOTONIC when the connection ended; 0 while it lives. */
  closed: 0,
  /** u64, cookie of the network namespace; 0 where it is not known. */
  netns: 8,
  /**
   * u64, cookie of the socket; 0 where user space added the rule, and where it
   * is not the last one that had the rule.
   */
  cookie: 16,
  /** u32, process that owns the socket. */
  tgid: 24,
  /** u32, its thread. */
  tid: 28,
  /**
   * u64, further connections between the same ends, in other namespaces: the
   * rule lives until the last one has ended.
   */
  others: 32,
  size: 40,
} as const;

/**
 * Entries of the array `used_ports`: one for each port of TCP and UDP-Lite,
 * then of UDP.
 * An entry is 1 once a rule named the port, and stays so; most packets and
 * sockets of other programs are recognized by a 0. Looking into an array is
 * not even a call, looking into a hash takes tens of nanoseconds.
 */
export const USED_PORTS = 0x2_0000;

/** Bytes of a value of `used_ports`, and their distance in memory. */
export const USED_PORT_SIZE = 8;

/** Cuts a key of `ports` to its index in `used_ports`: only 17 is odd. */
export const USED_PORTS_MASK = USED_PORTS - 1;

/** Bytes of a key of `ports`; see {@linkcode portKey}. */
export const PORT_KEY_SIZE = 4;

/** Value of `ports`. */
export const PORT = {
  /** u32, sockets of the program that hold the port. */
  sockets: 0,
  /** u32, process that held it first; 0 where user space added the rule. */
  owner: 4,
  /** u64, CLOCK_MONOTONIC when the last one let go of it. */
  closed: 8,
  size: 16,
} as const;

/**
 * Key of `remotes`: the remote end of a call whose local port is not known
 * yet. Used where user space, not the kernel, follows the calls.
 */
export const REMOTE_KEY = {
  address: 0,
  /** Network order. */
  port: 16,
  /** u16. */
  protocol: 18,
  size: 20,
} as const;

/** Bytes of a value of `remotes`: u32, calls under way. */
export const REMOTE_VALUE_SIZE = 4;

/**
 * Key of `fragments`: what the fragments of one packet have in common (RFC
 * 791 3.2, RFC 8200 4.5), and which of the copies on the loopback interface.
 */
export const FRAGMENT_KEY = {
  source: 0,
  destination: 16,
  /** Network order; 16 bits for IPv4. */
  identification: 32,
  protocol: 36,
  /** u8, 1 for packets that are sent. */
  outgoing: 37,
  size: 40,
} as const;

/** Value of `fragments`: what became of the first one, which has the ports. */
export const FRAGMENT_VERDICT = {
  /** u64, CLOCK_MONOTONIC of the first fragment. */
  time: 0,
  /** u64, 1 when the packet is wanted, else 0. */
  wanted: 8,
  size: 16,
} as const;

/**
 * Nanoseconds that a foreign first fragment speaks for later ones: then its
 * identification may be another packet's.
 */
export const FRAGMENT_LIFETIME = 1_000_000_000;

/** The only value of `config`. */
export const CONFIG = {
  /** u32, bytes kept of a packet; 0 takes no packets at all. */
  snaplen: 0,
  /** u32, {@linkcode FILTER_FLAG}. */
  flags: 4,
  /** u32, index of the loopback interface. */
  loopback: 8,
  /** u64, nanoseconds that a closed connection is still wanted. */
  connectionLinger: 16,
  /** u64, nanoseconds that a port is still wanted without a socket. */
  portLinger: 24,
  /** u64, cookie of the network namespace of tracedump; 0 if not known. */
  netns: 32,
  size: 40,
} as const;

/** Bits of the filter's flags. */
export const FILTER_FLAG = {
  /** ICMP and ICMPv6 errors that quote a wanted packet. */
  ICMP: 1,
  /** All TCP packets. */
  ALL_TCP: 2,
  /** All UDP and UDP-Lite packets. */
  ALL_UDP: 4,
  /** `remotes` is in use. */
  REMOTES: 16,
} as const;

/** Bits of the values of `targets`. */
export const TARGET_FLAG = {
  /** The process is traced. */
  TRACED: 1,
  /** The process is not traced, but its children will be. */
  CHILDREN_ONLY: 2,
  /** Children are not traced. */
  NO_FOLLOW: 4,
  /** Children are traced, their children are not. */
  ONE_GENERATION: 8,
} as const;

/** Bytes of a value of `targets`. */
export const TARGET_VALUE_SIZE = 4;

/**
 * What is stored with each socket of the program. Sockets that a listener
 * accepts begin with a copy of the listener's mark.
 */
export const MARK = {
  /** u64, cookie of the socket that the mark was made for. */
  cookie: 0,
  /** u64, cookie of its network namespace; 0 where it is not known. */
  netns: 8,
  /** u32, process that made the socket. */
  tgid: 16,
  /** u32, thread that made the socket. */
  tid: 20,
  /** Its name, 16 bytes, NUL-terminated. */
  comm: 24,
  /** u32, key in `ports` that the socket counts for; 0 for none. */
  portKey: 40,
  /** u32, {@linkcode MARK_FLAG}. */
  flags: 44,
  size: 48,
} as const;

/** Bytes of a key of `socks`. */
export const SOCK_KEY_SIZE = 8;

/** Bits of a mark's flags. */
export const MARK_FLAG = {
  /** connect() was called and no packet was sent since. */
  REMOTE_CHANGED: 1,
} as const;

/** Length of a process name with its NUL (`TASK_COMM_LEN`). */
export const COMM_LENGTH = 16;

/**
 * The only value of `counters`: everything that can make the tracker miss
 * packets, u64 each.
 */
export const COUNTERS = {
  /** Records about sockets and processes that did not fit into the ring. */
  lostEvents: 0,
  /** Rules that did not fit into a map. */
  lostRules: 8,
  /** Sockets of the program that could not be remembered as such. */
  lostSockets: 16,
  /** Children of the program that could not be remembered as such. */
  lostProcesses: 24,
  size: 32,
} as const;

/** A record of the event ring. */
export const EVENT = {
  /** u64, nanoseconds of CLOCK_MONOTONIC. */
  time: 0,
  /** u64, SO_COOKIE of the socket; 0 for events of processes. */
  cookie: 8,
  /** u64, cookie of the network namespace; 0 where it is not known. */
  netns: 16,
  /** u32, {@linkcode EVENT_TYPE}. */
  type: 24,
  /** u32, process: owner of the socket, or the process itself. */
  tgid: 28,
  /** u32, thread. */
  tid: 32,
  /** u16, AF_INET or AF_INET6: family of the socket. */
  family: 36,
  /** u16, IPPROTO_TCP, IPPROTO_UDP or IPPROTO_UDPLITE. */
  protocol: 38,
  local: 40,
  remote: 56,
  /** u16, host order like every number here; 0 while not known. */
  localPort: 72,
  /** u16. */
  remotePort: 74,
  /** u32; the child's process id of a fork, the result of a call. */
  extra: 76,
  comm: 80,
  size: 96,
} as const;

/**
 * What follows {@linkcode EVENT} in the record of an `ARGUMENTS` event: as much
 * of the command line as fits, arguments with a NUL behind each. `extra` tells
 * its length, `tgid` the process; nothing else is set.
 */
export const ARGUMENTS_LENGTH = 512;

/**
 * Kinds of events. In another network namespace than tracedump's, CREATED and
 * EXECUTED wake the reader: it has to enter it.
 */
export const EVENT_TYPE = {
  /** A socket was made in another network namespace than `config` names. */
  CREATED: 1,
  /** A local address was given to a socket by bind(2). */
  BOUND: 2,
  /**
   * A connection begins (TCP: before the SYN; UDP: with the first packet).
   * A UDP socket that is not connected has no remote end here.
   */
  CONNECTED: 3,
  /** A TCP socket listens. */
  LISTENING: 4,
  /** A listening socket got a connection; the mark is the listener's. */
  ACCEPTED: 5,
  /**
   * The last descriptor was closed; `tgid`, `tid`, `comm` name who did. Of
   * the addresses only the ports are told: the local one where the socket
   * held it for itself, the remote one where it is connected. Not told of TCP
   * connections: {@linkcode EVENT_TYPE.CLOSED} is.
   */
  RELEASED: 6,
  /** A TCP connection has ended (state CLOSE). */
  CLOSED: 7,
  /** A process made a child; `extra` is the child. */
  FORKED: 8,
  /** A process runs another program; `comm` is the new name. */
  EXECUTED: 9,
  /** A process has ended. */
  EXITED: 10,
  /** The command line of the program that a process runs now. */
  ARGUMENTS: 11,
  /**
   * A socket that is not the program's got a local port that the program holds:
   * SO_REUSEPORT, another address, or another network namespace. Of its owner
   * nothing is told.
   */
  RIVAL: 12,
  /**
   * A call returned: connect(2) with its outcome, bind(2) and listen(2) that
   * failed. `extra` is the {@linkcode CALL} and its error. The ends are those
   * of the socket and, of connect and bind, the one that the call named.
   */
  RETURNED: 13,
} as const;

/** Calls whose results are told. */
export const CALL = { CONNECT: 1, BIND: 2, LISTEN: 3 } as const;

/** How far to shift a {@linkcode CALL}; below it is an errno value or 0. */
export const CALL_SHIFT = 16;

/** Name of a kind of event. */
export type EventTypeName = keyof typeof EVENT_TYPE;

/** Number of a kind of event. */
export type EventType = typeof EVENT_TYPE[EventTypeName];

/** An end of a connection. */
export interface AddressAndPort {
  /** 16 bytes, IPv4 v4-mapped. */
  readonly address: Uint8Array;
  /** Host order. */
  readonly port: number;
}

/** Writes a key of `conns`. */
export function writeConnectionKey(
  target: Uint8Array,
  protocol: number,
  local: AddressAndPort,
  remote: AddressAndPort,
): void {
  target.fill(0);
  target.set(local.address, CONNECTION_KEY.local);
  target.set(remote.address, CONNECTION_KEY.remote);
  writePort(target, CONNECTION_KEY.localPort, local.port);
  writePort(target, CONNECTION_KEY.remotePort, remote.port);
  target[CONNECTION_KEY.protocol] = protocol;
}

/** Key of `ports` as a number: protocol and local port. */
export function portKey(protocol: number, port: number): number {
  return (protocol << 16 | port) >>> 0;
}

/** Index in `used_ports`. */
export function portIndex(protocol: number, port: number): number {
  return portKey(protocol, port) & USED_PORTS_MASK;
}

/** Writes a key of `ports`. */
export function writePortKey(
  target: Uint8Array,
  protocol: number,
  port: number,
): void {
  target[0] = port & 0xff;
  target[1] = port >> 8;
  target[2] = protocol;
  target[3] = 0;
}

/** Writes a key of `remotes`. */
export function writeRemoteKey(
  target: Uint8Array,
  protocol: number,
  remote: AddressAndPort,
): void {
  target.set(remote.address, REMOTE_KEY.address);
  writePort(target, REMOTE_KEY.port, remote.port);
  target[REMOTE_KEY.protocol] = protocol;
  target[REMOTE_KEY.protocol + 1] = 0;
}

function writePort(target: Uint8Array, offset: number, port: number): void {
  target[offset] = port >> 8;
  target[offset + 1] = port & 0xff;
}
