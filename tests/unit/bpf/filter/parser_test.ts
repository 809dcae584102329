import assert from "node:assert/strict";
import { formatFilter } from "../../../../bpf/filter/ast.ts";
import { tokenize } from "../../../../bpf/filter/lexer.ts";
import { parseFilter } from "../../../../bpf/filter/parser.ts";

/** Text, and the same with everything written out. */
const FORMS: readonly (readonly [string, string])[] = [
  ["", ""],
  [" \n ", ""],
  ["port 80 or 443", "port 80 or port 443"],
  [
    "tcp src port 80 or 443 and 22",
    "tcp src port 80 or tcp src port 443 and tcp src port 22",
  ],
  ["host a and not b", "host a and not host b"],
  ["host (a or (b and not c))", "host a or (host b and not host c)"],
  ["port 80 or (443 or 22)", "port 80 or (port 443 or port 22)"],
  ["host a and (port 80 or tcp) or b", "host a and (port 80 or tcp) or host b"],
  ["port not 80", "not port 80"],
  ["dst or src 10.0.0.1", "src or dst 10.0.0.1"],
  ["dst and src net 10", "src and dst net 10"],
  ["ip && tcp || ! udp", "ip and tcp or not udp"],
  ["ip or tcp and udp", "ip or tcp and udp"],
  ["ip or (tcp and udp)", "ip or (tcp and udp)"],
  ["(ip or tcp) and udp", "ip or tcp and udp"],
  ["not ip and tcp", "not ip and tcp"],
  ["not (ip and tcp)", "not (ip and tcp)"],
  ["not not ip", "not not ip"],
  ["link[0] == 1", "ether[0] = 1"],
  ["es-is or is-is", "esis or isis"],
  ["length > 5", "len > 5"],
  ["1 + 2 * 3 - 4 = 5", "((1 + (2 * 3)) - 4) = 5"],
  ["1 | 2 & 3 << 4 = 5", "(1 | (2 & (3 << 4))) = 5"],
  ["5 % 2 + 1 = 2", "(5 % (2 + 1)) = 2"],
  ["1 + 5 ^ 2 = 2", "(1 + (5 ^ 2)) = 2"],
  ["-ip[0] - -3 = 2", "((- ip[0]) - (- 3)) = 2"],
  ["-5 % 3 = 2", "(- (5 % 3)) = 2"],
  ["(tcp[12] >> 2) = ip[2:2]", "(tcp[12] >> 2) = ip[2 : 2]"],
  ["tcp[tcp[12]:4] = 0x1f", "tcp[tcp[12] : 4] = 31"],
  ["tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "(tcp[13] & (2 | 1)) != 0"],
  ["icmp[icmptype]=icmp-echo", "icmp[0] = 8"],
  ["((5)) = 5", "5 = 5"],
  ["vlan (5)", "vlan 5"],
  ["host ::ffff:10.0.0.1", "host ::ffff:10.0.0.1"],
  ["ether host 0102.0304.0506", "ether host 0102.0304.0506"],
  ["net 10.0.0.0 mask 255.0.0.0", "net 10.0.0.0 mask 255.0.0.0"],
  ["ip proto \\tcp", "ip proto \\tcp"],
  ["portrange 80-90", "portrange \\80-90"],
  ["pid 5 or comm curl or proc out", 'pid 5 or comm "curl" or proc out'],
  ['comm "Web Content"', 'comm "Web Content"'],
  ["comm tcp and comm 7z", 'comm "tcp" and comm "7z"'],
  ["host pid or comm", "host pid or host comm"],
  ["llc rnr or llc", "llc rnr or llc"],
];

for (const [text, form] of FORMS) {
  Deno.test(`parseFilter() reads ${JSON.stringify(text)}`, () => {
    assert.equal(formatFilter(parseFilter(text)), form);
  });
}

Deno.test("parseFilter() reads long chains", () => {
  const text = new Array(20_000).fill("tcp").join(" or ");
  assert.equal(formatFilter(parseFilter(text)), text);
});

Deno.test("parseFilter() keeps the places of primitives", () => {
  const tree = parseFilter("tcp  and\n src port 80");
  assert(tree.kind === "and");
  assert.equal(tree.at, 5);
  assert.equal(tree.left.at, 0);
  assert.equal(tree.right.at, 10);
});

Deno.test("tokenize() prefers the longest reading", () => {
  const kinds = (text: string): string[] =>
    tokenize(text).slice(0, -1).map(({ kind, text: it }) => `${kind} ${it}`);
  assert.deepEqual(kinds("tcp-syn"), ["number tcp-syn"]);
  assert.deepEqual(kinds("80-90"), ["word 80-90"]);
  assert.deepEqual(kinds("1.2.3.4"), ["ipv4 1.2.3.4"]);
  assert.deepEqual(kinds("1.2.3.4.5"), ["word 1.2.3.4.5"]);
  assert.deepEqual(kinds("deadbeef0102"), ["mac deadbeef0102"]);
  assert.deepEqual(kinds("1-2-3-4-5-6"), ["mac 1-2-3-4-5-6"]);
  assert.deepEqual(kinds("fe80::1/64"), [
    "ipv6 fe80::1",
    "sign /",
    "number 64",
  ]);
  assert.deepEqual(kinds("[0:4]"), [
    "sign [",
    "number 0",
    "sign :",
    "number 4",
    "sign ]",
  ]);
  assert.deepEqual(kinds("a==b&&c"), [
    "word a",
    "sign =",
    "word b",
    "sign and",
    "word c",
  ]);
});
