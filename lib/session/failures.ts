/**
 * Turns what the kernel refuses into sentences that say what to do.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import { readComm } from "../proc/comm.ts";
import { isKernelThread } from "../proc/kernel_thread.ts";
import { readProcText } from "../proc/read.ts";
import { readStatus } from "../proc/status.ts";
import { executableCandidates } from "../trace/executable.ts";
import { LaunchError } from "../trace/launcher.ts";
import { CaptureError } from "./types.ts";

const ENOENT = 2;
const ENOTDIR = 20;

/** Capabilities by bit number, linux/capability.h. */
const CAP_NET_RAW = 13;
const CAP_SYS_PTRACE = 19;

/** The line that gives an executable the rights to capture. */
function setcapHint(): string {
  const program = Deno.execPath();
  return `Run it as root, or once: sudo setcap ` +
    `cap_net_raw,cap_sys_ptrace,cap_net_admin+ep ${program}`;
}

function hasCapability(bit: number): boolean {
  const { capEff } = readStatus(Deno.pid) ?? { capEff: 0n };
  return (capEff >> BigInt(bit) & 1n) === 1n;
}

/** Why no packets can be captured. */
export function packetSocketFailure(error: unknown): CaptureError {
  if (error instanceof SyscallError) {
    if (error.code === "EPERM" || !hasCapability(CAP_NET_RAW)) {
      return new CaptureError(
        "permission",
        "Cannot capture packets: the right CAP_NET_RAW is missing",
        { hint: setcapHint(), cause: error },
      );
    }
    if (error.code === "ENOMEM") {
      return new CaptureError(
        "unsupported",
        "Cannot capture packets: no memory for the packet buffer",
        { hint: "Ask for a smaller one with --buffer-size", cause: error },
      );
    }
  }
  return new CaptureError(
    "unsupported",
    `Cannot capture packets: ${text(error)}`,
    { cause: error },
  );
}

/** Why a command cannot be started. */
export function launchFailure(command: string, error: unknown): CaptureError {
  if (error instanceof LaunchError && error.errno !== 0) {
    const missing = error.errno === ENOENT || error.errno === ENOTDIR;
    return new CaptureError(
      missing ? "not-found" : "not-executable",
      error.message,
      { cause: error },
    );
  }
  if (error instanceof SyscallError && error.code === "EPERM") {
    const tracer = readStatus(Deno.pid)?.tracerPid ?? 0;
    if (tracer !== 0) {
      return new CaptureError(
        "already-traced",
        `Cannot trace ${command}: this program is being traced by process ${
          named(tracer)
        }`,
        { hint: "Run tracedump outside of the debugger", cause: error },
      );
    }
    return new CaptureError(
      "permission",
      `Cannot trace ${command}: ptrace is not permitted here`,
      { hint: setcapHint(), cause: error },
    );
  }
  return new CaptureError(
    "unsupported",
    `Cannot start ${command}: ${text(error)}`,
    { cause: error },
  );
}

/**
 * Why a process cannot be attached to, told before anything is done to it.
 *
 * @returns undefined when nothing speaks against it
 */
export function processProblem(pid: number): CaptureError | undefined {
  const status = readStatus(pid);
  if (status === undefined || status.state === "X") {
    return new CaptureError("no-process", `No process ${pid}`, {
      hint: "List processes with ps -e",
    });
  }
  if (status.state === "Z") {
    return new CaptureError(
      "no-process",
      `Process ${named(pid)} has ended already (zombie)`,
    );
  }
  if (status.tgid !== pid) {
    return new CaptureError(
      "no-process",
      `${pid} is a thread of process ${named(status.tgid)}`,
      { hint: `Capture process ${status.tgid}: all of its threads are seen` },
    );
  }
  if (isKernelThread(pid)) {
    return new CaptureError(
      "kernel-thread",
      `Cannot attach to process ${named(pid)}: it is a kernel thread`,
    );
  }
  if (pid === Deno.pid) {
    return new CaptureError(
      "unsupported",
      `Cannot attach to process ${pid}: it is this program itself`,
    );
  }
  return undefined;
}

/** Why a process cannot be traced by us: it has a tracer already. */
export function tracerProblem(pid: number): CaptureError | undefined {
  const tracer = readStatus(pid)?.tracerPid ?? 0;
  return tracer === 0 ? undefined : alreadyTraced(pid, tracer);
}

/** Why ptrace(PTRACE_SEIZE) was refused. */
export function seizeFailure(pid: number, error: SyscallError): CaptureError {
  const problem = processProblem(pid) ?? tracerProblem(pid);
  if (problem !== undefined) return problem;
  const scope = readProcText("/proc/sys/kernel/yama/ptrace_scope")?.trim();
  if (!hasCapability(CAP_SYS_PTRACE)) {
    const yama = scope !== undefined && scope !== "0"
      ? ` (kernel.yama.ptrace_scope is ${scope})`
      : "";
    return new CaptureError(
      "permission",
      `Cannot attach to process ${
        named(pid)
      }: the right CAP_SYS_PTRACE is missing${yama}`,
      { hint: setcapHint(), cause: error },
    );
  }
  return new CaptureError(
    "permission",
    `Cannot attach to process ${named(pid)}: ${error.message}`,
    {
      ...(scope === "3"
        ? { hint: "kernel.yama.ptrace_scope is 3: nobody may trace" }
        : {}),
      cause: error,
    },
  );
}

function alreadyTraced(pid: number, tracer: number): CaptureError {
  return new CaptureError(
    "already-traced",
    `Cannot attach to process ${named(pid)}: it is being traced by process ${
      named(tracer)
    }`,
    { hint: "A process can have one tracer only; end the other one first" },
  );
}

function named(pid: number): string {
  const comm = readComm(pid);
  return comm === undefined ? `${pid}` : `${pid} (${comm})`;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Why a command cannot be started, told before anything is opened; the last
 * word has execve(2).
 */
export function commandProblem(command: string): CaptureError | undefined {
  const found = executableCandidates(command).some((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch (error) {
      // A folder that cannot be searched says nothing about the file.
      return error instanceof Deno.errors.PermissionDenied;
    }
  });
  if (found || command.includes("/") && isFolder(command)) return undefined;
  return new CaptureError(
    "not-found",
    `Cannot run ${JSON.stringify(command)}: command not found`,
  );
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
