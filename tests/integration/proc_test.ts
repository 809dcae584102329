import assert from "node:assert/strict";
import { readCommandLine } from "../../lib/proc/cmdline.ts";
import { readComm } from "../../lib/proc/comm.ts";
import { readFds, ringSocketInodes, socketFds } from "../../lib/proc/fd.ts";
import { isKernelThread } from "../../lib/proc/kernel_thread.ts";
import { readOpenFilesLimit } from "../../lib/proc/limits.ts";
import { networkNamespace } from "../../lib/proc/ns.ts";
import { readStat } from "../../lib/proc/stat.ts";
import { readStatus } from "../../lib/proc/status.ts";
import {
  childrenOf,
  childrenOfThread,
  processIds,
  processTree,
  threadIds,
} from "../../lib/proc/task.ts";
import { Child, until } from "../support/processes.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../support/requires.ts";

function test(
  name: string,
  needs: readonly Requirement[],
  run: () => void | Promise<void>,
): void {
  const reason = missing(needs);
  Deno.test({
    name: reason === undefined ? name : `${name} (${reason})`,
    ignore: reason !== undefined && !isContinuousIntegration(),
    fn: run,
  });
}

/** Starts a Python program that prints one line and waits for its input. */
async function python(source: string): Promise<[Child, RegExpMatchArray]> {
  const child = new Child(["python3", "-c", source], { stdin: "piped" });
  try {
    return [child, await child.seen("stdout", /^(.*)\n/)];
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

test(
  "readStatus() and readStat() describe a program",
  ["program python3"],
  async () => {
    const [child] = await python(`
import ctypes, signal, sys
ctypes.CDLL(None).prctl(15, b") \\\\n\\n(x", 0, 0, 0)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.signal(signal.SIGUSR2, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
print("ready", flush=True)
sys.stdin.read()
`);
    await using _ = child;
    const status = readStatus(child.pid);
    assert.ok(status);
    // PR_SET_NAME: a parenthesis, a backslash and a newline.
    const name = ") \\n\n(x";
    assert.equal(status.name, name);
    assert.equal(status.tgid, child.pid);
    assert.equal(status.pid, child.pid);
    assert.equal(status.ppid, Deno.pid);
    assert.equal(status.tracerPid, 0);
    assert.equal(status.uid[0], Deno.uid());
    assert.equal(status.gid[1], Deno.gid());
    assert.equal(status.nsPid[0], child.pid);
    assert.equal(status.threads, 1);
    assert.equal(status.sigIgn & 1n << 9n, 1n << 9n);
    assert.equal(status.sigCgt & 1n << 11n, 1n << 11n);
    assert.equal(status.sigBlk & 1n, 1n);

    const stat = readStat(child.pid);
    assert.ok(stat);
    assert.equal(stat.comm, name);
    assert.equal(stat.ppid, Deno.pid);
    assert.ok(stat.startTime >= (readStat(Deno.pid)?.startTime ?? Infinity));
    assert.equal(readComm(child.pid), name);
    assert.deepEqual(
      readCommandLine(child.pid)?.slice(-2),
      child.argv.slice(-2),
    );
    assert.equal(isKernelThread(child.pid), false);
  },
);

test("isKernelThread() knows the kernel's threads", ["kernel thread 2"], () => {
  assert.equal(isKernelThread(2), true);
  assert.deepEqual(readCommandLine(2), []);
});

test("threadIds() and childrenOf() see threads and their children", [
  "program python3",
], async () => {
  const [child, [, line = ""]] = await python(`
import subprocess, sys, threading
ready = threading.Event()
def run():
    global made
    made = subprocess.Popen(["sleep", "60"])
    ready.set()
    ended.wait()
    made.kill()
    made.wait()
ended = threading.Event()
thread = threading.Thread(target=run)
thread.start()
ready.wait()
print(thread.native_id, made.pid, flush=True)
sys.stdin.read()
ended.set()
`);
  await using _ = child;
  const [tid, sleeper] = line.split(" ").map(Number);
  assert.ok(tid !== undefined && sleeper !== undefined);
  assert.deepEqual(threadIds(child.pid), [child.pid, tid]);
  assert.deepEqual(childrenOf(child.pid), [sleeper]);
  assert.deepEqual(processTree(child.pid), [child.pid, sleeper]);
  assert.ok(processTree(Deno.pid).includes(sleeper));
  const made = childrenOfThread(tid);
  assert.ok(made === undefined || made.includes(sleeper));
  const listed = processIds();
  assert.ok(listed.includes(sleeper));
  assert.ok(!listed.includes(tid));
  await child.closeInput();
  await child.ended();
  assert.deepEqual(processTree(child.pid), []);
});

test("every function copes with a process that is gone", [], async () => {
  const child = new Child(["true"]);
  await child.ended();
  const { pid } = child;
  assert.equal(readStatus(pid), undefined);
  assert.equal(readStat(pid), undefined);
  assert.equal(readComm(pid), undefined);
  assert.equal(readCommandLine(pid), undefined);
  assert.equal(readOpenFilesLimit(pid), undefined);
  assert.equal(networkNamespace(pid), undefined);
  assert.equal(isKernelThread(pid), undefined);
  assert.deepEqual(threadIds(pid), []);
  assert.deepEqual(childrenOf(pid), []);
  assert.deepEqual(processTree(pid), []);
  assert.deepEqual(socketFds(pid), []);
});

test("every function copes with a zombie", ["program python3"], async () => {
  const [child, [, line = ""]] = await python(`
import os, sys
pid = os.fork()
if pid == 0: os._exit(0)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print(pid, flush=True)
sys.stdin.read()
`);
  await using _ = child;
  const pid = Number(line);
  assert.equal(readStatus(pid)?.state, "Z");
  assert.equal(readStat(pid)?.state, "Z");
  assert.deepEqual(readCommandLine(pid), []);
  assert.equal(networkNamespace(pid), undefined);
  assert.deepEqual(threadIds(pid), [pid]);
  assert.deepEqual(processTree(pid), [pid]);
  assert.deepEqual(socketFds(pid), []);
});

test(
  "readOpenFilesLimit() reads what setrlimit() set",
  ["program python3"],
  async () => {
    const [child] = await python(`
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
print("ready", flush=True)
sys.stdin.read()
`);
    await using _ = child;
    assert.deepEqual(readOpenFilesLimit(child.pid), { soft: 100, hard: 200 });
  },
);

test("networkNamespace() tells namespaces apart", [
  "network namespaces",
  "program unshare",
], async () => {
  await using child = new Child(["unshare", "--net", "cat"], {
    stdin: "piped",
  });
  await until(
    () => readComm(child.pid) === "cat" || undefined,
    "unshare to become cat",
  );
  const own = networkNamespace(Deno.pid);
  const other = networkNamespace(child.pid);
  assert.ok(own !== undefined && other !== undefined);
  assert.notEqual(own, other);
});

test(
  "readFds() looks into the table of one thread",
  ["program python3"],
  async () => {
    const [child, [, line = ""]] = await python(`
import ctypes, os, socket, sys, threading
shared = socket.socket()
ready, ended = threading.Event(), threading.Event()
def run():
    global own
    ctypes.CDLL(None).unshare(0x400)  # CLONE_FILES
    own = socket.socket()
    ready.set()
    ended.wait()
thread = threading.Thread(target=run)
thread.start()
ready.wait()
inode = os.stat(f"/proc/self/task/{thread.native_id}/fd/{own.fileno()}").st_ino
print(thread.native_id, os.fstat(shared.fileno()).st_ino, inode, flush=True)
sys.stdin.read()
ended.set()
`);
    await using _ = child;
    const [tid, shared, own] = line.split(" ").map(Number);
    const ofProcess = socketFds(child.pid).map(({ inode }) => inode);
    const ofThread = socketFds(child.pid, tid).map(({ inode }) => inode);
    assert.deepEqual(ofProcess, [shared]);
    assert.deepEqual(ofThread, [shared, own]);
    await child.closeInput();
    await child.ended();
  },
);

test("ringSocketInodes() finds sockets without a descriptor", [
  "program python3",
], async () => {
  const [child, [, line = ""]] = await python(`
import array, ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
ring = libc.syscall(425, 4, ctypes.create_string_buffer(120))  # io_uring_setup
if ring < 0:
    print("refused", flush=True)
    sys.exit()
sock = socket.socket()
inode = os.fstat(sock.fileno()).st_ino
files = (ctypes.c_int * 2)(-1, sock.fileno())
assert libc.syscall(427, ring, 2, files, 2) == 0  # IORING_REGISTER_FILES
sock.close()
print(ring, inode, flush=True)
sys.stdin.read()
`);
  await using _ = child;
  // io_uring may be missing, or forbidden by kernel.io_uring_disabled.
  if (line === "refused") return;
  const [ring, inode] = line.split(" ").map(Number);
  assert.ok(ring !== undefined);
  assert.deepEqual(readFds(child.pid), {
    sockets: [],
    rings: [ring],
    hasPidfds: false,
  });
  assert.deepEqual(ringSocketInodes(child.pid, ring), [inode]);
});

test("ProcPermissionError tells refusal from absence", ["root"], async () => {
  // The reader runs as nobody and looks at this process, which is root's.
  const folder = Deno.makeTempDirSync({ prefix: "proc-test-" });
  try {
    Deno.chmodSync(folder, 0o777);
    const resolve = (path: string): string =>
      JSON.stringify(import.meta.resolve(path));
    const reader = `${folder}/reader.ts`;
    Deno.writeTextFileSync(
      reader,
      `import { socketFds } from ${resolve("../../lib/proc/fd.ts")};
import { readStatus } from ${resolve("../../lib/proc/status.ts")};
const pid = Number(Deno.args[0]);
console.log(readStatus(pid)?.pid === pid);
try {
  console.log(socketFds(pid));
} catch (error) {
  console.log(error.name, error.code, error.path);
}`,
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--no-lock",
        "-A",
        reader,
        String(Deno.pid),
      ],
      uid: 65534,
      gid: 65534,
      cwd: folder,
      env: { DENO_DIR: `${folder}/deno`, HOME: folder },
    }).output();
    const decoder = new TextDecoder();
    assert.equal(
      decoder.decode(stdout),
      `true\nProcPermissionError EACCES /proc/${Deno.pid}/fd\n`,
      decoder.decode(stderr),
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
