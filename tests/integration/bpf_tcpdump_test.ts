import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatC,
  formatDecimal,
  formatListing,
  parseDecimal,
} from "../../bpf/classic/text.ts";
import { findViolation } from "../../bpf/classic/validate.ts";
import { ClassicMachine } from "../../bpf/classic/vm.ts";
import { packets } from "../unit/bpf/packets.ts";
import { frameOf } from "./bpf_kernel_cables.ts";
import { kernelTest } from "./bpf_kernel_support.ts";

/** Filters that use all of libpcap's code generator. */
const EXPRESSIONS = [
  "tcp port 80",
  "ip6 and udp",
  "vlan 5 and host 192.0.2.1",
  "ether[14:4] & 0xff = 3 and len - 4 > 2",
  "ip[0] << 2 = -ip[1]|3^4 and (len % 3)*ip[2]/7 = 5",
  "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src net 10.0.0.0/8",
  "greater 100 and portrange 1000-2000",
];

function tcpdump(...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command("tcpdump", {
    args: ["-y", "EN10MB", ...args],
    stderr: "piped",
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

kernelTest("tcpdump prints programs as we do", ["program tcpdump"], () => {
  for (const expression of EXPRESSIONS) {
    for (const options of [[], ["-O"]]) {
      const decimal = tcpdump("-ddd", ...options, expression);
      const program = parseDecimal(decimal);
      assert.equal(findViolation(program), undefined);
      assert.equal(formatDecimal(program), decimal);
      assert.equal(formatC(program), tcpdump("-dd", ...options, expression));
      assert.equal(
        formatListing(program),
        tcpdump("-d", ...options, expression),
      );
    }
  }
});

kernelTest(
  "Programs of tcpdump mean the same optimized or not",
  ["program tcpdump"],
  () => {
    const frames = fc.sample(
      packets.filter(({ tags, packetType }) => {
        return tags.length === 0 || packetType !== 4;
      }),
      { numRuns: 300, seed: 7 },
    ).map(frameOf);
    for (const expression of EXPRESSIONS) {
      const [optimized, plain] = [[], ["-O"]].map((options) =>
        new ClassicMachine(
          parseDecimal(tcpdump("-ddd", ...options, expression)),
        )
      );
      for (const bytes of frames) {
        assert.equal(optimized!.run({ bytes }), plain!.run({ bytes }));
      }
    }
  },
);
