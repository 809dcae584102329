/**
 * Starts a command under the tracer without a helper program and without
 * fork(2) in a multi-threaded runtime: a child that shares our memory sits in
 * pause(3), is seized, and is made to run the system calls that turn it into
 * the command. Its signals, mask, limits, environment, descriptors and process
 * group are what a child of the shell would have.
 *
 * @module
 */
import { architecture, syscallNumber } from "../../ffi/arch.ts";
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import {
  environmentAddress,
  environmentEntries,
} from "../../ffi/environment.ts";
import { whileDumpable } from "../../ffi/dumpable.ts";
import { check, errnoText } from "../../ffi/errno.ts";
import { libc, libcAddresses } from "../../ffi/libc.ts";
import { addressOf, cString, findCode, Mapping } from "../../ffi/memory.ts";
import {
  kill,
  type ResourceLimit,
  resourceLimit,
  RLIMIT_NOFILE,
  type User,
} from "../../ffi/process.ts";
import {
  contToSyscall,
  detach,
  interrupt,
  PtraceEvent,
  PtraceOption,
  Registers,
  seize,
  setSignalMask,
} from "../../ffi/ptrace.ts";
import { decodeWaitStatus, lastStatus, waitFor } from "../../ffi/wait.ts";
import { readStatus } from "../proc/status.ts";
import { argumentBytes } from "./argument_bytes.ts";
import { classify } from "./classify.ts";
import { executableCandidates } from "./executable.ts";
import { FOLLOW_OPTIONS } from "./tracer.ts";
import { syscallFilter } from "./watched_calls.ts";

const CLONE_VM = 0x100;
const SIGCHLD = 17;
const SIGKILL = 9;
const SIGPIPE = 13;
const STDOUT = 1;
const STDERR = 2;
const SIG_DFL = 0;
const SIG_IGN = 1;
const SECCOMP_SET_MODE_FILTER = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const STACK_LENGTH = 64 << 10;
/** struct sigaction of the kernel: handler, flags, restorer, mask. */
const SIGACTION_LENGTH = 32;

const ENOENT = 2;
const ENOEXEC = 8;
const EACCES = 13;
const ENOTDIR = 20;

/** What to start. */
export interface LaunchOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly user?: User;
  /** What the command writes to standard output goes to standard error. */
  readonly outputToStderr?: boolean;
  /** Variables besides, or instead of, those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Signals that the command begins with as ignored. */
  readonly ignoredSignals?: readonly number[];
  /** Also stop at calls that accept a connection. */
  readonly accepts?: boolean;
}

/** A command that could not be started. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";

  /** @param errno what execve(2) said last */
  constructor(message: string, readonly errno: number) {
    super(message);
  }
}

/**
 * Starts a command under the calling thread's tracing; it is stopped before
 * its first instruction.
 *
 * @returns its process id
 * @throws {LaunchError} when the command cannot be executed
 * @throws {SyscallError} when tracing or filtering is not permitted
 */
export function launchTraced(options: LaunchOptions): number {
  // Launched commands end with the tracer: without it, the seccomp filter
  // would fail their network calls with ENOSYS.
  return launch(options, FOLLOW_OPTIONS | PtraceOption.EXITKILL, true);
}

/**
 * Starts a command that nobody traces: tracing ends before its first
 * instruction. It is an ordinary child of this process.
 *
 * @returns its process id
 * @throws {LaunchError} when the command cannot be executed
 * @throws {SyscallError} when tracing is not permitted
 */
export function launchFree(options: LaunchOptions): number {
  const { TRACESYSGOOD, TRACEEXEC } = PtraceOption;
  const pid = launch(options, TRACESYSGOOD | TRACEEXEC, false);
  detach(pid, 0);
  return pid;
}

function launch(
  options: LaunchOptions,
  ptraceOptions: number,
  filter: boolean,
): number {
  return whileDumpable(() => {
    const child = new Child(ptraceOptions);
    try {
      child.prepare(options, filter);
      child.execute(options);
      return child.pid;
    } catch (error) {
      child.kill();
      throw error;
    } finally {
      child[Symbol.dispose]();
    }
  });
}

/** A child in the making. */
class Child implements Disposable {
  readonly pid: number;
  readonly #stack = Mapping.anonymous(STACK_LENGTH);
  readonly #registers = new Registers();
  readonly #syscallAt: bigint;
  /** What the child reads must stay referenced while it runs in our memory. */
  readonly #keep: Uint8Array[] = [];
  /** Signals that came too early; sent again to the command. */
  readonly #early: number[] = [];

  constructor(ptraceOptions: number) {
    const { pause, syscall } = libcAddresses();
    // syscall(3) is short: its instruction is near the beginning.
    const { syscallInstruction } = architecture();
    this.#syscallAt = BigInt(findCode(syscall, syscallInstruction, 128));
    const top = this.#stack.address + STACK_LENGTH;
    this.pid = check(
      "clone",
      libc().clone(pause, BigInt(top), CLONE_VM | SIGCHLD, 0n),
    );
    try {
      seize(this.pid, ptraceOptions);
      interrupt(this.pid);
      waitFor(this.pid);
    } catch (error) {
      this.kill();
      throw error;
    }
  }

  /** Gives the child a shell's signals and limits, the filter, and the user. */
  prepare(
    {
      user,
      ignoredSignals = [],
      outputToStderr = false,
      accepts = false,
    }: LaunchOptions,
    filter: boolean,
  ): void {
    // The runtime ignores SIGPIPE; ignored signals survive execve(2).
    this.#setAction(SIGPIPE, SIG_DFL);
    for (const signal of ignoredSignals) {
      if (signal !== SIGPIPE) this.#setAction(signal, SIG_IGN);
    }
    if (outputToStderr) this.#must("dup3", STDERR, STDOUT, 0);
    setSignalMask(this.pid, readStatus(Deno.pid)?.sigBlk ?? 0n);
    this.#restoreLimits();
    if (filter) this.#installFilter(accepts);
    if (user === undefined) return;
    const groups = new Uint8Array(Uint32Array.from(user.groups).buffer);
    this.#must("setgroups", user.groups.length, this.#pointer(groups));
    this.#must("setresgid", user.gid, user.gid, user.gid);
    this.#must("setresuid", user.uid, user.uid, user.uid);
  }

  #setAction(signal: number, handler: number): void {
    const action = new Uint8Array(SIGACTION_LENGTH);
    action[0] = handler;
    this.#must("rt_sigaction", signal, this.#pointer(action), 0, 8);
  }

  /** The runtime raises the soft limit of open files; the shell's is meant. */
  #restoreLimits(): void {
    let limit: ResourceLimit;
    try {
      limit = resourceLimit(RLIMIT_NOFILE, Deno.ppid);
    } catch {
      return; // A parent that we may not look at: keep what we have.
    }
    const words = BigUint64Array.of(limit.soft, limit.hard);
    const bytes = new Uint8Array(words.buffer);
    this.#call("prlimit64", 0, RLIMIT_NOFILE, this.#pointer(bytes), 0);
  }

  #installFilter(accepts: boolean): void {
    const program = assembleClassic(syscallFilter(accepts));
    const fprog = BigUint64Array.of(
      BigInt(program.length / 8),
      BigInt(this.#pointer(program)),
    );
    const pointer = this.#pointer(new Uint8Array(fprog.buffer));
    const install = (): number =>
      this.#call("seccomp", SECCOMP_SET_MODE_FILTER, 0, pointer);
    if (install() >= 0) return;
    // Without CAP_SYS_ADMIN the kernel wants no_new_privs: set-user-ID
    // programs of the command then run without their power.
    this.#must("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    this.#must("seccomp", SECCOMP_SET_MODE_FILTER, 0, pointer);
  }

  /** Searches the command as execvp(3) does and runs it. */
  execute({ command, args, user, environment: more }: LaunchOptions): void {
    const own = argumentBytes([command, ...args]);
    const argv = this.#pointers(own);
    const environment = this.#environment(user, more);
    let denied = 0;
    let last = ENOENT;
    for (const path of executableCandidates(command)) {
      const name = this.#pointer(cString(path));
      let result = this.#execve(name, argv, environment);
      if (result === -ENOEXEC) {
        // execvp(3): a file without a known format is a shell script.
        const shell = ["/bin/sh", path].map(cString);
        result = this.#execve(
          this.#pointer(cString("/bin/sh")),
          this.#pointers([...shell, ...own.slice(1)]),
          environment,
        );
      }
      if (result === 0) {
        for (const signal of this.#early) kill(this.pid, signal);
        return;
      }
      last = -result;
      if (last === EACCES) denied = last;
      else if (last !== ENOENT && last !== ENOTDIR) break;
    }
    const errno = last === ENOENT || last === ENOTDIR ? denied || last : last;
    throw new LaunchError(
      `Cannot run ${JSON.stringify(command)}: ${errnoText(errno)}`,
      errno,
    );
  }

  /** Our environment as it is, in bytes, but for what is given. */
  #environment(
    user: User | undefined,
    more: Readonly<Record<string, string>> = {},
  ): number {
    const set: Readonly<Record<string, string>> = user === undefined ? more : {
      HOME: user.home,
      USER: user.name,
      LOGNAME: user.name,
      SHELL: user.shell,
      ...more,
    };
    const own = Object.entries(set).map(([name, value]) => `${name}=${value}`);
    if (own.length === 0) return environmentAddress();
    const kept = environmentEntries().filter(({ text }) =>
      !Object.hasOwn(set, text.slice(0, text.indexOf("=")))
    );
    const array = BigUint64Array.from([
      ...kept.map(({ address }) => BigInt(address)),
      ...own.map((text) => BigInt(this.#pointer(cString(text)))),
      0n,
    ]);
    return this.#pointer(new Uint8Array(array.buffer));
  }

  #pointer(bytes: Uint8Array<ArrayBuffer>): number {
    this.#keep.push(bytes);
    return addressOf(bytes);
  }

  #pointers(list: readonly Uint8Array<ArrayBuffer>[]): number {
    const words = list.map((bytes) => BigInt(this.#pointer(bytes)));
    const array = BigUint64Array.from([...words, 0n]);
    return this.#pointer(new Uint8Array(array.buffer));
  }

  #must(name: Parameters<typeof syscallNumber>[0], ...args: number[]): void {
    const result = this.#call(name, ...args);
    if (result < 0) {
      throw new LaunchError(
        `Cannot prepare the command: ${name} failed: ${errnoText(-result)}`,
        -result,
      );
    }
  }

  /** Makes the child run a system call; returns the result or -errno. */
  #call(name: Parameters<typeof syscallNumber>[0], ...args: number[]): number {
    this.#load(syscallNumber(name), args);
    contToSyscall(this.pid, 0);
    this.#wait(); // entry
    contToSyscall(this.pid, 0);
    this.#wait(); // exit
    this.#registers.read(this.pid);
    return Number(this.#registers.words[architecture().registers.result]);
  }

  #execve(path: number, argv: number, environment: number): number {
    this.#load(syscallNumber("execve"), [path, argv, environment]);
    contToSyscall(this.pid, 0);
    this.#wait(); // entry
    contToSyscall(this.pid, 0);
    if (this.#wait() === PtraceEvent.EXEC) return 0;
    this.#registers.read(this.pid);
    return Number(this.#registers.words[architecture().registers.result]);
  }

  #load(number: number, args: readonly number[]): void {
    const { registers } = architecture();
    const state = this.#registers;
    state.read(this.pid);
    const { words } = state;
    words[registers.instructionPointer] = this.#syscallAt;
    words[registers.syscallNumber] = BigInt(number);
    // No call is to be restarted instead of ours.
    if (registers.originalNumber !== undefined) {
      words[registers.originalNumber] = -1n;
    }
    registers.arguments.forEach((index, i) => {
      words[index] = BigInt(args[i] ?? 0);
    });
    state.write(this.pid);
  }

  /** Waits for the next stop at a call or exec; returns its PTRACE_EVENT. */
  #wait(): number {
    for (;;) {
      waitFor(this.pid);
      const event = classify(decodeWaitStatus(lastStatus()));
      switch (event.kind) {
        case "syscall":
          return 0;
        case "exec":
          return PtraceEvent.EXEC;
        case "gone":
          throw new LaunchError("Cannot start the command: it was killed", 0);
        case "signal":
          this.#early.push(event.signal);
          break;
        default:
          break;
      }
      contToSyscall(this.pid, 0);
    }
  }

  /** Ends a child that did not become the command. */
  kill(): void {
    kill(this.pid, SIGKILL);
    waitFor(this.pid);
  }

  /** The child has memory of its own now, or is gone. */
  [Symbol.dispose](): void {
    this.#stack.close();
    this.#keep.length = 0;
  }
}
