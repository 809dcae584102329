import assert from "node:assert/strict";
import {
  ebpfFailure,
  mapFilterFailure,
  mapFilterReason,
  type Probe,
  probeLines,
  trackerNotice,
} from "../../../../lib/session/ebpf_report.ts";
import { rightsOf } from "../proc/rights_fixture.ts";

const ALL = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"] as const;
const REFUSED: Probe = {
  hooks: "cg",
  error: 'Cannot load eBPF program "x": bpf(BPF_PROG_LOAD) failed with EPERM' +
    ": 1: (67) r1 <<= 3; R1 is odd",
  code: "EPERM",
  milliseconds: 3.2,
};

function textOf(...args: Parameters<typeof trackerNotice>): string {
  return trackerNotice(...args).text;
}

Deno.test("trackerNotice() needs no excuse for cgroup hooks", () => {
  assert.deepEqual(trackerNotice("cg", [{ hooks: "cg" }], rightsOf(...ALL)), {
    severity: "info",
    text: "sockets are followed by eBPF (cgroup hooks)",
  });
});

Deno.test("trackerNotice() names the rights that eBPF would need", () => {
  assert.equal(
    textOf(undefined, [REFUSED], rightsOf("CAP_NET_RAW")),
    "sockets are followed by ptrace: for eBPF the rights CAP_BPF, " +
      "CAP_PERFMON and CAP_NET_ADMIN are missing",
  );
  assert.equal(
    textOf(undefined, [REFUSED], rightsOf("CAP_BPF", "CAP_NET_ADMIN")),
    "sockets are followed by ptrace: for eBPF the right CAP_PERFMON is missing",
  );
});

Deno.test("trackerNotice() gives the kernel's word where rights suffice", () => {
  assert.equal(
    textOf(undefined, [REFUSED], rightsOf(...ALL)),
    "sockets are followed by ptrace: eBPF cannot be used here: Cannot load " +
      'eBPF program "x": bpf(BPF_PROG_LOAD) failed with EPERM',
  );
});

Deno.test("trackerNotice() blames namespaces first", () => {
  const rights = rightsOf(...ALL);
  assert.match(
    textOf(undefined, [], { ...rights, inUserNamespace: true }),
    /ptrace: eBPF is not permitted in a user namespace$/,
  );
  assert.match(
    textOf(undefined, [], { ...rights, inPidNamespace: true }),
    /ptrace: eBPF sees other process ids than those of this PID namespace$/,
  );
});

Deno.test("trackerNotice() warns of what tracepoints miss", () => {
  const notice = trackerNotice(
    "tp",
    [REFUSED, { hooks: "tp" }],
    rightsOf("CAP_BPF", "CAP_PERFMON"),
  );
  assert.equal(notice.severity, "warning");
  assert.match(notice.text, /can miss datagrams/);
  assert.match(
    notice.text,
    /for cgroup hooks the right CAP_NET_ADMIN is missing$/,
  );
});

Deno.test("trackerNotice() knows where CAP_SYS_ADMIN is not enough", () => {
  assert.match(
    textOf("fe", [REFUSED, { hooks: "fe" }], rightsOf("CAP_SYS_ADMIN")),
    /fentry hooks\): for cgroup hooks the right CAP_NET_ADMIN is missing$/,
  );
  assert.match(
    textOf("fe", [{ ...REFUSED, code: "EINVAL" }], rightsOf("CAP_SYS_ADMIN")),
    /cgroup hooks cannot be used here: Cannot load .* failed with EPERM$/,
  );
});

Deno.test("probeLines() tells each trial with the verifier's words", () => {
  assert.deepEqual(
    probeLines([REFUSED, { hooks: "tp", milliseconds: 18.4 }, { error: "No" }]),
    [
      `eBPF cgroup hooks: not usable after 4 ms: ${REFUSED.error}`,
      "eBPF tracepoints: in use after 19 ms",
      "eBPF: not usable: No",
    ],
  );
});

Deno.test("ebpfFailure() names exactly what the asked hooks lack", () => {
  const error = ebpfFailure(
    "cg",
    [REFUSED],
    rightsOf("CAP_BPF", "CAP_PERFMON"),
  );
  assert.equal(error.code, "permission");
  assert.equal(
    error.message,
    "Cannot follow sockets with eBPF cgroup hooks: the right CAP_NET_ADMIN " +
      "is missing",
  );
  assert.match(error.hint ?? "", /setcap .*--tracker ptrace$/);
  assert.match(
    ebpfFailure(undefined, [], rightsOf()).message,
    /with eBPF: the rights CAP_BPF and CAP_PERFMON are missing$/,
  );
});

Deno.test("ebpfFailure() passes on what the kernel says", () => {
  const error = ebpfFailure(
    "fe",
    [{ error: "Nothing works" }],
    rightsOf(...ALL),
  );
  assert.equal(error.code, "unsupported");
  assert.equal(
    error.message,
    "Cannot follow sockets with eBPF: Nothing works",
  );
  assert.equal(error.hint, "Use --tracker ptrace");
});

Deno.test("mapFilterFailure() tells a missing right from a refusal", () => {
  const missing = mapFilterFailure(new Error("x"), rightsOf("CAP_NET_RAW"));
  assert.equal(missing.code, "permission");
  assert.equal(
    missing.message,
    "Cannot use the map filter: the right CAP_BPF is missing",
  );
  assert.match(missing.hint ?? "", /setcap .*--kernel-filter classic$/);
  const refused = mapFilterFailure(new Error("x"), rightsOf("CAP_BPF"));
  assert.equal(refused.code, "unsupported");
  assert.equal(refused.message, "Cannot use the map filter: x");
  assert.equal(refused.hint, "Use --kernel-filter classic");
});

Deno.test("mapFilterReason() does not mind PID namespaces", () => {
  const rights = rightsOf("CAP_BPF");
  assert.equal(
    mapFilterReason(new Error("x"), { ...rights, inPidNamespace: true }),
    "x",
  );
  assert.equal(
    mapFilterReason(new Error("x"), { ...rights, inUserNamespace: true }),
    "eBPF is not permitted in a user namespace",
  );
});
