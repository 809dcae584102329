/**
 * Names of ports, protocols and hosts.
 *
 * Everything here works on text that the caller read, so that compiling a
 * filter needs no permission. Built-in tables serve where no file is given.
 *
 * @module
 */

/** Port numbers of a service. See {@linkcode compileFilter}. */
export interface ServicePorts {
  /** TCP port. */
  readonly tcp?: number;
  /** UDP port. */
  readonly udp?: number;
  /** SCTP port. */
  readonly sctp?: number;
}

/**
 * Looks names up; a method that is missing or answers `undefined` knows none.
 * See {@linkcode compileFilter}.
 */
export interface NameResolver {
  /** Ports of a service. */
  port?(name: string): ServicePorts | undefined;
  /** Number of an IP protocol. */
  protocol?(name: string): number | undefined;
  /** IPv4 and IPv6 addresses of a host, as text. */
  host?(name: string): readonly string[] | undefined;
  /** Leading numbers of an IPv4 network, as text: `127` or `192.168`. */
  network?(name: string): string | undefined;
  /** Ethernet address of a host, as text. */
  ethernet?(name: string): string | undefined;
}

/**
 * Texts of the files that name things.
 * See {@linkcode resolverFromFiles} and {@linkcode lookUpNames}.
 */
export interface NameFiles {
  /** Text of /etc/services. */
  readonly services?: string;
  /** Text of /etc/protocols. */
  readonly protocols?: string;
  /** Text of /etc/hosts. */
  readonly hosts?: string;
  /** Text of /etc/networks. */
  readonly networks?: string;
  /** Text of /etc/ethers. */
  readonly ethers?: string;
}

/** Services that are known without /etc/services: name, port, protocols. */
const SERVICES: readonly (readonly [string, number, string])[] = [
  ["ftp-data", 20, "tcp"],
  ["ftp", 21, "tcp"],
  ["ssh", 22, "tcp"],
  ["telnet", 23, "tcp"],
  ["smtp", 25, "tcp"],
  ["domain", 53, "tcp udp"],
  ["bootps", 67, "udp"],
  ["bootpc", 68, "udp"],
  ["tftp", 69, "udp"],
  ["http", 80, "tcp"],
  ["kerberos", 88, "tcp udp"],
  ["pop3", 110, "tcp"],
  ["sunrpc", 111, "tcp udp"],
  ["ntp", 123, "udp"],
  ["imap", 143, "tcp"],
  ["imap2", 143, "tcp"],
  ["snmp", 161, "tcp udp"],
  ["snmp-trap", 162, "tcp udp"],
  ["bgp", 179, "tcp"],
  ["ldap", 389, "tcp udp"],
  ["https", 443, "tcp udp"],
  ["submission", 587, "tcp"],
  ["syslog", 514, "udp"],
  ["ldaps", 636, "tcp udp"],
  ["imaps", 993, "tcp"],
  ["pop3s", 995, "tcp"],
  ["socks", 1080, "tcp"],
  ["openvpn", 1194, "tcp udp"],
  ["nfs", 2049, "tcp udp"],
  ["mysql", 3306, "tcp"],
  ["ms-wbt-server", 3389, "tcp"],
  ["sip", 5060, "tcp udp"],
  ["postgresql", 5432, "tcp"],
  ["mdns", 5353, "udp"],
  ["redis", 6379, "tcp"],
  ["http-alt", 8080, "tcp udp"],
];

/** Numbers of IP protocols (IANA protocol numbers), by name. */
export const IP_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["ip", 0],
  ["hopopt", 0],
  ["icmp", 1],
  ["igmp", 2],
  ["ggp", 3],
  ["ipencap", 4],
  ["tcp", 6],
  ["egp", 8],
  ["igp", 9],
  ["udp", 17],
  ["dccp", 33],
  ["ipv6", 41],
  ["ipv6-route", 43],
  ["ipv6-frag", 44],
  ["rsvp", 46],
  ["gre", 47],
  ["esp", 50],
  ["ah", 51],
  ["ipv6-icmp", 58],
  ["ipv6-nonxt", 59],
  ["ipv6-opts", 60],
  ["eigrp", 88],
  ["ospf", 89],
  ["ipip", 94],
  ["pim", 103],
  ["ipcomp", 108],
  ["vrrp", 112],
  ["l2tp", 115],
  ["sctp", 132],
  ["udplite", 136],
]);

/** Ethertypes (IEEE 802 numbers), by the name after `ether proto`. */
export const ETHER_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["pup", 0x0200],
  ["xns", 0x0600],
  ["ip", 0x0800],
  ["arp", 0x0806],
  ["rarp", 0x8035],
  ["sprite", 0x0500],
  ["mopdl", 0x6001],
  ["moprc", 0x6002],
  ["decnet", 0x6003],
  ["lat", 0x6004],
  ["sca", 0x6007],
  ["vexp", 0x805b],
  ["vprod", 0x805c],
  ["atalk", 0x809b],
  ["aarp", 0x80f3],
  ["ip6", 0x86dd],
  ["loopback", 0x9000],
  ["8021q", 0x8100],
  ["802.1q", 0x8100],
  ["iso", 0xfe],
  ["stp", 0x42],
  ["ipx", 0xe0],
  ["netbeui", 0xf0],
]);

/** The resolver that knows the built-in tables only. */
export const BUILT_IN_NAMES: Required<
  Pick<NameResolver, "port" | "protocol" | "network">
> = {
  port: (name: string): ServicePorts | undefined => SERVICE_PORTS.get(name),
  protocol: (name: string): number | undefined => IP_PROTOCOLS.get(name),
  network: (name: string): string | undefined =>
    name === "loopback" ? "127" : undefined,
};

const SERVICE_PORTS: ReadonlyMap<string, ServicePorts> = new Map(
  SERVICES.map(([name, port, protocols]) => [
    name,
    Object.fromEntries(protocols.split(" ").map((key) => [key, port])),
  ]),
);

/**
 * Makes a resolver from the texts of files; what they do not name is looked
 * up in the built-in tables.
 *
 * @example Name a port
 * ```ts
 * import { compileFilter } from "./compile.ts";
 * import { resolverFromFiles } from "./names.ts";
 * import assert from "node:assert/strict";
 *
 * const resolve = resolverFromFiles({ services: "gossip 7777/udp" });
 * const byName = compileFilter("port gossip", { linkType: 1, resolve });
 * const byNumber = compileFilter("udp port 7777", { linkType: 1 });
 * assert.deepEqual(byName.program, byNumber.program);
 * ```
 */
export function resolverFromFiles(files: NameFiles): NameResolver {
  // Long texts of which most filters need none.
  const ports = once(() => readServices(files.services));
  const protocols = once(() => named(files.protocols));
  const networks = once(() => named(files.networks));
  const hosts = once(() => readHosts(files.hosts));
  const ethers = once(() =>
    new Map(rows(files.ethers).map(([address, name]) => [name ?? "", address!]))
  );
  return {
    port: (name) => ports().get(name) ?? BUILT_IN_NAMES.port(name),
    protocol: (name) => {
      const number = protocols().get(name);
      return number === undefined
        ? BUILT_IN_NAMES.protocol(name)
        : Number(number);
    },
    host: (name) => hosts().get(name),
    network: (name) =>
      networks().get(name)?.replace(/(?:\.0)+$/, "") ??
        BUILT_IN_NAMES.network(name),
    ethernet: (name) => ethers().get(name),
  };
}

/** Makes a value when it is first wanted. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function readServices(text: string | undefined): Map<string, ServicePorts> {
  const ports = new Map<
    string,
    { tcp?: number; udp?: number; sctp?: number }
  >();
  for (const [name, value, ...aliases] of rows(text)) {
    const [port, protocol] = (value ?? "").split("/");
    if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") {
      continue;
    }
    for (const each of [name!, ...aliases]) {
      const known = ports.get(each) ?? {};
      known[protocol] ??= Number(port);
      ports.set(each, known);
    }
  }
  return ports;
}

function readHosts(text: string | undefined): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const [address, ...names] of rows(text)) {
    for (const name of names) {
      hosts.set(name, [...hosts.get(name) ?? [], address!]);
    }
  }
  return hosts;
}

/** Fields of each line, without comments. */
function rows(text = ""): string[][] {
  return text.split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/));
}

/** Second field of each line, by the first field and the aliases after it. */
function named(text: string | undefined): Map<string, string> {
  const result = new Map<string, string>();
  for (const [name, value, ...aliases] of rows(text)) {
    for (const each of [name!, ...aliases]) {
      if (!result.has(each)) result.set(each, value ?? "");
    }
  }
  return result;
}
