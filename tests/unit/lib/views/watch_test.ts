import { deepEqual, equal, throws } from "node:assert/strict";
import { SyscallError } from "../../../../ffi/errno.ts";
import { ProgramLoadError } from "../../../../ffi/bpf_program.ts";
import { CgroupTree } from "../../../../lib/views/cgroups.ts";
import { diagRow } from "../../../../lib/views/diag_watch.ts";
import { ViewError } from "../../../../lib/views/errors.ts";
import { openFailure } from "../../../../lib/views/open_failure.ts";
import { isWanted } from "../../../../lib/views/watch.ts";
import { CONNECTIONS } from "../cli/fake_views.ts";
import { rightsOf } from "../proc/rights_fixture.ts";

Deno.test("isWanted() compares everything that is asked for", () => {
  const [row] = CONNECTIONS;
  equal(isWanted(row!, {}), true);
  equal(isWanted(row!, { family: 4, uid: 1000 }), true);
  equal(isWanted(row!, { family: 6 }), false);
  equal(isWanted(row!, { uid: 0 }), false);
  equal(isWanted(row!, { localPorts: new Set([50_000]) }), true);
  equal(isWanted(row!, { localPorts: new Set([443]) }), false);
  equal(isWanted(row!, { remotePorts: new Set([443, 80]) }), true);
  equal(isWanted(row!, { remotePorts: new Set() }), false);
  equal(isWanted(row!, {}, new Set([77])), true);
  equal(isWanted(row!, {}, new Set([78])), false);
});

Deno.test("CgroupTree knows a folder and those below it", async () => {
  const root = await Deno.makeTempDir();
  try {
    throws(() => new CgroupTree(root), ViewError);
    Deno.writeTextFileSync(`${root}/cgroup.controllers`, "");
    Deno.mkdirSync(`${root}/a/b`, { recursive: true });
    const tree = new CgroupTree(root);
    const id = (path: string): number => Deno.statSync(path).ino!;
    equal(tree.has(id(root)), true);
    equal(tree.has(id(`${root}/a/b`)), true);
    equal(tree.has(id("/")), false);
    Deno.mkdirSync(`${root}/later`);
    equal(tree.has(id(`${root}/later`)), true);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

const REFUSED = new SyscallError("bpf(BPF_PROG_LOAD)", 1);

Deno.test("openFailure() names exactly the rights that are missing", () => {
  const text = (hooks: boolean, ...rights: string[]): string =>
    openFailure(REFUSED, hooks, rightsOf(...rights)).message;
  equal(
    text(true),
    "Cannot watch the machine: the rights CAP_BPF, CAP_PERFMON and " +
      "CAP_NET_ADMIN are missing",
  );
  equal(
    text(false, "CAP_BPF"),
    "Cannot watch the machine: the right CAP_PERFMON is missing",
  );
  equal(
    text(false, "CAP_SYS_ADMIN"),
    "Cannot watch the machine: bpf(BPF_PROG_LOAD) failed with EPERM " +
      "(Operation not permitted)",
  );
});

Deno.test("openFailure() tells about namespaces and missing types", () => {
  const root = rightsOf("CAP_SYS_ADMIN");
  const inside = { ...root, inUserNamespace: true };
  equal(
    openFailure(REFUSED, false, inside).message,
    "Cannot watch the machine: eBPF is not permitted in a user namespace",
  );
  equal(
    openFailure(new Deno.errors.NotFound("x"), false, root).message,
    "Cannot watch the machine: the kernel has no type information (BTF) in " +
      "/sys/kernel/btf/vmlinux",
  );
});

Deno.test("openFailure() keeps the program's name and the last lines", () => {
  const log = Array.from({ length: 30 }, (_, at) => `line ${at}`).join("\n");
  const { detail } = openFailure(
    new ProgramLoadError("view_state", REFUSED, log),
    false,
    rightsOf("CAP_SYS_ADMIN"),
  );
  equal(detail[0], 'the verifier on program "view_state":');
  deepEqual(detail.slice(1), log.split("\n").slice(-20));
});

Deno.test("diagRow() takes SYN and FIN off what was sent", () => {
  const tcpInfo = new Uint8Array(216);
  const view = new DataView(tcpInfo.buffer);
  view.setUint32(68, 500, true);
  view.setUint32(100, 3, true);
  view.setBigUint64(120, 1002n, true);
  view.setBigUint64(128, 77n, true);
  view.setBigUint64(200, 1200n, true);
  view.setBigUint64(208, 200n, true);
  const socket = {
    family: 2,
    protocol: 6,
    state: 7,
    localAddress: Uint8Array.of(192, 0, 2, 1),
    localPort: 1000,
    remoteAddress: Uint8Array.of(192, 0, 2, 2),
    remotePort: 80,
    interface: 0,
    cookie: 1n,
    uid: 0,
    inode: 0,
    expires: 0,
    receiveQueue: 0,
    sendQueue: 0,
    shutdown: undefined,
    v6Only: undefined,
    tcpInfo,
  } as const;
  const known = { since: 4000, openBefore: false, pid: 7, comm: "a", uid: 1 };
  const row = diagRow(socket, known, false, 5000);
  deepEqual(
    [row.bytesSent, row.bytesReceived, row.duration, row.retransmits],
    [1000, 77, 1000, 3],
  );
  deepEqual([row.pid, row.ownerFrom, row.roundTrip], [7, "descriptor", 500]);
  const unknown = diagRow(socket, undefined, false, 5000);
  deepEqual([unknown.pid, unknown.ownerFrom], [0, "unknown"]);
  equal(unknown.duration, 0);
});
