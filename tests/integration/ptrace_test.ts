import "../support/open_libc.ts";
import assert from "node:assert/strict";
import { architecture } from "../../ffi/arch.ts";
import { kill } from "../../ffi/process.ts";
import {
  cont,
  contToSyscall,
  detach,
  eventMessage,
  interrupt,
  listen,
  Registers,
  seize,
  SyscallInfo,
  SyscallStop,
} from "../../ffi/ptrace.ts";
import {
  decodeWaitStatus,
  lastStatus,
  waitAny,
  waitAnyNow,
  waitFor,
  waitReadable,
  type WaitStatus,
} from "../../ffi/wait.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { Ticks } from "../../ffi/ticks.ts";
import { readStatus } from "../../lib/proc/status.ts";
import { threadIds } from "../../lib/proc/task.ts";
import { readSocketCall } from "../../lib/trace/call_arguments.ts";
import { classify, type TraceEvent } from "../../lib/trace/classify.ts";
import { launchTraced } from "../../lib/trace/launcher.ts";
import { FOLLOW_OPTIONS } from "../../lib/trace/tracer.ts";
import { callKind } from "../../lib/trace/watched_calls.ts";
import { formatAddress } from "../../lib/packet/address.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../support/requires.ts";
import { CProgram } from "../unit/ffi/c_program.ts";

const SIGTRAP = 5;
const SIGKILL = 9;
const SIGTERM = 15;
const SIGCONT = 18;
const SIGSTOP = 19;
const ECONNREFUSED = 111;
const NO_PROCESS = 2 ** 22 + 1;

function test(
  name: string,
  needs: readonly Requirement[],
  body: () => void | Promise<void>,
): void {
  const reason = missing(["root", ...needs]);
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined && !isContinuousIntegration(),
    fn: body,
  });
}

/** Waits for the next event of a thread. */
function nextEvent(tid: number): TraceEvent {
  assert.equal(waitFor(tid), tid);
  return classify(decodeWaitStatus(lastStatus()));
}

/** Lets a process run to its end, whatever it does. */
function finish(pid: number): WaitStatus {
  for (;;) {
    const event = nextEvent(pid);
    if (event.kind === "gone") return event.status;
    cont(pid, event.kind === "signal" ? event.signal : 0);
  }
}

/** Makes every kind of watched call once; prints nothing. */
const CALLS = `
#include <arpa/inet.h>
#include <linux/net.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sockaddr_in at(int port) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  return address;
}

int main(void) {
  int tcp = dup2(socket(AF_INET, SOCK_STREAM, 0), 20);
  int udp = dup2(socket(AF_INET, SOCK_DGRAM, 0), 21);
  struct sockaddr_in one = at(1), two = at(2);
  connect(tcp, (void *)&one, sizeof one);
  sendto(udp, "a", 1, 0, (void *)&one, sizeof one);
  struct iovec part = { "bc", 2 };
  struct msghdr message = { .msg_name = &two, .msg_namelen = sizeof two,
    .msg_iov = &part, .msg_iovlen = 1 };
  sendmsg(udp, &message, 0);
  struct mmsghdr batch[2] = { { message }, { message } };
  batch[1].msg_hdr.msg_name = &one;
  sendmmsg(udp, batch, 2, 0);
  struct sockaddr_in any = at(0);
  bind(dup2(socket(AF_INET, SOCK_DGRAM, 0), 22), (void *)&any, sizeof any);
  int listener = dup2(socket(AF_INET, SOCK_STREAM, 0), 23);
  listen(listener, 5);
  // None of these names anybody.
  connect(udp, (void *)&one, sizeof one);
  send(udp, "d", 1, 0);
  write(udp, "e", 1);
#ifdef __i386__
  long arguments[] = { udp, (long)"f", 1, 0, (long)&two, sizeof two };
  syscall(SYS_socketcall, SYS_SENDTO, arguments);
#endif
  return 42;
}
`;

/** A call as the tracer sees it. */
function describe(tid: number, info: SyscallInfo): string {
  const kind = callKind(info.arch, info.number);
  assert.ok(kind !== undefined, `call ${info.number} is not watched`);
  const call = readSocketCall(tid, info, kind);
  if (call === undefined) return `${kind} without a name`;
  const names = call.endpoints.map(({ address, port }) =>
    `${formatAddress(address.subarray(12))}:${port}`
  );
  return [call.kind, call.fd, ...names].join(" ");
}

/** Runs a launched program; what its watched calls were, and returned. */
function watch(pid: number): { calls: string[]; status: WaitStatus } {
  const info = new SyscallInfo();
  const calls: string[] = [];
  let text = "";
  cont(pid, 0);
  for (;;) {
    const event = nextEvent(pid);
    switch (event.kind) {
      case "gone":
        return { calls, status: event.status };
      case "seccomp":
        assert.ok(info.read(pid));
        assert.equal(info.op, SyscallStop.SECCOMP);
        text = describe(pid, info);
        contToSyscall(pid, 0);
        break;
      case "syscall":
        assert.ok(info.read(pid));
        assert.equal(info.op, SyscallStop.EXIT);
        // glibc makes i386 sockets by socketcall(2).
        if (text !== "socketcall without a name") {
          calls.push(`${text} = ${info.returnValue}`);
        }
        cont(pid, 0);
        break;
      default:
        cont(pid, event.kind === "signal" ? event.signal : 0);
    }
  }
}

const EXPECTED_CALLS = [
  `connect 20 127.0.0.1:1 = ${-ECONNREFUSED}`,
  "sendto 21 127.0.0.1:1 = 1",
  "sendmsg 21 127.0.0.1:2 = 2",
  "sendmmsg 21 127.0.0.1:2 127.0.0.1:1 = 2",
  "bind 22 127.0.0.1:0 = 0",
  "listen 23 = 0",
  "connect 21 127.0.0.1:1 = 0",
];

for (const is32Bit of [false, true]) {
  const machine = is32Bit ? "i386" : "x86_64";
  const need = is32Bit ? "gcc -m32" : "gcc";
  test(
    `A launched ${machine} program stops at watched calls only, which can be read`,
    [need],
    async () => {
      await using program = await CProgram.compile(
        CALLS,
        is32Bit ? ["-m32"] : [],
      );
      const { calls, status } = watch(
        launchTraced({ command: program.path, args: [] }),
      );
      const more = is32Bit ? ["sendto 21 127.0.0.1:2 ="] : [];
      // What the peer's absence makes of the last one depends on the moment.
      const seen = calls.map((text, at) =>
        at < EXPECTED_CALLS.length ? text : text.replace(/=.*/, "=")
      );
      assert.deepEqual(seen, [...EXPECTED_CALLS, ...more]);
      assert.deepEqual(status, { kind: "exited", code: 42 });
    },
  );
}

test("Registers and SyscallInfo say the same of a call", ["gcc"], async () => {
  await using program = await CProgram.compile(CALLS);
  const pid = launchTraced({ command: program.path, args: [] });
  const info = new SyscallInfo();
  const registers = new Registers();
  cont(pid, 0);
  assert.equal(nextEvent(pid).kind, "seccomp");
  assert.ok(info.read(pid));
  assert.ok(registers.read(pid));
  const layout = architecture().registers;
  const args = layout.arguments.map((index) => registers.words[index]!);
  args.forEach((value, index) => {
    assert.equal(BigInt.asUintN(64, value), info.argument(index));
    assert.equal(Number(BigInt.asIntN(32, value)), info.intArgument(index));
  });
  if (layout.originalNumber !== undefined) {
    assert.equal(registers.words[layout.originalNumber], BigInt(info.number));
  }
  assert.equal(info.arch, architecture().auditArch);
  assert.equal(info.number, architecture().syscalls.connect);
  // Written back unchanged: nothing happens.
  assert.ok(registers.write(pid));
  cont(pid, 0);
  assert.deepEqual(finish(pid), { kind: "exited", code: 42 });
});

const FAMILY = `
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static void *nothing(void *argument) { return argument; }
int main(int count, char **arguments) {
  if (count > 1) return 3;
  pid_t child = fork();
  if (child == 0) _exit(7);
  waitpid(child, 0, 0);
  pthread_t thread;
  pthread_create(&thread, 0, nothing, 0);
  pthread_join(thread, 0);
  execl(arguments[0], arguments[0], "again", (char *)0);
}
`;

test(
  "A traced program tells of its children, threads and execve(2)",
  ["gcc"],
  async () => {
    await using program = await CProgram.compile(FAMILY, ["-pthread"]);
    const pid = launchTraced({ command: program.path, args: [] });
    cont(pid, 0);
    const log: string[] = [];
    const children = new Set<number>();
    let isRunning = true;
    while (isRunning || children.size > 0) {
      const tid = waitAnyNow();
      assert.ok(tid >= 0, "nobody is left");
      if (tid === 0) continue;
      const event = classify(decodeWaitStatus(lastStatus()));
      if (tid !== pid) {
        // Children stop before their first instruction.
        if (!children.has(tid)) {
          assert.equal(event.kind, "interrupted");
          children.add(tid);
        }
        if (event.kind === "gone") children.delete(tid);
        else cont(tid, 0);
        continue;
      }
      if (event.kind === "gone") {
        assert.deepEqual(event.status, { kind: "exited", code: 3 });
        isRunning = false;
        continue;
      }
      if (event.kind === "newTask") {
        const child = eventMessage(pid);
        assert.ok(child > 0 && child !== pid);
      }
      if (event.kind === "exec") assert.equal(eventMessage(pid), pid);
      if (event.kind !== "signal") log.push(event.kind);
      cont(pid, event.kind === "signal" ? event.signal : 0);
    }
    assert.deepEqual(log, ["newTask", "newTask", "exec"]);
  },
);

/** A program that does nothing, as a child of the runtime. */
class Sleeper implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<Sleeper> {
    const command = new Deno.Command("sleep", {
      args: ["3600"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    const sleeper = new Sleeper(command.spawn());
    await sleeper.#until(() => {
      const status = readStatus(sleeper.pid);
      return status?.name === "sleep" && status.state === "S";
    });
    return sleeper;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits for a state of /proc/PID/status, such as `S` or `T`. */
  async state(wanted: string): Promise<void> {
    await this.#until(() => readStatus(this.pid)?.state === wanted);
  }

  async #until(done: () => boolean): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!done()) {
      const text = JSON.stringify(readStatus(this.pid)?.state);
      assert.ok(Date.now() < deadline, `state ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    kill(this.pid, SIGKILL);
    await this.#child.status;
  }
}

test(
  "waitAny() waits until a tick at most",
  [],
  async () => {
    await using sleeper = await Sleeper.start();
    const { pid } = sleeper;
    assert.equal(seize(pid, FOLLOW_OPTIONS), true);
    {
      using ticks = new Ticks();
      using _ticking = ticks.every(1);
      // Nothing happens to the program: only ticks end the waiting.
      for (let i = 0; i < 3; i++) assert.equal(waitAny(), 0);
    }
    assert.equal(interrupt(pid), true);
    assert.equal(waitAny(), pid);
    assert.equal(lastStatus(), 128 << 16 | SIGTRAP << 8 | 0x7f);
    assert.equal(detach(pid, 0), true);
    await sleeper.state("S");
  },
);

test(
  "waitReadable() waits for the one child that is meant",
  [],
  async () => {
    await using stopped = await Sleeper.start();
    await using meant = await Sleeper.start();
    assert.equal(kill(stopped.pid, SIGSTOP), true);
    await stopped.state("T");
    let isSettled = false;
    const event = waitReadable(meant.pid).then(() => isSettled = true);
    // Nobody takes it: it is there again and again.
    for (let i = 0; i < 10; i++) assert.equal(await waitReadable(), true);
    assert.equal(isSettled, false);
    assert.equal(kill(meant.pid, SIGSTOP), true);
    await event;
  },
);

test(
  "seize() and interrupt() stop a running program, detach() lets it go",
  [],
  async () => {
    await using sleeper = await Sleeper.start();
    const { pid } = sleeper;
    assert.equal(seize(pid, FOLLOW_OPTIONS), true);
    const tracer = readStatus(pid)?.tracerPid;
    assert.ok(threadIds(Deno.pid).includes(tracer!));
    assert.equal(waitAnyNow(), 0);
    assert.equal(interrupt(pid), true);
    assert.deepEqual(nextEvent(pid), { kind: "interrupted" });
    assert.equal(detach(pid, 0), true);
    assert.equal(readStatus(pid)?.tracerPid, 0);
    await sleeper.state("S");
  },
);

test(
  "A stopped program stays stopped under a tracer, until SIGCONT",
  [],
  async () => {
    await using sleeper = await Sleeper.start();
    const { pid } = sleeper;
    assert.ok(seize(pid, FOLLOW_OPTIONS));
    kill(pid, SIGSTOP);
    assert.deepEqual(nextEvent(pid), { kind: "signal", signal: SIGSTOP });
    cont(pid, SIGSTOP);
    assert.deepEqual(nextEvent(pid), { kind: "groupStop", signal: SIGSTOP });
    assert.equal(listen(pid), true);
    await sleeper.state("t");
    kill(pid, SIGCONT);
    assert.deepEqual(nextEvent(pid), { kind: "interrupted" });
    cont(pid, 0);
    assert.deepEqual(nextEvent(pid), { kind: "signal", signal: SIGCONT });
    cont(pid, SIGCONT);
    await sleeper.state("S");
    interrupt(pid);
    assert.deepEqual(nextEvent(pid), { kind: "interrupted" });
    detach(pid, 0);
  },
);

test("A signal is delivered when the tracer passes it on", [], () => {
  const pid = launchTraced({ command: "sleep", args: ["3600"] });
  cont(pid, 0);
  kill(pid, SIGTERM);
  assert.deepEqual(nextEvent(pid), { kind: "signal", signal: SIGTERM });
  cont(pid, 0);
  kill(pid, SIGTERM);
  assert.deepEqual(nextEvent(pid), { kind: "signal", signal: SIGTERM });
  cont(pid, SIGTERM);
  assert.deepEqual(nextEvent(pid), {
    kind: "gone",
    status: { kind: "signaled", signal: SIGTERM },
  });
});

test(
  "Requests tell whether there is such a thread, and why it cannot be",
  [],
  async () => {
    assert.equal(seize(NO_PROCESS, FOLLOW_OPTIONS), false);
    assert.equal(interrupt(NO_PROCESS), false);
    assert.equal(new Registers().read(NO_PROCESS), false);
    assert.equal(new SyscallInfo().read(NO_PROCESS), false);
    assert.equal(eventMessage(NO_PROCESS), -1);
    await using sleeper = await Sleeper.start();
    assert.ok(seize(sleeper.pid, FOLLOW_OPTIONS));
    const EPERM = 1;
    assert.throws(
      () => seize(sleeper.pid, FOLLOW_OPTIONS),
      new SyscallError("ptrace(PTRACE_SEIZE)", EPERM, `thread ${sleeper.pid}`),
    );
    // Running threads answer no questions.
    assert.equal(new Registers().read(sleeper.pid), false);
    interrupt(sleeper.pid);
    assert.deepEqual(nextEvent(sleeper.pid), { kind: "interrupted" });
    assert.equal(new Registers().read(sleeper.pid), true);
    detach(sleeper.pid, 0);
  },
);

test("A breakpoint is a signal like any other", ["gcc"], async () => {
  await using program = await CProgram.compile(
    "#include <signal.h>\nint main(void) { raise(SIGTRAP); }",
  );
  const pid = launchTraced({ command: program.path, args: [] });
  cont(pid, 0);
  assert.deepEqual(nextEvent(pid), { kind: "signal", signal: SIGTRAP });
  cont(pid, SIGTRAP);
  assert.deepEqual(nextEvent(pid), {
    kind: "gone",
    status: { kind: "signaled", signal: SIGTRAP },
  });
});
