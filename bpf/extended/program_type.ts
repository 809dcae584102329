/**
 * Kinds of programs and the places where they are attached, as bpf(2) numbers
 * them (`enum bpf_prog_type`, `enum bpf_attach_type`).
 *
 * @module
 */

/** `BPF_PROG_TYPE_…` */
export const PROGRAM_TYPE = {
  SOCKET_FILTER: 1,
  CGROUP_SKB: 8,
  CGROUP_SOCK: 9,
  SOCK_OPS: 13,
  RAW_TRACEPOINT: 17,
  CGROUP_SOCK_ADDR: 18,
  TRACING: 26,
} as const;

/** A kind of program. */
export type ProgramType = keyof typeof PROGRAM_TYPE;

/** Attach types that programs here use; `BPF_…` or `BPF_CGROUP_…`. */
export const ATTACH_TYPE = {
  CGROUP_INET_EGRESS: 1,
  CGROUP_INET_SOCK_CREATE: 2,
  CGROUP_SOCK_OPS: 3,
  CGROUP_INET4_BIND: 8,
  CGROUP_INET6_BIND: 9,
  CGROUP_INET4_CONNECT: 10,
  CGROUP_INET6_CONNECT: 11,
  CGROUP_INET4_POST_BIND: 12,
  CGROUP_INET6_POST_BIND: 13,
  CGROUP_UDP4_SENDMSG: 14,
  CGROUP_UDP6_SENDMSG: 15,
  TRACE_RAW_TP: 23,
  TRACE_FENTRY: 24,
  TRACE_FEXIT: 25,
  TRACE_ITER: 28,
  CGROUP_INET4_GETSOCKNAME: 31,
  CGROUP_INET6_GETSOCKNAME: 32,
  CGROUP_INET_SOCK_RELEASE: 34,
} as const;

/** Name of an attach type. */
export type AttachType = keyof typeof ATTACH_TYPE;
