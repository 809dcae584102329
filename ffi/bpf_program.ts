/**
 * BPF programs: loading, running on test data.
 *
 * Source: include/uapi/linux/bpf.h, bpf(2).
 *
 * @module
 */
import { bpf, BpfAttr, BpfCommand, bpfCreate, bpfError } from "./bpf.ts";
import { errnoName, SyscallError } from "./errno.ts";
import type { Fd } from "./fd.ts";
import { cString } from "./memory.ts";

/** What a program is made of. */
export interface ProgramOptions {
  /** At most 15 letters, digits, `_` and `.`. */
  readonly name: string;
  /** `BPF_PROG_TYPE_…`. */
  readonly type: number;
  /** `BPF_…` attach type, for the kinds that are checked against one. */
  readonly expectedAttachType?: number;
  /** BTF id of the kernel function or tracepoint, for tracing programs. */
  readonly attachBtfId?: number;
  /** Instructions with the maps' descriptors filled in. */
  readonly instructions: Uint8Array<ArrayBuffer>;
}

// union bpf_attr of BPF_PROG_LOAD
const LOAD = {
  type: 0,
  count: 4,
  instructions: 8,
  license: 16,
  logLevel: 24,
  logSize: 28,
  logBuffer: 32,
  name: 48,
  expectedAttachType: 68,
  attachBtfId: 108,
  length: 112,
} as const;

// union bpf_attr of BPF_PROG_TEST_RUN
const TEST = {
  fd: 0,
  result: 4,
  dataSizeIn: 8,
  dataIn: 16,
  repeat: 32,
  duration: 36,
  contextSizeIn: 40,
  contextIn: 48,
  length: 72,
} as const;

// union bpf_attr of BPF_OBJ_GET_INFO_BY_FD
const INFO_REQUEST = { fd: 0, length: 4, info: 8, size: 16 } as const;

// struct bpf_prog_info
const INFO = { recursionMisses: 208, length: 216 } as const;

const INSTRUCTION_SIZE = 8;
const LOG_SIZE = 1 << 20;

/** Lines of the verifier's log that go into a message. */
const LOG_LINES = 6;

/** Helpers that these programs call are only for programs under the GPL. */
const LICENSE = "GPL";

/** The kernel refused a program. */
export class ProgramLoadError extends Error {
  /** Name of the class. */
  override readonly name = "ProgramLoadError";
  /** Name of the program. */
  readonly program: string;
  /** errno value. */
  readonly errno: number;
  /** errno name, such as `EACCES`. */
  readonly code: string;
  /** What the verifier wrote; empty where it did not get that far. */
  readonly log: string;

  /** Makes the error from the failed call and the log. */
  constructor(program: string, cause: SyscallError, log: string) {
    super(
      `Cannot load eBPF program "${program}": ` +
        `${cause.syscall} failed with ${errnoName(cause.errno)}` +
        lastLines(log),
      { cause },
    );
    this.program = program;
    this.errno = cause.errno;
    this.code = cause.code;
    this.log = log;
  }
}

/** Result of a test run. */
export interface TestRun {
  /** What the program returned. */
  readonly result: number;
  /** Nanoseconds of one run, the mean of all. */
  readonly duration: number;
}

/** A loaded program. */
export class BpfProgram implements Disposable {
  /** Name, for messages. */
  readonly name: string;
  readonly #fd: Fd;

  /**
   * Loads a program; the kernel verifies it.
   *
   * @throws {ProgramLoadError} with the verifier's last lines
   */
  constructor(options: ProgramOptions) {
    this.name = options.name;
    const attr = loadAttr(options);
    try {
      this.#fd = bpfCreate("PROG_LOAD", attr);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      throw new ProgramLoadError(options.name, error, verifierLog(options));
    }
  }

  /** The program's descriptor. */
  get fd(): number {
    return this.#fd.number;
  }

  /**
   * Runs the program on data as if it were a packet that begins with an
   * Ethernet header.
   *
   * @param data At least 14 bytes.
   * @param options How often, and fields of the context (`struct __sk_buff`).
   * @throws {SyscallError}
   */
  testRun(
    data: Uint8Array<ArrayBuffer>,
    options: { repeat?: number; context?: Uint8Array<ArrayBuffer> } = {},
  ): TestRun {
    const attr = new BpfAttr(TEST.length)
      .u32(TEST.fd, this.fd)
      .u32(TEST.dataSizeIn, data.length)
      .buffer(TEST.dataIn, data)
      .u32(TEST.repeat, options.repeat ?? 1);
    if (options.context !== undefined) {
      attr.u32(TEST.contextSizeIn, options.context.length)
        .buffer(TEST.contextIn, options.context);
    }
    if (bpf(BpfCommand.PROG_TEST_RUN, attr) < 0) {
      throw bpfError("PROG_TEST_RUN", `program "${this.name}"`);
    }
    return {
      result: attr.read(TEST.result),
      duration: attr.read(TEST.duration),
    };
  }

  /**
   * How often the kernel left the program out, because it was interrupted on
   * the same processor and would have run once more meanwhile. 0 before kernel
   * 5.12, which does not tell.
   *
   * @throws {SyscallError}
   */
  missedRuns(): number {
    const info = new Uint8Array(INFO.length);
    const attr = new BpfAttr(INFO_REQUEST.size)
      .u32(INFO_REQUEST.fd, this.fd)
      .u32(INFO_REQUEST.length, info.length)
      .buffer(INFO_REQUEST.info, info);
    if (bpf(BpfCommand.OBJ_GET_INFO_BY_FD, attr) < 0) {
      throw bpfError("OBJ_GET_INFO_BY_FD", `program "${this.name}"`);
    }
    return new DataView(info.buffer).getUint32(INFO.recursionMisses, true);
  }

  /** Closes the descriptor; attached programs stay while their link lives. */
  close(): void {
    this.#fd.close();
  }

  /** Same as {@linkcode BpfProgram.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function loadAttr(options: ProgramOptions): BpfAttr {
  const { instructions } = options;
  return new BpfAttr(LOAD.length)
    .u32(LOAD.type, options.type)
    .u32(LOAD.count, instructions.length / INSTRUCTION_SIZE)
    .buffer(LOAD.instructions, instructions)
    .buffer(LOAD.license, cString(LICENSE))
    .name(LOAD.name, options.name)
    .u32(LOAD.expectedAttachType, options.expectedAttachType ?? 0)
    .u32(LOAD.attachBtfId, options.attachBtfId ?? 0);
}

/** Loads once more, with a log: writing one makes loading slower. */
function verifierLog(options: ProgramOptions): string {
  const log = new Uint8Array(LOG_SIZE);
  const attr = loadAttr(options)
    .u32(LOAD.logLevel, 1)
    .u32(LOAD.logSize, LOG_SIZE)
    .buffer(LOAD.logBuffer, log);
  try {
    bpfCreate("PROG_LOAD", attr).close();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
  const end = log.indexOf(0);
  return new TextDecoder().decode(log.subarray(0, Math.max(end, 0))).trimEnd();
}

function lastLines(log: string): string {
  const lines = log.split("\n")
    .filter((line) => line !== "" && !line.startsWith("processed "));
  return lines.length === 0 ? "" : `: ${lines.slice(-LOG_LINES).join("; ")}`;
}
