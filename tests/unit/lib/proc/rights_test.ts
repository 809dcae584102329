import assert from "node:assert/strict";
import {
  has,
  missingFor,
  readRights,
  rightsText,
  setcapHint,
} from "../../../../lib/proc/rights.ts";
import { makeProc } from "./fixture.ts";
import { makeOwnProc, maskOf, rightsOf } from "./rights_fixture.ts";

Deno.test("readRights() reads effective capabilities", () => {
  using proc = makeOwnProc({
    capabilities: ["CAP_NET_RAW", "CAP_BPF"],
    pid: 9,
  });
  assert.deepEqual(readRights(proc.root), {
    capabilities: maskOf("CAP_NET_RAW", "CAP_BPF"),
    inUserNamespace: false,
    inPidNamespace: false,
    procPid: 9,
  });
});

Deno.test("readRights() tells namespaces from the first ones", () => {
  using proc = makeOwnProc({
    userNamespace: 4026532200,
    pidNamespace: 4026532201,
  });
  const { inUserNamespace, inPidNamespace } = readRights(proc.root);
  assert.deepEqual({ inUserNamespace, inPidNamespace }, {
    inUserNamespace: true,
    inPidNamespace: true,
  });
});

Deno.test("readRights() assumes nothing where procfs shows nothing", () => {
  using proc = makeProc({ "1/status": "Pid:\t1\n" });
  assert.deepEqual(readRights(proc.root), {
    capabilities: 0n,
    inUserNamespace: false,
    inPidNamespace: false,
    procPid: undefined,
  });
});

Deno.test("has() looks at one capability", () => {
  const rights = rightsOf("CAP_PERFMON");
  assert.equal(has(rights, "CAP_PERFMON"), true);
  assert.equal(has(rights, "CAP_BPF"), false);
  assert.equal(has(rights, "CAP_NET_RAW"), false);
});

Deno.test("missingFor() follows the table of capabilities", () => {
  const raw = rightsOf("CAP_NET_RAW");
  assert.deepEqual(missingFor(raw, "map"), ["CAP_BPF"]);
  assert.deepEqual(missingFor(raw, "tp"), ["CAP_BPF", "CAP_PERFMON"]);
  const bpf = rightsOf("CAP_NET_RAW", "CAP_BPF");
  assert.deepEqual(missingFor(bpf, "map"), []);
  assert.deepEqual(missingFor(bpf, "fe"), ["CAP_PERFMON"]);
  const tracing = rightsOf("CAP_BPF", "CAP_PERFMON");
  assert.deepEqual(missingFor(tracing, "tp"), []);
  assert.deepEqual(missingFor(tracing, "cg"), ["CAP_NET_ADMIN"]);
});

Deno.test("missingFor() takes CAP_SYS_ADMIN for all of them", () => {
  for (const part of ["cg", "fe", "tp", "map"] as const) {
    assert.deepEqual(missingFor(rightsOf("CAP_SYS_ADMIN"), part), []);
  }
});

Deno.test("rightsText() counts", () => {
  assert.equal(rightsText(["CAP_BPF"]), "the right CAP_BPF");
  assert.equal(
    rightsText(["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"]),
    "the rights CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN",
  );
});

Deno.test("setcapHint() does not give rights to the runtime", () => {
  assert.match(setcapHint(), /setcap cap_net_raw,\S+cap_net_admin\+ep /);
  assert.ok(!setcapHint().includes(Deno.execPath()));
  assert.match(setcapHint("cap_dac_read_search"), /,cap_dac_read_search\+ep/);
});
