import assert from "node:assert/strict";
import { formatListing } from "../../../../bpf/classic/text.ts";
import { ClassicMachine } from "../../../../bpf/classic/vm.ts";
import {
  compileFilter,
  type FilterOptions,
  findHostNames,
} from "../../../../bpf/filter/compile.ts";
import { FilterSyntaxError } from "../../../../bpf/filter/errors.ts";
import { resolverFromFiles } from "../../../../bpf/filter/names.ts";
import { samplesOf } from "./samples.ts";

const ETHERNET = 1;
const RAW = 101;
const SLL = 113;
const SLL2 = 276;

/** Indexes of the uncut samples of a link type that match. */
function pick(
  text: string,
  linkType: number,
  options: Partial<FilterOptions> = {},
): number[] {
  const filter = compileFilter(text, { linkType, ...options });
  return samplesOf(linkType).flatMap(({ bytes, length }, index) =>
    length === bytes.length && filter.matches(bytes) ? [index] : []
  );
}

/** IPv4 packet with a protocol and what follows. */
function ipv4(protocol: number, ...payload: number[]): Uint8Array {
  const header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
  return Uint8Array.of(...header, 10, 0, 0, 1, 10, 0, 0, 2, ...payload);
}

Deno.test("compileFilter() makes the programs of libpcap", () => {
  const listing = (text: string, linkType: number): string =>
    formatListing(compileFilter(text, { linkType }).program);
  assert.equal(listing("", ETHERNET), "(000) ret      #262144\n");
  assert.equal(listing("ip and ip6", ETHERNET), "(000) ret      #0\n");
  assert.equal(
    listing("outbound and tcp[tcpflags] & tcp-syn != 0", SLL2),
    `(000) ldb      [10]
(001) jeq      #0x4             jt 2	jf 12
(002) ldh      [0]
(003) jeq      #0x800           jt 4	jf 12
(004) ldb      [29]
(005) jeq      #0x6             jt 6	jf 12
(006) ldh      [26]
(007) jset     #0x1fff          jt 12	jf 8
(008) ldxb     4*([20]&0xf)
(009) ldb      [x + 33]
(010) jset     #0x2             jt 11	jf 12
(011) ret      #262144
(012) ret      #0
`,
  );
});

Deno.test("compileFilter() tests a value where it was loaded before", () => {
  const { program } = compileFilter("port 80 and tcp", { linkType: RAW });
  assert.equal(program.length, 23);
});

Deno.test("compileFilter() honors the options", () => {
  const options = { linkType: RAW, snapLength: 96 };
  assert.equal(compileFilter("", options).program[0]!.k, 96);
  assert.throws(() => compileFilter("", { linkType: 147 }), {
    name: "RangeError",
    message: /link type 147 is not supported/,
  });
  const packet = ipv4(17);
  packet.set([10, 0, 0, 255], 16);
  const broadcast = "ip broadcast";
  assert(!compileFilter(broadcast, { linkType: RAW }).matches(packet));
  const netmask = 0xffffff00;
  assert(compileFilter(broadcast, { linkType: RAW, netmask }).matches(packet));
  const big = Uint8Array.of(0, 0, 0, 2, ...ipv4(6));
  assert(!compileFilter("ip", { linkType: 0 }).matches(big));
  assert(compileFilter("ip", { linkType: 0, isBigEndian: true }).matches(big));
});

Deno.test("compileFilter() refuses programs that the kernel refuses", () => {
  const hosts = Array.from(
    { length: 5000 },
    (_, index) => `host 10.1.${index >> 8}.${index & 255}`,
  );
  assert.throws(
    () => compileFilter(hosts.join(" or "), { linkType: ETHERNET }),
    { name: "RangeError", message: /the kernel takes 4096/ },
  );
});

Deno.test("compileFilter() reaches over more than 255 instructions", () => {
  const hosts = Array.from(
    { length: 300 },
    (_, index) => `host 10.1.${index >> 8}.${index & 255}`,
  );
  const text = `${hosts.join(" or ")} or tcp`;
  const filter = compileFilter(text, { linkType: RAW });
  assert(filter.program.length > 600);
  assert(filter.matches(ipv4(6)));
  assert(!filter.matches(ipv4(17)));
  const other = ipv4(17);
  other.set([10, 1, 1, 43], 16);
  assert(filter.matches(other));
});

Deno.test("compileFilter() reads socket packets of cooked captures", () => {
  for (const linkType of [SLL, SLL2]) {
    const placement = "socket";
    const text = "inbound and ifindex 3 and tcp and greater 36";
    const { program } = compileFilter(text, { linkType, placement });
    const machine = new ClassicMachine(program);
    const packet = {
      bytes: ipv4(6),
      protocol: 0x0800,
      packetType: 0,
      ifindex: 3,
    };
    assert.notEqual(machine.run(packet), 0);
    assert.equal(machine.run({ ...packet, packetType: 4 }), 0);
    assert.equal(machine.run({ ...packet, ifindex: 4 }), 0);
    assert.equal(machine.run({ ...packet, protocol: 0x86dd }), 0);
    assert.equal(machine.run({ ...packet, wireLength: 15 }), 0);
    assert.throws(
      () => compileFilter("link[0] = 1", { linkType, placement }),
      FilterSyntaxError,
    );
  }
});

Deno.test("matches() follows header chains that libpcap loops over", () => {
  // The chains of the samples: see V6_PACKETS there.
  const direct = pick("ip6 and ip6[6] = 6", RAW);
  const chained = pick("ip6 protochain 6", RAW);
  assert.deepEqual(direct.filter((index) => !chained.includes(index)), []);
  assert.equal(chained.length, direct.length + 3);
  assert.deepEqual(pick("ip6 protochain \\udp and not udp", RAW).length, 1);
  assert.equal(pick("ip protochain 17 and not ip proto 17", RAW).length, 1);
  assert.equal(pick("ip protochain 51", RAW).length, 2);
  const both = pick("protochain 6", RAW);
  assert.deepEqual(
    both,
    [...pick("ip protochain 6", RAW), ...chained].sort((a, b) => a - b),
  );
});

Deno.test("matches() looks into VXLAN", () => {
  const all = pick("vxlan", ETHERNET);
  assert.equal(all.length, 1);
  assert.deepEqual(pick("vxlan 7 and tcp port 80", ETHERNET), all);
  assert.deepEqual(pick("vxlan 7 and host 10.9.9.9", ETHERNET), all);
  assert.deepEqual(pick("vxlan 8", ETHERNET), []);
  assert.deepEqual(pick("vxlan and udp", ETHERNET), []);
});

Deno.test("matches() compares processes", () => {
  const filter = compileFilter(
    'tcp and (pid 5 or comm "a very long name" and proc in) or not pid 6',
    { linkType: RAW },
  );
  assert(filter.usesProcess);
  const tcp = ipv4(6);
  const cases = [
    [tcp, { pid: 5 }, true],
    [tcp, { pid: 6 }, false],
    [tcp, { pid: 6, comm: "a very long nam", direction: "in" }, true],
    [tcp, { pid: 6, comm: "a very long nam", direction: "out" }, false],
    [tcp, { pid: 6, comm: "a very", direction: "in" }, false],
    [ipv4(17), { pid: 6, comm: "a very long nam", direction: "in" }, false],
    [ipv4(17), { pid: 7 }, true],
    [tcp, undefined, true],
  ] as const;
  const machine = new ClassicMachine(filter.program);
  for (const [bytes, process, expected] of cases) {
    const context = process === undefined ? {} : { process };
    assert.equal(filter.matches(bytes, context), expected);
    assert.notEqual(machine.run({ bytes }), 0);
  }
  const narrow = compileFilter("pid 5 and tcp", { linkType: RAW });
  assert.equal(new ClassicMachine(narrow.program).run({ bytes: tcp }), 262144);
  assert.equal(new ClassicMachine(narrow.program).run({ bytes: ipv4(17) }), 0);
  assert(!narrow.matches(tcp));
});

Deno.test("matches() never accepts a packet that ends too early", () => {
  const filter = compileFilter("tcp port 80 or not udp", { linkType: RAW });
  const packet = ipv4(6, 0, 80, 0, 80);
  assert(filter.matches(packet));
  for (let length = 0; length < 10; length++) {
    assert(!filter.matches(packet.subarray(0, length)));
  }
});

Deno.test("compileFilter() looks names up", () => {
  const resolve = resolverFromFiles({
    services: "web 8000/tcp www # a comment\ngame 9000/udp\ngame 9000/tcp\n",
    protocols: "magic 77 MAGIC\n",
    hosts: "10.0.0.2 two deux\n2001::2 two\n127.0.0.1 localhost\n",
    networks: "lab 192.168.0.0\n",
    ethers: "02:00:00:00:00:02 two\n",
  });
  const same = (named: string, plain: string, linkType = ETHERNET): void => {
    const program = (text: string): string =>
      formatListing(compileFilter(text, { linkType, resolve }).program);
    assert.equal(program(named), program(plain));
  };
  same("port www", "tcp port 8000");
  same("port game", "port 9000", RAW);
  same("port ssh", "tcp port 22");
  same("ip proto magic", "ip proto 77");
  same("ip proto MAGIC", "ip proto 77");
  same("host deux", "host 10.0.0.2");
  same("host two", "host 10.0.0.2 or host 2001::2");
  same("ip6 host two", "host 2001::2");
  same("ip src host two", "ip src host 10.0.0.2");
  same("net lab", "net 192.168");
  same("net loopback", "net 127");
  same("ether host two", "ether host 02:00:00:00:00:02");
  same(
    "gateway two",
    "ether host 02:00:00:00:00:02 and not (host 10.0.0.2 or host 2001::2)",
  );
});

Deno.test("findHostNames() lists names of hosts only", () => {
  assert.deepEqual(
    findHostNames(
      "host a or b and port c or src d or ether host e or (net f and dst a) " +
        "or not gateway g or ip proto h",
    ),
    ["a", "b", "d", "g"],
  );
});

Deno.test("toString() writes everything out", () => {
  const filter = compileFilter("port 80 or 443", { linkType: ETHERNET });
  assert.equal(`${filter}`, "port 80 or port 443");
  assert.equal(filter.text, "port 80 or 443");
  assert(!filter.usesProcess);
  assert(!filter.rejectsAll);
  assert(compileFilter("arp", { linkType: RAW }).rejectsAll);
});
