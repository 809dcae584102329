import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { disassemble } from "../../../../bpf/extended/disassemble.ts";
import { relocate } from "../../../../bpf/extended/assemble.ts";
import { MAP } from "../../../../bpf/programs/layout.ts";
import { packetFilter } from "../../../../bpf/programs/packet_filter.ts";
import type { Program } from "../../../../bpf/programs/program.ts";
import {
  SOCK_OPS_ABILITIES,
  sockOpsProgram,
} from "../../../../bpf/programs/cgroup_tcp.ts";
import { cgroupPrograms } from "../../../../bpf/programs/tracker_cg.ts";

const MAX_INSTRUCTIONS = 4096;
const CALL = 0x85;
const GET_NETNS_COOKIE = 122;
const GET_CURRENT_COMM = 16;
const GET_CURRENT_PID_TGID = 14;

function all(): Program[] {
  return [
    packetFilter(),
    ...cgroupPrograms(),
    ...SOCK_OPS_ABILITIES.map(sockOpsProgram),
  ];
}

/** Numbers of the helpers that a program calls. */
function helpers({ code }: Program): Set<number> {
  const calls = disassemble(code.bytes).instructions
    .filter(({ opcode, src }) => opcode === CALL && src === 0);
  return new Set(calls.map(({ imm }) => imm));
}

Deno.test("programs refer to maps of the layout only", () => {
  const names = new Set<string>(Object.values(MAP));
  for (const { name, code } of all()) {
    for (const relocation of code.relocations) {
      ok(names.has(relocation.name), `${name}: ${relocation.name}`);
    }
  }
});

Deno.test("programs have names that the kernel takes, and fit", () => {
  for (const { name, code } of all()) {
    ok(/^\w{1,15}$/.test(name), name);
    ok(code.bytes.length / 8 < MAX_INSTRUCTIONS, name);
  }
});

Deno.test("packetFilter() needs six maps", () => {
  const { code, type, attachment } = packetFilter();
  deepEqual(
    [...new Set(code.relocations.map(({ name }) => name))].sort(),
    ["config", "conns", "fragments", "ports", "remotes", "used_ports"],
  );
  equal(type, "SOCKET_FILTER");
  deepEqual(attachment, { kind: "socket" });
  throws(() => relocate(code, { config: 3 }), RangeError);
});

Deno.test("packetFilter() looks for ports before and after calls under way", () => {
  // A call's rule goes when its port's has come: both may be missed otherwise.
  const names = packetFilter().code.relocations.map(({ name }) => name)
    .filter((name) => name === "ports" || name === "remotes");
  deepEqual(names, ["ports", "remotes", "ports"]);
});

Deno.test("sockOpsProgram() calls only helpers that it may", () => {
  for (const abilities of SOCK_OPS_ABILITIES) {
    const called = helpers(sockOpsProgram(abilities));
    equal(called.has(GET_CURRENT_PID_TGID), abilities.process);
    equal(called.has(GET_CURRENT_COMM), abilities.comm);
    equal(called.has(GET_NETNS_COOKIE), abilities.netns);
  }
});

Deno.test("each cgroup hook has one program", () => {
  const places = cgroupPrograms().map(({ attachment }) =>
    attachment.kind === "cgroup" ? attachment.type : attachment.kind
  );
  equal(new Set(places).size, places.length);
  equal(places.length, 13);
});
