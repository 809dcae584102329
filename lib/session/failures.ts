/**
 * Turns what the kernel refuses into sentences that say what to do.
 *
 * @module
 */
import { SyscallError } from "../../ffi/errno.ts";
import { readComm } from "../proc/comm.ts";
import { isKernelThread } from "../proc/kernel_thread.ts";
import {
  parseDecimal,
  PROC_ROOT,
  ProcPermissionError,
  readProcText,
} from "../proc/read.ts";
import { type ProcessStatus, readStatus } from "../proc/status.ts";
import { executableCandidates } from "../trace/executable.ts";
import { LaunchError } from "../trace/launcher.ts";
import { has, readRights, type Rights, setcapHint } from "../proc/rights.ts";
import { CaptureError } from "./types.ts";

const ENOENT = 2;
const ENOTDIR = 20;

/**
 * Why no packets can be captured.
 *
 * @param root Mount point of procfs, here and below.
 */
export function packetSocketFailure(
  error: unknown,
  root: string = PROC_ROOT,
): CaptureError {
  if (error instanceof SyscallError) {
    const rights = readRights(root);
    const isPermitted = has(rights, "CAP_NET_RAW");
    if (error.code === "EPERM" && isPermitted && rights.inUserNamespace) {
      return new CaptureError(
        "permission",
        "Cannot capture packets: the network does not belong to this user " +
          "namespace, where CAP_NET_RAW counts",
        {
          hint: "Run it outside, or make a network as well: " +
            "unshare --user --map-root-user --net",
          cause: error,
        },
      );
    }
    if (error.code === "EPERM" || !isPermitted) {
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

/** There is no network interface of that name. */
export function interfaceProblem(name: string): CaptureError {
  return new CaptureError(
    "no-interface",
    `No network interface ${JSON.stringify(name)}`,
    { hint: "List them with: ip link" },
  );
}

/** Why nothing can be found out about processes. */
export function procfsProblem(
  root: string = PROC_ROOT,
  ownPid: number = Deno.pid,
): CaptureError | undefined {
  const { procPid } = readRights(root);
  if (procPid === ownPid) return undefined;
  return new CaptureError(
    "unsupported",
    `Cannot look at processes: ${root} ${
      procPid === undefined
        ? "does not show this program"
        : "shows the processes of another PID namespace"
    }`,
    { hint: `Mount it anew: mount -t proc proc ${root}` },
  );
}

/** Why a command cannot be started. */
export function launchFailure(
  command: string,
  error: unknown,
  root: string = PROC_ROOT,
): CaptureError {
  if (error instanceof LaunchError && error.errno !== 0) {
    const missing = error.errno === ENOENT || error.errno === ENOTDIR;
    return new CaptureError(
      missing ? "not-found" : "not-executable",
      error.message,
      { cause: error },
    );
  }
  if (error instanceof SyscallError && error.code === "EPERM") {
    const tracer = readStatus(Deno.pid, root)?.tracerPid ?? 0;
    if (tracer !== 0) {
      return new CaptureError(
        "already-traced",
        `Cannot trace ${command}: this program is being traced by process ${
          named(tracer, root)
        }`,
        { hint: "Run tracedump outside of the debugger", cause: error },
      );
    }
    return new CaptureError(
      "permission",
      `Cannot trace ${command}: ptrace is not permitted here${
        yamaText(ptraceScope(root))
      }`,
      {
        hint: yamaHint(ptraceScope(root)) ?? setcapHint(),
        cause: error,
      },
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
export function processProblem(
  pid: number,
  root: string = PROC_ROOT,
): CaptureError | undefined {
  let status: ProcessStatus | undefined;
  try {
    status = readStatus(pid, root);
  } catch (error) {
    // procfs with hidepid=1.
    if (!(error instanceof ProcPermissionError)) throw error;
    return inspectFailure(pid, error, root);
  }
  if (status === undefined || status.state === "X") {
    return new CaptureError("no-process", `No process ${pid}`, {
      hint: "List processes with ps -e",
    });
  }
  if (status.state === "Z") {
    return new CaptureError(
      "no-process",
      `Process ${named(pid, root)} has ended already (zombie)`,
    );
  }
  if (status.tgid !== pid) {
    return new CaptureError(
      "no-process",
      `${pid} is a thread of process ${named(status.tgid, root)}`,
      { hint: `Capture process ${status.tgid}: all of its threads are seen` },
    );
  }
  if (isKernelThread(pid, root)) {
    return new CaptureError(
      "kernel-thread",
      `Cannot attach to process ${named(pid, root)}: it is a kernel thread`,
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
export function tracerProblem(
  pid: number,
  root: string = PROC_ROOT,
): CaptureError | undefined {
  const tracer = readStatus(pid, root)?.tracerPid ?? 0;
  return tracer === 0 ? undefined : alreadyTraced(pid, tracer, root);
}

/** Why ptrace(PTRACE_SEIZE) was refused. */
export function seizeFailure(
  pid: number,
  error: SyscallError,
  root: string = PROC_ROOT,
): CaptureError {
  return processProblem(pid, root) ?? tracerProblem(pid, root) ??
    inspectFailure(pid, error, root);
}

/** Why a process may be neither traced nor looked into. */
export function inspectFailure(
  pid: number,
  error: Error,
  root: string = PROC_ROOT,
): CaptureError {
  const scope = ptraceScope(root);
  const cannot = `Cannot attach to process ${named(pid, root)}`;
  const rights = readRights(root);
  const mayTrace = has(rights, "CAP_SYS_PTRACE");
  if (mayTrace && isReadingMissing(error, rights)) {
    return new CaptureError(
      "permission",
      `${cannot}: the right CAP_DAC_READ_SEARCH is missing`,
      { hint: setcapHint("cap_dac_read_search"), cause: error },
    );
  }
  if (mayTrace || scope === YAMA_NO_ATTACH) {
    const hint = yamaHint(scope);
    return new CaptureError(
      "permission",
      `${cannot}: ${error.message}${yamaText(scope)}`,
      { ...(hint === undefined ? {} : { hint }), cause: error },
    );
  }
  return new CaptureError(
    "permission",
    `${cannot}: the right CAP_SYS_PTRACE is missing${yamaText(scope)}`,
    { hint: setcapHint(), cause: error },
  );
}

/** Other users' folders of procfs are closed even to those who may trace. */
function isReadingMissing(error: Error, rights: Rights): boolean {
  return error instanceof ProcPermissionError &&
    !has(rights, "CAP_DAC_READ_SEARCH") && !has(rights, "CAP_DAC_OVERRIDE");
}

/** kernel.yama.ptrace_scope, Documentation/admin-guide/LSM/Yama.rst. */
const YAMA_CLASSIC = 0;
const YAMA_NO_ATTACH = 3;

function ptraceScope(root: string): number {
  const text = readProcText(`${root}/sys/kernel/yama/ptrace_scope`);
  return parseDecimal(text?.trim() ?? "") ?? YAMA_CLASSIC;
}

function yamaText(scope: number): string {
  return scope === YAMA_CLASSIC
    ? ""
    : ` (kernel.yama.ptrace_scope is ${scope})`;
}

function yamaHint(scope: number): string | undefined {
  return scope === YAMA_NO_ATTACH
    ? "Nobody may trace while it is 3, until the machine is started anew"
    : undefined;
}

function alreadyTraced(
  pid: number,
  tracer: number,
  root: string,
): CaptureError {
  return new CaptureError(
    "already-traced",
    `Cannot attach to process ${
      named(pid, root)
    }: it is being traced by process ${named(tracer, root)}`,
    { hint: "A process can have one tracer only; end the other one first" },
  );
}

function named(pid: number, root: string): string {
  let comm: string | undefined;
  try {
    comm = readComm(pid, root);
  } catch (error) {
    // procfs with hidepid=1.
    if (!(error instanceof ProcPermissionError)) throw error;
  }
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
