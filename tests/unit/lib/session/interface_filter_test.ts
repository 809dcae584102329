import assert from "node:assert/strict";
import type { PacketView } from "../../../../bpf/classic/packet_view.ts";
import { ClassicMachine } from "../../../../bpf/classic/vm.ts";
import { interfaceProgram } from "../../../../lib/session/interface_filter.ts";
import { compileFilter } from "../../../../lib/session/trace/filter.ts";
import { SAMPLES } from "../packet/samples.ts";

const ALL = 0x4_0000;
const ETHERNET = 1;

function verdict(
  text: string,
  metadata: Pick<PacketView, "arphrd" | "packetType" | "vlanPresent">,
  snaplen = 0,
): number {
  const filter = text === "" ? undefined : compileFilter(text);
  const program = interfaceProgram(filter, ETHERNET, snaplen);
  return new ClassicMachine(program).run({
    bytes: SAMPLES.tcpSyn.data,
    arphrd: 1,
    packetType: 0,
    vlanPresent: false,
    ...metadata,
  });
}

Deno.test("interfaceProgram() lets through what the filter does", () => {
  assert.equal(verdict("", {}), ALL);
  assert.equal(verdict("tcp", {}), ALL);
  assert.equal(verdict("udp", {}), 0);
  assert.equal(verdict("", {}, 64), 64);
  assert.equal(verdict("tcp", {}, 64), 64);
});

Deno.test("interfaceProgram() takes packets of loopback when they arrive", () => {
  for (const text of ["", "tcp"]) {
    assert.equal(verdict(text, { arphrd: 772, packetType: 4 }), 0);
    assert.equal(verdict(text, { arphrd: 772, packetType: 0 }), ALL);
    assert.equal(verdict(text, { arphrd: 1, packetType: 4 }), ALL);
  }
});

Deno.test("interfaceProgram() leaves tagged packets to user space", () => {
  assert.equal(verdict("udp", { vlanPresent: true }), ALL);
  assert.equal(verdict("udp", { vlanPresent: true }, 64), 64);
});
