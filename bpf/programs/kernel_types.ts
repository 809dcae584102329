/**
 * What the programs need to know about the running kernel's structures.
 *
 * @module
 */

import type { BtfName } from "../btf/names.ts";
import type { Btf } from "../btf/reader.ts";

/** Tracepoints that programs are attached to. */
export const TRACEPOINTS = [
  "sched_process_fork",
  "sched_process_exec",
  "sched_process_exit",
  "inet_sock_set_state",
  "net_dev_queue",
  "sys_exit",
  "tcp_retransmit_skb",
] as const;

/** Name of a tracepoint. */
export type Tracepoint = typeof TRACEPOINTS[number];

/** Functions that programs are attached to. */
export const FUNCTIONS = [
  "tcp_connect",
  "inet_csk_accept",
  "inet_csk_get_port",
  "udp_lib_get_port",
  "inet_release",
  "bpf_iter_task",
  "bpf_iter_task_file",
] as const;

/** Name of a function. */
export type KernelFunction = typeof FUNCTIONS[number];

const STRUCTS = [
  "task_struct",
  "mm_struct",
  "signal_struct",
  "sock",
  "sock_common",
  "tcp_sock",
  "sk_buff",
  "socket",
  "net",
  "nsproxy",
  "pid",
  "pt_regs",
  "files_struct",
  "fdtable",
  "file",
  "inode",
  "cred",
  "css_set",
  "cgroup",
  "kernfs_node",
] as const;

/** Names to look for when the kernel's BTF is read. */
export const KERNEL_NAMES: readonly BtfName[] = [
  ...TRACEPOINTS.map((name): BtfName => ({
    kind: "TYPEDEF",
    name: tracepointType(name),
  })),
  ...FUNCTIONS.map((name): BtfName => ({ kind: "FUNC", name })),
  ...STRUCTS.map((name): BtfName => ({ kind: "STRUCT", name })),
];

/** Byte offsets of members, and how hooks are found. */
export class KernelTypes {
  readonly #btf: Btf;

  /** Takes BTF that was read for {@linkcode KERNEL_NAMES}. */
  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /**
   * Byte offset of a member.
   *
   * @throws {RangeError} when this kernel has no such member
   */
  offset(struct: typeof STRUCTS[number], path: string): number {
    const offset = this.optionalOffset(struct, path);
    if (offset === undefined) {
      throw new RangeError(
        `Cannot find member ${path} of struct ${struct} in this kernel`,
      );
    }
    return offset;
  }

  /** As {@linkcode KernelTypes.offset}, `undefined` when it is missing. */
  optionalOffset(
    struct: typeof STRUCTS[number],
    path: string,
  ): number | undefined {
    const member = this.#btf.member(struct, path);
    return member === undefined || member.bits > 0 ? undefined : member.offset;
  }

  /**
   * BTF id of a tracepoint.
   *
   * @throws {RangeError} when this kernel has no such tracepoint
   */
  tracepoint(name: Tracepoint): number {
    return this.#required(
      this.#btf.id("TYPEDEF", tracepointType(name)),
      `tracepoint ${name}`,
    );
  }

  /**
   * BTF id of a function.
   *
   * @throws {RangeError} when this kernel has no such function
   */
  function(name: KernelFunction): number {
    return this.#required(this.#btf.id("FUNC", name), `function ${name}`);
  }

  /** Arguments of a function; its result stands behind them. */
  argumentCount(name: KernelFunction): number {
    return this.#required(
      this.#btf.argumentCount(name),
      `prototype of function ${name}`,
    );
  }

  #required(value: number | undefined, what: string): number {
    if (value === undefined) {
      throw new RangeError(`Cannot find ${what} in this kernel`);
    }
    return value;
  }
}

function tracepointType(name: Tracepoint): string {
  return `btf_trace_${name}`;
}
