import assert from "node:assert/strict";
import { FilterSyntaxError } from "../../../../../bpf/filter/errors.ts";
import { compileFilter } from "../../../../../lib/session/trace/filter.ts";
import {
  Packet,
  type PacketInit,
} from "../../../../../lib/session/trace/packet.ts";
import { SAMPLES } from "../../packet/samples.ts";

function packetOf(
  name: keyof typeof SAMPLES,
  more: Partial<PacketInit> = {},
): Packet {
  const { linkType, data, originalLength } = SAMPLES[name];
  return new Packet({
    timestamp: 0n,
    linkType,
    data,
    wireLength: originalLength,
    ...more,
  });
}

Deno.test("compileFilter() matches packets of every link type", () => {
  const filter = compileFilter("tcp or arp");
  assert(filter.matches(packetOf("tcpSyn")));
  assert(filter.matches(packetOf("sllReset")));
  assert(filter.matches(packetOf("sll2Syn")));
  assert(filter.matches(packetOf("sll2Arp")));
  assert(!filter.matches(packetOf("dnsQuery")));
  assert(!filter.matches(packetOf("sll6Out")));
});

Deno.test("compileFilter() shows its program and its expression", () => {
  const filter = compileFilter("port 53");
  assert.equal(filter.text, "port 53");
  assert.equal(filter.linkType, 1);
  assert.ok(filter.program.length > 3);
  assert.notEqual(filter.toString(), "");
  assert.equal(compileFilter(filter.toString()).program.length > 3, true);
  assert.equal(compileFilter("ip", { linkType: 113 }).linkType, 113);
  assert.notDeepEqual(
    compileFilter("ip", { linkType: 113 }).program,
    compileFilter("ip").program,
  );
});

Deno.test("compileFilter() takes a link type that has what it looks at", () => {
  const filter = compileFilter("ifindex 1");
  assert.equal(filter.linkType, 276);
  assert.throws(() => filter.matches(packetOf("tcpSyn")), FilterSyntaxError);
});

Deno.test("compileFilter() tells mistakes at once, and where", () => {
  assert.throws(
    () => compileFilter("tcp prot 80"),
    (error) => error instanceof FilterSyntaxError && error.offset === 4,
  );
  assert.throws(() => compileFilter("ip", { linkType: 147 }), RangeError);
});

Deno.test("compileFilter() compares processes and directions", () => {
  const owner = { pid: 42, comm: "curl" };
  const ours = packetOf("sllReset", { process: owner, direction: "out" });
  assert(compileFilter("pid 42 and tcp").matches(ours));
  assert(compileFilter("comm curl and proc out").matches(ours));
  assert(!compileFilter("proc in").matches(ours));
  assert(!compileFilter("pid 43").matches(ours));
  assert(!compileFilter("pid 42").matches(packetOf("sllReset")));
  assert(compileFilter("pid 42").usesProcess);
  assert(!compileFilter("port 42").usesProcess);
});
