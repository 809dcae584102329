/**
 * Fields of the context structures that r1 points to when a program begins.
 *
 * Offsets are those of `include/uapi/linux/bpf.h`: they never change, the
 * kernel translates each access. Only fields that programs here use or are
 * likely to use are listed.
 *
 * @module
 */

import type { Operation, Register } from "./instruction.ts";
import { load } from "./load_store.ts";
import type { Size } from "./opcodes.ts";

/** Place and width of a context field. */
export interface ContextField {
  /** Byte offset in the structure. */
  readonly offset: number;
  /** Width of a load. */
  readonly size: Size;
}

/**
 * `struct __sk_buff`: socket filters and cgroup skb programs.
 *
 * Socket filters may read all but the fields from `family` to `localPort`,
 * which belong to cgroup skb programs. At a packet socket's tap `sk` is always
 * null.
 */
export const SK_BUFF = {
  len: { offset: 0, size: "u32" },
  /** `PACKET_HOST` 0, BROADCAST 1, MULTICAST 2, OTHERHOST 3, OUTGOING 4. */
  pktType: { offset: 4, size: "u32" },
  mark: { offset: 8, size: "u32" },
  /** EtherType in network byte order. */
  protocol: { offset: 16, size: "u32" },
  vlanPresent: { offset: 20, size: "u32" },
  vlanTci: { offset: 24, size: "u32" },
  ifindex: { offset: 40, size: "u32" },
  hash: { offset: 68, size: "u32" },
  family: { offset: 88, size: "u32" },
  /** Network byte order. */
  remoteIp4: { offset: 92, size: "u32" },
  /** Network byte order. */
  localIp4: { offset: 96, size: "u32" },
  /** Four words in network byte order. */
  remoteIp6: { offset: 100, size: "u32" },
  /** Four words in network byte order. */
  localIp6: { offset: 116, size: "u32" },
  /** Network byte order in the upper half. */
  remotePort: { offset: 132, size: "u32" },
  /** Host byte order. */
  localPort: { offset: 136, size: "u32" },
  /** `struct bpf_sock *` or null. */
  sk: { offset: 168, size: "u64" },
} as const satisfies Record<string, ContextField>;

/**
 * `struct bpf_sock`: context of cgroup socket programs, and what `sk` fields
 * point to.
 */
export const SOCK = {
  boundDevIf: { offset: 0, size: "u32" },
  family: { offset: 4, size: "u32" },
  /** `SOCK_STREAM` 1, `SOCK_DGRAM` 2, `SOCK_RAW` 3. */
  type: { offset: 8, size: "u32" },
  protocol: { offset: 12, size: "u32" },
  mark: { offset: 16, size: "u32" },
  /** Network byte order; readable after bind only where this is the context. */
  srcIp4: { offset: 24, size: "u32" },
  /** Four words in network byte order; as `srcIp4`. */
  srcIp6: { offset: 28, size: "u32" },
  /** Host byte order; as `srcIp4`. */
  srcPort: { offset: 44, size: "u32" },
  /**
   * Network byte order in the lower half. Kernels before 5.18 refuse a load of
   * 16 bits.
   */
  dstPort: { offset: 48, size: "u32" },
  /** Network byte order. */
  dstIp4: { offset: 52, size: "u32" },
  /** Four words in network byte order. */
  dstIp6: { offset: 56, size: "u32" },
  state: { offset: 72, size: "u32" },
} as const satisfies Record<string, ContextField>;

/** `struct bpf_sock_ops`: TCP socket operations. */
export const SOCK_OPS = {
  op: { offset: 0, size: "u32" },
  family: { offset: 20, size: "u32" },
  /** Network byte order. */
  remoteIp4: { offset: 24, size: "u32" },
  /** Network byte order. */
  localIp4: { offset: 28, size: "u32" },
  /** Four words in network byte order. */
  remoteIp6: { offset: 32, size: "u32" },
  /** Four words in network byte order. */
  localIp6: { offset: 48, size: "u32" },
  /** Network byte order in the upper half. */
  remotePort: { offset: 64, size: "u32" },
  /** Host byte order. */
  localPort: { offset: 68, size: "u32" },
  isFullsock: { offset: 72, size: "u32" },
  state: { offset: 88, size: "u32" },
  /** `struct bpf_sock *` or null. */
  sk: { offset: 184, size: "u64" },
} as const satisfies Record<string, ContextField>;

/** Values of `SOCK_OPS.op` that programs here act on (`BPF_SOCK_OPS_…`). */
export const SOCK_OPS_OP = {
  /** Before the SYN is sent; the local port is chosen. */
  TCP_CONNECT_CB: 3,
  ACTIVE_ESTABLISHED_CB: 4,
  PASSIVE_ESTABLISHED_CB: 5,
  STATE_CB: 10,
  TCP_LISTEN_CB: 11,
} as const;

/** `struct bpf_sock_addr`: bind, connect, sendmsg, getsockname hooks. */
export const SOCK_ADDR = {
  userFamily: { offset: 0, size: "u32" },
  /** Network byte order. */
  userIp4: { offset: 4, size: "u32" },
  /** Four words in network byte order. */
  userIp6: { offset: 8, size: "u32" },
  /** Network byte order. */
  userPort: { offset: 24, size: "u32" },
  family: { offset: 28, size: "u32" },
  type: { offset: 32, size: "u32" },
  protocol: { offset: 36, size: "u32" },
  /** `struct bpf_sock *`. */
  sk: { offset: 64, size: "u64" },
} as const satisfies Record<string, ContextField>;

/** dst = field of the context that `context` points to */
export function loadField(
  dst: Register,
  context: Register,
  field: ContextField,
): Operation {
  return load(field.size, dst, context, field.offset);
}
