import assert from "node:assert/strict";
import { compileFilter } from "../../../../bpf/filter/compile.ts";
import { FilterSyntaxError } from "../../../../bpf/filter/errors.ts";

const ETHERNET = 1;
const SLL = 113;
const RAW = 101;

/** Expression, place of the mistake, part of the message; link type. */
const REJECTED: readonly (readonly [string, number, RegExp, number?])[] = [
  ["tpc port 80", 0, /found "tpc" .* expected a primitive/],
  ["tcp prot 80", 4, /found "prot" .* expected "and", "or" or the end/],
  ["ip and", 6, /ends too early/],
  ["and ip", 0, /found "and"/],
  ["(ip", 3, /ends too early .* expected "\)"/],
  ["ip)", 2, /found "\)"/],
  ["ip or (tcp and)", 14, /found "\)" .* primitive/],
  ["foo", 0, /found "foo"/],
  ["10.0.0.1", 0, /found "10\.0\.0\.1"/],
  ["not 10.0.0.1", 4, /found "10\.0\.0\.1"/],
  ["port 80 or tcp or 443", 18, /found "443"/],
  ["port", 4, /ends too early .* expected a port/],
  ["port -5", 5, /found "-"/],
  ["host tcp", 5, /found "tcp"/],
  ["host and", 5, /found "and"/],
  ["src proto 6", 4, /found "proto"/],
  ["host (10.0.0.1 or tcp)", 18, /found "tcp"/],
  ["len", 3, /expected a comparison/],
  ["ip[5]", 5, /expected a comparison/],
  ["ip[5", 4, /expected "\]"/],
  ["ip[] = 1", 3, /found "\]"/],
  ["ether[0:3] = 5", 8, /cannot load 3 bytes .* expected 1, 2 or 4/],
  ["tcp[0] = ", 9, /ends too early/],
  ["1 + = 2", 4, /found "="/],
  ["port @", 5, /unknown character "@"/],
  ["host 1:2:3", 5, /"1:2:3" is no address/],
  ["host 1::2::3", 5, /no address/],
  ["09 = 9", 0, /digits above 7 .* expected an octal number/],
  ["port 99999999999", 5, /too large/],
  ["tcp and\nport 80 or\n  udp prt 5", 25, /line 3, column 7/],
  ["1/0 = 5", 1, /divided by zero/],
  ["ip[0] % 0 = 5", 6, /divided by zero/],
  ["ip[0] << 33 = 5", 6, /shifted by 33/],
  ["ip[0 - 100] = 1", 0, /outside of every packet/],
  ["port 70000", 0, /port 70000 is too large .* at most 65535/],
  ["port nosuch", 0, /port "nosuch" is not known/],
  ["portrange a-b", 0, /port "a-b" is not known/],
  ["port 10.0.0.1", 0, /an address is no port/],
  ["udp port ssh", 0, /of tcp, not of udp/],
  ["arp port 5", 0, /"arp" has no ports/],
  ["icmp port 5", 0, /"icmp" has no ports/],
  ["host nosuch.invalid", 0, /host "nosuch\.invalid" is not known/],
  ["net nosuch", 0, /network "nosuch" is not known/],
  ["ip proto \\foo", 0, /IP protocol "foo" is not known/],
  ["ether proto \\foo", 0, /Ethernet protocol "foo" is not known/],
  ["tcp proto 5", 0, /"tcp" does not carry/],
  ["arp proto 5", 0, /"arp" does not carry/],
  ["proto 10.0.0.1", 0, /an address is no protocol/],
  ["tcp protochain 5", 0, /"tcp protochain" has no meaning/],
  ["ether", 0, /"ether" alone is no condition/],
  ["net 10.0.0.1/8", 0, /bits outside of its mask/],
  ["net 10.1.2.0 mask 255.0.0.0", 0, /bits outside of its mask/],
  ["net fe80::1/64", 0, /bits outside of its mask/],
  ["net 10.0.0.0/33", 0, /prefix length 33 is too large/],
  ["net ::/129", 0, /prefix length 129 is too large/],
  ["host 10.0.0.0/8", 0, /only a network has a mask/],
  ["host fe80::/64", 0, /only a network has a prefix length/],
  ["host 256.1.1.1", 0, /"256\.1\.1\.1" is no IPv4 address/],
  ["host 1:2:3:4:5:6", 0, /without its qualifier/],
  ["ether host 10.0.0.1", 0, /no Ethernet address/],
  ["ether port 80", 0, /"ether" has no ports/],
  ["tcp host 1.2.3.4", 0, /"tcp" has no host addresses/],
  ["ip6 host 10.0.0.1", 0, /none of IPv6/],
  ["ip host ::1", 0, /an IPv6 address is none of ip/],
  ["gateway 1.2.3.4", 0, /has to be named/],
  ["gateway router", 0, /Ethernet address of "router" is not known/],
  ["ip and vlan 5000", 7, /vlan 5000 is too large .* at most 4095/],
  ["mpls 2000000", 0, /at most 1048575/],
  ["pppoes 70000", 0, /at most 65535/],
  ["geneve 20000000", 0, /at most 16777215/],
  ["mpls and vlan", 9, /cannot follow an MPLS label/],
  ["mpls and arp", 9, /inside MPLS/],
  ["pppoes and vlan", 11, /PPP has no VLAN tags/],
  ["vlan", 0, /Linux cooked v1 has no VLAN tags/, SLL],
  ["mpls", 0, /raw IP has no MPLS labels/, RAW],
  ["ether host 1:2:3:4:5:6", 0, /only Ethernet packets/, SLL],
  ["broadcast", 0, /only Ethernet packets/, SLL],
  ["multicast", 0, /only Ethernet packets/, RAW],
  ["tcp broadcast", 0, /"tcp broadcast" has no meaning/],
  ["tcp multicast", 0, /"tcp multicast" has no meaning/],
  ["inbound", 0, /Ethernet has no direction/],
  ["ifindex 3", 0, /Linux cooked v1 has no interface number/, SLL],
  ["llc", 0, /for Ethernet only/, SLL],
  ["ah[0] = 1", 0, /"ah\[\.\.\.\]" is not supported/],
  ["wlan type mgt", 5, /found "type"/],
  ["type mgt", 0, /needs an 802\.11 capture/],
  ["on eth0", 0, /needs a capture of the PF packet filter/],
  ["pid", 0, /found "pid"/],
  ["proc", 0, /found "proc"/],
  ["proc both", 0, /found "proc"/],
  ["(".repeat(300) + "ip", 201, /more than 200 levels are nested/],
];

for (const [text, offset, message, linkType = ETHERNET] of REJECTED) {
  const title = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  Deno.test(`compileFilter() rejects ${JSON.stringify(title)}`, () => {
    assert.throws(() => compileFilter(text, { linkType }), (error) => {
      assert(error instanceof FilterSyntaxError);
      assert.equal(error.offset, offset);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("FilterSyntaxError shows the line and the place", () => {
  const text = "tcp and\n\tport 80 or\n  udp prt 5";
  const error = new FilterSyntaxError(text, 26, 'found "prt"', "a port");
  assert.equal(error.line, 3);
  assert.equal(error.column, 7);
  assert.equal(error.caret, "  udp prt 5\n      ^");
  assert.equal(error.expected, "a port");
  const tab = new FilterSyntaxError(text, 9, "found");
  assert.equal(tab.caret, "\tport 80 or\n\t^");
  assert.equal(
    new FilterSyntaxError("ip and", 6, "the filter ends too early").caret,
    "ip and\n      ^",
  );
});
