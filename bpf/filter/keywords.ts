/**
 * Reserved words of the filter language, and words that stand for numbers.
 *
 * Source: pcap-filter(7).
 *
 * @module
 */

/** A protocol that can be named in a filter. See {@linkcode parseFilter}. */
export type Protocol =
  | "ether"
  | "ip"
  | "ip6"
  | "arp"
  | "rarp"
  | "tcp"
  | "udp"
  | "sctp"
  | "icmp"
  | "icmp6"
  | "igmp"
  | "igrp"
  | "pim"
  | "vrrp"
  | "carp"
  | "ah"
  | "esp"
  | "atalk"
  | "aarp"
  | "decnet"
  | "lat"
  | "sca"
  | "moprc"
  | "mopdl"
  | "iso"
  | "esis"
  | "isis"
  | "l1"
  | "l2"
  | "iih"
  | "lsp"
  | "snp"
  | "csnp"
  | "psnp"
  | "clnp"
  | "stp"
  | "ipx"
  | "netbeui";

/** Words that name a protocol, with the name that is used for them here. */
export const PROTOCOL_WORDS = {
  link: "ether",
  ether: "ether",
  ppp: "ether",
  slip: "ether",
  fddi: "ether",
  tr: "ether",
  wlan: "ether",
  ip: "ip",
  ip6: "ip6",
  arp: "arp",
  rarp: "rarp",
  tcp: "tcp",
  udp: "udp",
  sctp: "sctp",
  icmp: "icmp",
  icmp6: "icmp6",
  igmp: "igmp",
  igrp: "igrp",
  pim: "pim",
  vrrp: "vrrp",
  carp: "carp",
  ah: "ah",
  esp: "esp",
  atalk: "atalk",
  aarp: "aarp",
  decnet: "decnet",
  lat: "lat",
  sca: "sca",
  moprc: "moprc",
  mopdl: "mopdl",
  iso: "iso",
  esis: "esis",
  "es-is": "esis",
  isis: "isis",
  "is-is": "isis",
  l1: "l1",
  l2: "l2",
  iih: "iih",
  lsp: "lsp",
  snp: "snp",
  csnp: "csnp",
  psnp: "psnp",
  clnp: "clnp",
  stp: "stp",
  ipx: "ipx",
  netbeui: "netbeui",
} as const satisfies Readonly<Record<string, Protocol>>;

/** Finds the protocol that a word names. */
export function protocolOf(word: string): Protocol | undefined {
  return Object.hasOwn(PROTOCOL_WORDS, word)
    ? PROTOCOL_WORDS[word as keyof typeof PROTOCOL_WORDS]
    : undefined;
}

/** Reserved words that do not name a protocol, with their usual spelling. */
export const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
  ...[
    ..."src dst host net mask port portrange proto protochain gateway".split(
      " ",
    ),
    ..."less greater byte broadcast multicast len inbound outbound".split(" "),
    ..."ifindex vlan mpls pppoed pppoes geneve vxlan llc".split(" "),
  ].map((word) => [word, word] as const),
  ["length", "len"],
]);

/** Reserved words for links that cannot be filtered here, and what they need. */
export const FOREIGN_WORDS: ReadonlyMap<string, string> = new Map([
  ...spread(
    "type subtype dir direction ra ta addr1 addr2 addr3 addr4 " +
      "address1 address2 address3 address4",
    "an 802.11 capture",
  ),
  ...spread("radio", "a capture with radio information"),
  ...spread(
    "lane metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci " +
      "connectmsg metaconnect",
    "an ATM capture",
  ),
  ...spread(
    "on ifname rset ruleset rnr rulenum srnr subrulenum reason action",
    "a capture of the PF packet filter",
  ),
  ...spread(
    "fisu lssu lsu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls",
    "an SS7 capture",
  ),
]);

/** Words that stand for a number in arithmetic. */
export const NAMED_NUMBERS: ReadonlyMap<string, number> = new Map([
  ...numbered("icmp", [
    ["type", 0],
    ["code", 1],
    ["-echoreply", 0],
    ["-unreach", 3],
    ["-sourcequench", 4],
    ["-redirect", 5],
    ["-echo", 8],
    ["-routeradvert", 9],
    ["-routersolicit", 10],
    ["-timxceed", 11],
    ["-paramprob", 12],
    ["-tstamp", 13],
    ["-tstampreply", 14],
    ["-ireq", 15],
    ["-ireqreply", 16],
    ["-maskreq", 17],
    ["-maskreply", 18],
  ]),
  ...numbered("icmp6", [
    ["type", 0],
    ["code", 1],
    ["-destinationunreach", 1],
    ["-packettoobig", 2],
    ["-timeexceeded", 3],
    ["-parameterproblem", 4],
    ["-echo", 128],
    ["-echoreply", 129],
    ["-multicastlistenerquery", 130],
    ["-multicastlistenerreportv1", 131],
    ["-multicastlistenerdone", 132],
    ["-routersolicit", 133],
    ["-routeradvert", 134],
    ["-neighborsolicit", 135],
    ["-neighboradvert", 136],
    ["-redirect", 137],
    ["-routerrenum", 138],
    ["-nodeinformationquery", 139],
    ["-nodeinformationresponse", 140],
    ["-ineighbordiscoverysolicit", 141],
    ["-ineighbordiscoveryadvert", 142],
    ["-multicastlistenerreportv2", 143],
    ["-homeagentdiscoveryrequest", 144],
    ["-homeagentdiscoveryreply", 145],
    ["-mobileprefixsolicit", 146],
    ["-mobileprefixadvert", 147],
    ["-certpathsolicit", 148],
    ["-certpathadvert", 149],
    ["-multicastrouteradvert", 151],
    ["-multicastroutersolicit", 152],
    ["-multicastrouterterm", 153],
  ]),
  ...numbered("tcp", [
    ["flags", 13],
    ["-fin", 0x01],
    ["-syn", 0x02],
    ["-rst", 0x04],
    ["-push", 0x08],
    ["-ack", 0x10],
    ["-urg", 0x20],
    ["-ece", 0x40],
    ["-cwr", 0x80],
  ]),
]);

/** Tells whether a word has a meaning of its own, so that names need a `\`. */
export function isReserved(word: string): boolean {
  return protocolOf(word) !== undefined || OTHER_WORDS.has(word) ||
    FOREIGN_WORDS.has(word) || NAMED_NUMBERS.has(word) ||
    word === "and" || word === "or" || word === "not";
}

function spread(words: string, need: string): [string, string][] {
  return words.split(" ").map((word) => [word, need]);
}

function numbered(
  stem: string,
  rows: readonly (readonly [string, number])[],
): [string, number][] {
  return rows.map(([end, value]) => [stem + end, value]);
}
