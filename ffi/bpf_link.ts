/**
 * Attaching programs. Links only: they end with their descriptor, so a killed
 * process leaves nothing attached.
 *
 * @module
 */
import { BpfAttr, bpfCreate } from "./bpf.ts";
import type { BpfProgram } from "./bpf_program.ts";
import type { Fd } from "./fd.ts";
import { libc } from "./libc.ts";
import { cString } from "./memory.ts";

/** One attachment of a program; closing it detaches. */
export class BpfLink implements Disposable {
  /** Name of the attached program. */
  readonly program: string;
  readonly #fd: Fd;
  readonly #traced: BpfProgram | undefined;

  /**
   * Takes ownership of a link's descriptor.
   *
   * @param traced a tracing program, which is the link's, too
   */
  constructor(program: string, fd: Fd, traced?: BpfProgram) {
    this.program = program;
    this.#fd = fd;
    this.#traced = traced;
  }

  /** See {@linkcode BpfProgram.missedRuns}; 0 for others than tracing programs. */
  missedRuns(): number {
    return this.#traced?.missedRuns() ?? 0;
  }

  /** The link's descriptor. */
  get fd(): number {
    return this.#fd.number;
  }

  /** Detaches the program. */
  close(): void {
    this.#fd.close();
    this.#traced?.close();
  }

  /** Same as {@linkcode BpfLink.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Attaches a program to a cgroup, beside the programs that are there.
 * Requires kernel 5.7.
 *
 * @throws {SyscallError}
 */
export function attachToCgroup(
  program: BpfProgram,
  cgroupFd: number,
  attachType: number,
): BpfLink {
  // 0 prog_fd · 4 target_fd · 8 attach_type · 12 flags
  const attr = new BpfAttr(16)
    .u32(0, program.fd)
    .u32(4, cgroupFd)
    .u32(8, attachType);
  const fd = bpfCreate("LINK_CREATE", attr, `program "${program.name}"`);
  return new BpfLink(program.name, fd);
}

/**
 * Attaches a tracing program to the place that it was loaded for, or a program
 * for raw tracepoints to one of them.
 *
 * Trampolines (fentry, fexit) may take hundreds of milliseconds to attach and
 * to detach; tracepoints do not.
 *
 * @param program is the link's from now on
 * @param tracepoint Name of the raw tracepoint, if it is one.
 * @throws {SyscallError}
 */
export function attachTracing(
  program: BpfProgram,
  tracepoint?: string,
): BpfLink {
  // 0 name (null) · 8 prog_fd
  const attr = new BpfAttr(16).u32(8, program.fd);
  if (tracepoint !== undefined) attr.buffer(0, cString(tracepoint));
  const detail = `program "${program.name}"`;
  try {
    const fd = bpfCreate("RAW_TRACEPOINT_OPEN", attr, detail);
    return new BpfLink(program.name, fd, program);
  } catch (error) {
    program.close();
    throw error;
  }
}

/** Bytes read from an iterator at a time. */
const CHUNK = 1 << 16;

/**
 * Runs an iterator program over all of its objects and returns what it wrote.
 * Requires kernel 5.8.
 *
 * @throws {SyscallError}
 */
export function runIterator(program: BpfProgram): Uint8Array<ArrayBuffer> {
  const detail = `program "${program.name}"`;
  // 0 prog_fd · 4 target_fd · 8 attach_type (BPF_TRACE_ITER)
  const create = new BpfAttr(16).u32(0, program.fd).u32(8, BPF_TRACE_ITER);
  using link = bpfCreate("LINK_CREATE", create, detail);
  // 0 link_fd · 4 flags
  const open = new BpfAttr(8).u32(0, link.number);
  using iterator = bpfCreate("ITER_CREATE", open, detail);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK);
    const length = libc().read(iterator.number, chunk, BigInt(CHUNK));
    if (length <= 0) break;
    chunks.push(chunk.subarray(0, length));
    total += length;
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

const BPF_TRACE_ITER = 28;
