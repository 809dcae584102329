import "../support/open_libc.ts";
import assert from "node:assert/strict";
import {
  findUser,
  kill,
  resourceLimit,
  RLIMIT_NOFILE,
  type User,
} from "../../ffi/process.ts";
import { cont } from "../../ffi/ptrace.ts";
import {
  decodeWaitStatus,
  lastStatus,
  waitAnyNow,
  waitFor,
  type WaitStatus,
} from "../../ffi/wait.ts";
import { readStatus } from "../../lib/proc/status.ts";
import { threadIds } from "../../lib/proc/task.ts";
import { classify } from "../../lib/trace/classify.ts";
import {
  LaunchError,
  launchFree,
  type LaunchOptions,
  launchTraced,
} from "../../lib/trace/launcher.ts";
import { isContinuousIntegration, missing } from "../support/requires.ts";

const ENOENT = 2;
const EACCES = 13;
const SIGHUP = 1;
const SIGINT = 2;
const SIGKILL = 9;
const SIGUSR1 = 10;
const SIGPIPE = 13;

function test(name: string, body: () => void | Promise<void>): void {
  const reason = missing(["root"]);
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined && !isContinuousIntegration(),
    fn: body,
  });
}

/** Lets a traced process run to its end, whatever it does. */
function finish(pid: number): WaitStatus {
  for (;;) {
    assert.equal(waitFor(pid), pid);
    const event = classify(decodeWaitStatus(lastStatus()));
    if (event.kind === "gone") return event.status;
    cont(pid, event.kind === "signal" ? event.signal : 0);
  }
}

class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "tracedump-launch-" });

  constructor() {
    Deno.chmodSync(this.path, 0o777);
  }

  write(name: string, text: string, mode = 0o755): string {
    const path = `${this.path}/${name}`;
    Deno.writeTextFileSync(path, text);
    Deno.chmodSync(path, mode);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

type Kind = "traced" | "free";
const KINDS: readonly Kind[] = ["traced", "free"];

/** Launches a command and waits for its end. */
function launch(kind: Kind, options: LaunchOptions): WaitStatus {
  if (kind === "free") {
    const pid = launchFree(options);
    assert.equal(waitFor(pid), pid);
    return decodeWaitStatus(lastStatus());
  }
  const pid = launchTraced(options);
  cont(pid, 0);
  return finish(pid);
}

/** Standard output of a shell script that is launched. */
function output(
  kind: Kind,
  script: string,
  options: Partial<LaunchOptions> = {},
): string {
  using folder = new Folder();
  const file = `${folder.path}/output`;
  const [args, rest] = [options.args ?? [], options];
  const status = launch(kind, {
    ...rest,
    command: "/bin/sh",
    args: ["-c", `{ ${script}\n} > '${file}'`, ...args],
  });
  assert.deepEqual(status, { kind: "exited", code: 0 });
  return Deno.readTextFileSync(file);
}

/** A line of /proc/PID/status of a launched command. */
function statusLine(
  kind: Kind,
  name: string,
  options: Partial<LaunchOptions> = {},
): string {
  const text = output(kind, "exec cat /proc/self/status", options);
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)![1]!.trim();
}

test("launchTraced() stops the command before its first instruction", () => {
  const pid = launchTraced({ command: "/bin/sh", args: ["-c", "exit 7"] });
  const status = readStatus(pid);
  assert.equal(status?.state, "t");
  assert.equal(status?.name, "sh");
  assert.equal(status?.ppid, Deno.pid);
  assert.ok(threadIds(Deno.pid).includes(status!.tracerPid));
  cont(pid, 0);
  assert.deepEqual(finish(pid), { kind: "exited", code: 7 });
});

test("launchFree() leaves the command alone", () => {
  const pid = launchFree({ command: "sleep", args: ["3600"] });
  const status = readStatus(pid);
  assert.equal(status?.tracerPid, 0);
  assert.equal(status?.ppid, Deno.pid);
  kill(pid, SIGKILL);
  assert.equal(waitFor(pid), pid);
  assert.deepEqual(decodeWaitStatus(lastStatus()), {
    kind: "signaled",
    signal: SIGKILL,
  });
});

test("A launched command ends as it likes", () => {
  for (const kind of KINDS) {
    const sh = (script: string): WaitStatus =>
      launch(kind, { command: "sh", args: ["-c", script] });
    assert.deepEqual(sh("exit 0"), { kind: "exited", code: 0 });
    assert.deepEqual(sh("exit 255"), { kind: "exited", code: 255 });
    assert.deepEqual(sh("kill -KILL $$"), {
      kind: "signaled",
      signal: SIGKILL,
    });
  }
});

test("A launched command gets its arguments unchanged", () => {
  const args = [
    "",
    " ",
    "a b",
    "'\"\\",
    "$HOME",
    "*",
    "größe 漢字",
    "-x",
    "\n",
  ];
  for (const kind of KINDS) {
    const script = 'for a in "$@"; do printf "%s|" "$a"; done';
    const text = output(kind, script, { args: ["name", ...args] });
    assert.equal(text, args.map((arg) => `${arg}|`).join(""));
  }
});

test("A launched command sees its name as it was called", () => {
  const PATH = Deno.env.get("PATH")!;
  using folder = new Folder();
  const file = `${folder.path}/output`;
  // A shell prints its argv[0] with complaints.
  const script = `{ nonexistent-command; } 2> '${file}'; exit 0`;
  for (const command of ["sh", "/bin/sh"]) {
    launch("free", { command, args: ["-c", script] });
    assert.match(Deno.readTextFileSync(file), new RegExp(`^${command}: `));
  }
  assert.equal(Deno.env.get("PATH"), PATH);
});

test("A launched command has the environment, folder and group of its parent", () => {
  const name = "TRACEDUMP_LAUNCHER_TEST";
  Deno.env.set(name, "a=b  c\n€");
  try {
    for (const kind of KINDS) {
      assert.equal(output(kind, `printf %s "$${name}"`), "a=b  c\n€");
      assert.equal(output(kind, "pwd -P").trim(), Deno.realPathSync("."));
      const group = (pid: number | "self"): string =>
        Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(
          " ",
        )[2]!;
      const text = output(kind, "exec cat /proc/self/stat");
      assert.equal(text.split(") ")[1]!.split(" ")[2], group("self"));
    }
  } finally {
    Deno.env.delete(name);
  }
});

test("A launched command inherits the descriptors that any child inherits", async () => {
  using folder = new Folder();
  const file = `${folder.path}/output`;
  const args = ["-c", `exec ls /proc/self/fd > '${file}'`];
  const read = (): string[] => Deno.readTextFileSync(file).trim().split("\n");
  const child = new Deno.Command("/bin/sh", {
    args,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  });
  await child.spawn().status;
  const expected = read();
  for (const kind of KINDS) {
    launch(kind, { command: "/bin/sh", args });
    assert.deepEqual(read(), expected);
  }
});

test("A launched command begins with the signals of a shell's child", () => {
  for (const kind of KINDS) {
    const ignored = BigInt(`0x${statusLine(kind, "SigIgn")}`);
    assert.equal(ignored >> BigInt(SIGPIPE - 1) & 1n, 0n, "SIGPIPE");
    assert.equal(BigInt(`0x${statusLine(kind, "SigBlk")}`), 0n);
    assert.equal(BigInt(`0x${statusLine(kind, "SigPnd")}`), 0n);
    assert.equal(BigInt(`0x${statusLine(kind, "ShdPnd")}`), 0n);
  }
});

test("A launched command ignores the signals that it shall ignore", () => {
  for (const kind of KINDS) {
    const ignoredSignals = [SIGHUP, SIGINT, SIGPIPE];
    const line = statusLine(kind, "SigIgn", { ignoredSignals });
    const mask = BigInt(`0x${line}`);
    for (const signal of [SIGHUP, SIGINT, SIGUSR1]) {
      const isIgnored = (mask >> BigInt(signal - 1) & 1n) === 1n;
      assert.equal(isIgnored, signal !== SIGUSR1, `signal ${signal}`);
    }
  }
});

test("A launched command may open as many files as the parent's child might", () => {
  const { soft, hard } = resourceLimit(RLIMIT_NOFILE, Deno.ppid);
  for (const kind of KINDS) {
    const text = output(kind, "ulimit -Sn; ulimit -Hn");
    const numbers = text.trim().split("\n").map((line) =>
      line === "unlimited" ? 2n ** 64n - 1n : BigInt(line)
    );
    assert.deepEqual(numbers, [soft, hard]);
  }
});

test("Only a traced command has the seccomp filter", () => {
  const SECCOMP_MODE_FILTER = "2";
  assert.equal(statusLine("traced", "Seccomp"), SECCOMP_MODE_FILTER);
  const own = readOwn("Seccomp");
  assert.equal(statusLine("free", "Seccomp"), own);
  // Set-user-ID programs keep their power.
  for (const kind of KINDS) {
    assert.equal(statusLine(kind, "NoNewPrivs"), readOwn("NoNewPrivs"));
  }
});

function readOwn(name: string): string {
  const text = Deno.readTextFileSync("/proc/self/status");
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(text)![1]!.trim();
}

function nobody(): User {
  const user = findUser("nobody");
  assert.ok(user !== undefined);
  return user;
}

test("A command can be launched as another user", () => {
  const user = nobody();
  const { uid, gid } = user;
  for (const kind of KINDS) {
    const ids = statusLine(kind, "Uid", { user }).split(/\s+/);
    assert.deepEqual(ids, Array(4).fill(`${uid}`));
    const groups = statusLine(kind, "Gid", { user }).split(/\s+/);
    assert.deepEqual(groups, Array(4).fill(`${gid}`));
    assert.equal(statusLine(kind, "Groups", { user }), user.groups.join(" "));
    assert.equal(statusLine(kind, "CapEff", { user }), "0".repeat(16));
    const script = 'echo "$HOME|$USER|$LOGNAME|$SHELL|$PATH"';
    const PATH = Deno.env.get("PATH");
    assert.equal(
      output(kind, script, { user }).trim(),
      [user.home, user.name, user.name, user.shell, PATH].join("|"),
    );
  }
});

test("A command's output can be sent to standard error", () => {
  for (const kind of KINDS) {
    using folder = new Folder();
    const file = `${folder.path}/output`;
    const args = [
      "-c",
      `exec readlink /proc/$$/fd/1 /proc/$$/fd/2 > '${file}'`,
    ];
    const options = { command: "sh", args, outputToStderr: true };
    launch(kind, options);
    const [out, error] = Deno.readTextFileSync(file).split("\n");
    assert.equal(error, Deno.readLinkSync("/proc/self/fd/2"));
    // The redirection is the command's own; what it had before is its parent's.
    assert.equal(out, file);
    const script = `exec 3>&1; exec readlink /proc/$$/fd/3 > '${file}'`;
    launch(kind, { ...options, args: ["-c", script] });
    assert.equal(Deno.readTextFileSync(file).trim(), error);
  }
});

/** What is thrown, and whether nobody is left behind. */
function failure(kind: Kind, options: LaunchOptions): LaunchError {
  const begin = kind === "traced" ? launchTraced : launchFree;
  let thrown: unknown;
  try {
    begin(options);
  } catch (error) {
    thrown = error;
  }
  assert.ok(thrown instanceof LaunchError, String(thrown));
  assert.equal(waitAnyNow(), -1, "a child is left");
  return thrown;
}

test("A command that does not exist is not launched", () => {
  for (const kind of KINDS) {
    for (
      const command of ["no-such-command", "./no-such-command", "/bin/sh/x", ""]
    ) {
      const error = failure(kind, { command, args: [] });
      const ENOTDIR = 20;
      const isBelowFile = command === "/bin/sh/x";
      assert.equal(error.errno, isBelowFile ? ENOTDIR : ENOENT, command);
      const text = isBelowFile
        ? "Not a directory"
        : "No such file or directory";
      const name = JSON.stringify(command);
      assert.equal(error.message, `Cannot run ${name}: ${text}`);
    }
  }
});

test("A command that cannot be executed is not launched", () => {
  using folder = new Folder();
  const plain = folder.write("plain", "#!/bin/sh\nexit 0\n", 0o644);
  for (const command of [plain, folder.path]) {
    const error = failure("traced", { command, args: [] });
    assert.equal(error.errno, EACCES);
  }
  const interpreter = folder.write("script", "#!/nonexistent/sh\n");
  assert.equal(
    failure("traced", { command: interpreter, args: [] }).errno,
    ENOENT,
  );
});

test("A command is searched as execvp(3) searches", () => {
  using first = new Folder();
  using second = new Folder();
  first.write("both", "#!/bin/sh\nexit 1\n");
  second.write("both", "#!/bin/sh\nexit 2\n");
  first.write("denied", "#!/bin/sh\nexit 1\n", 0o644);
  second.write("denied", "#!/bin/sh\nexit 2\n");
  first.write("never", "#!/bin/sh\nexit 1\n", 0o644);
  second.write("plain", "exit $(($1 + $#))\n");
  const PATH = Deno.env.get("PATH")!;
  Deno.env.set(
    "PATH",
    `/nonexistent:${first.path}/both:${first.path}:${second.path}:${PATH}`,
  );
  try {
    const run = (command: string, ...args: string[]): WaitStatus =>
      launch("traced", { command, args });
    assert.deepEqual(run("both"), { kind: "exited", code: 1 });
    // One that cannot be executed is passed over.
    assert.deepEqual(run("denied"), { kind: "exited", code: 2 });
    assert.equal(
      failure("traced", { command: "never", args: [] }).errno,
      EACCES,
    );
    // Without a known format it is a shell script.
    assert.deepEqual(run("plain", "5", "6"), { kind: "exited", code: 7 });
  } finally {
    Deno.env.set("PATH", PATH);
  }
});
