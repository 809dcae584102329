/**
 * Conditions on addresses: `host 10.0.0.1`, `ether src 1:2:3:4:5:6`.
 *
 * @module
 */
import { BPF_AND } from "../classic/opcodes.ts";
import { parseIpv4, parseIpv6, parseMac } from "./addresses.ts";
import { parsePartialIpv4 } from "./addresses.ts";
import type { Direction, Identifier, Qualifiers } from "./ast.ts";
import { all, any, type Condition, equals, NEVER, not } from "./condition.ts";
import type { Context } from "./context.ts";
import { inDirection } from "./direction.ts";
import { ahead, networkPlace } from "./link.ts";
import { matchesDecnet } from "./lower_decnet.ts";
import { carries, Ethertype, hasLinkHeader } from "./lower_link.ts";
import { BUILT_IN_NAMES } from "./names.ts";
import type { Place } from "./value.ts";

/** Offsets of source and destination address. */
interface Ends {
  readonly source: number;
  readonly destination: number;
}

/** RFC 791, section 3.1. */
const IPV4_ENDS: Ends = { source: 12, destination: 16 };
/** RFC 8200, section 3. */
const IPV6_ENDS: Ends = { source: 8, destination: 24 };
/** RFC 826, with Ethernet and IPv4 addresses. */
const ARP_ENDS: Ends = { source: 14, destination: 24 };
/** IEEE 802.3. */
const ETHERNET_ENDS: Ends = { source: 6, destination: 0 };

const ALL_ONES = 0xffffffff;

/** An IPv4 address and the bits of it that count. */
interface MaskedIpv4 {
  readonly address: number;
  readonly mask: number;
}

/** The packet has an address, network or gateway. */
export function matchesAddress(
  context: Context,
  qualifiers: Qualifiers,
  identifier: Identifier,
  at: number,
): Condition {
  const { protocol, type } = qualifiers;
  if (type === "gateway") {
    return matchesGateway(context, qualifiers, identifier, at);
  }
  if (protocol === "ether") {
    return matchesEthernet(context, qualifiers, identifier, at);
  }
  if (protocol === "decnet") {
    return matchesDecnet(context, qualifiers, identifier, at);
  }
  if (
    protocol !== undefined && !["ip", "ip6", "arp", "rarp"].includes(protocol)
  ) {
    return context.fail(
      at,
      `"${protocol}" has no ${type ?? "host"} addresses`,
      '"ip", "ip6", "arp", "rarp", "ether" or nothing',
    );
  }
  switch (identifier.kind) {
    case "mac":
      return context.fail(
        at,
        "an Ethernet address stands without its qualifier",
        '"ether host", "ether src" or "ether dst"',
      );
    case "ipv6":
      return matchesIpv6(context, qualifiers, identifier, at);
    case "name":
      return matchesName(context, qualifiers, identifier.name, at);
    case "number":
      return matchesIpv4(
        context,
        qualifiers,
        fromNumber(identifier.value, type === "net"),
        at,
      );
    case "ipv4":
      return matchesIpv4(
        context,
        qualifiers,
        readIpv4(context, identifier, type, at),
        at,
      );
  }
}

/** `net 10` means 10.0.0.0/8; everywhere else a number is a whole address. */
function fromNumber(value: number, isNet: boolean): MaskedIpv4 {
  let address = value;
  let mask = ALL_ONES;
  while (isNet && address !== 0 && address >>> 24 === 0) {
    address = address << 8 >>> 0;
    mask = mask << 8 >>> 0;
  }
  return { address, mask };
}

function readIpv4(
  context: Context,
  identifier: Identifier & { readonly kind: "ipv4" },
  type: Qualifiers["type"],
  at: number,
): MaskedIpv4 {
  const { address: text, prefix, mask: maskText } = identifier;
  const partial = parsePartialIpv4(text) ??
    context.fail(at, `"${text}" is no IPv4 address`);
  const missing = 32 - partial.bits;
  const address = (partial.address * 2 ** missing) >>> 0;
  if (prefix === undefined && maskText === undefined) {
    return { address, mask: prefixMask(partial.bits) };
  }
  if (type !== "net") {
    return context.fail(at, "only a network has a mask", '"net"');
  }
  const mask = maskText === undefined
    ? readPrefix(context, prefix!, 32, at)
    : parseIpv4(maskText) ??
      context.fail(at, `"${maskText}" is no network mask`);
  return checkNetwork(context, { address, mask }, at);
}

function checkNetwork(
  context: Context,
  network: MaskedIpv4,
  at: number,
): MaskedIpv4 {
  if ((network.address & ~network.mask) !== 0) {
    context.fail(at, "the network address has bits outside of its mask");
  }
  return network;
}

function readPrefix(
  context: Context,
  prefix: number,
  limit: number,
  at: number,
): number {
  if (prefix > limit) {
    context.fail(at, `prefix length ${prefix} is too large`, `0 to ${limit}`);
  }
  return prefixMask(Math.min(prefix, 32));
}

/** The mask with the given number of leading ones, 0 to 32. */
function prefixMask(length: number): number {
  return length <= 0 ? 0 : ALL_ONES << (32 - length) >>> 0;
}

function matchesIpv4(
  context: Context,
  { protocol, direction = "src or dst" }: Qualifiers,
  network: MaskedIpv4,
  at: number,
): Condition {
  const in4 = (ethertype: number, ends: Ends): Condition => {
    const start = networkPlace(context.layout);
    return all(
      carries(context, ethertype, at),
      atEnds(
        direction,
        ends,
        (offset) => isWithin(context, network, ahead(start, offset)),
      ),
    );
  };
  switch (protocol) {
    case "ip":
      return in4(Ethertype.IPV4, IPV4_ENDS);
    case "arp":
      return in4(Ethertype.ARP, ARP_ENDS);
    case "rarp":
      return in4(Ethertype.RARP, ARP_ENDS);
    case "ip6":
      return context.fail(at, "an IPv4 address is none of IPv6", '"ip"');
  }
  const overIp = in4(Ethertype.IPV4, IPV4_ENDS);
  return context.layout.labels > 0 ? overIp : any(
    overIp,
    in4(Ethertype.ARP, ARP_ENDS),
    in4(Ethertype.RARP, ARP_ENDS),
  );
}

function isWithin(
  { values }: Context,
  { address, mask }: MaskedIpv4,
  place: Place,
): Condition {
  if (mask === 0) return all();
  const word = values.load(4, place);
  const masked = values.alu(BPF_AND, word, values.constant(mask));
  return equals(values, masked, (address & mask) >>> 0);
}

function matchesIpv6(
  context: Context,
  { protocol, type, direction = "src or dst" }: Qualifiers,
  identifier: Identifier & { readonly kind: "ipv6" },
  at: number,
): Condition {
  const { address: text, prefix = 128 } = identifier;
  if (protocol !== undefined && protocol !== "ip6") {
    return context.fail(at, `an IPv6 address is none of ${protocol}`, '"ip6"');
  }
  if (identifier.prefix !== undefined && type !== "net") {
    return context.fail(at, "only a network has a prefix length", '"net"');
  }
  readPrefix(context, prefix, 128, at);
  const bytes = parseIpv6(text) ??
    context.fail(at, `"${text}" is no IPv6 address`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const words = [0, 1, 2, 3].map((index): MaskedIpv4 =>
    checkNetwork(
      context,
      {
        address: view.getUint32(4 * index),
        mask: prefixMask(Math.min(32, prefix - 32 * index)),
      },
      at,
    )
  );
  const start = networkPlace(context.layout);
  return all(
    carries(context, Ethertype.IPV6, at),
    atEnds(direction, IPV6_ENDS, (offset) =>
      all(
        ...words.map((word, index) =>
          isWithin(context, word, ahead(start, offset + 4 * index))
        ),
      )),
  );
}

/** The addresses at some offsets match, as a direction says. */
function atEnds(
  direction: Direction,
  { source, destination }: Ends,
  matches: (offset: number) => Condition,
): Condition {
  return inDirection(
    direction,
    () => matches(source),
    () => matches(destination),
  );
}

function matchesName(
  context: Context,
  qualifiers: Qualifiers,
  name: string,
  at: number,
): Condition {
  const { protocol, type } = qualifiers;
  if (type === "net") {
    const text = context.names.network?.(name) ?? BUILT_IN_NAMES.network(name);
    const partial = text === undefined ? undefined : parsePartialIpv4(text);
    if (partial === undefined) {
      return context.fail(at, `network "${name}" is not known`);
    }
    const mask = prefixMask(partial.bits);
    const address = (partial.address * 2 ** (32 - partial.bits)) >>> 0;
    return matchesIpv4(context, qualifiers, { address, mask }, at);
  }
  const addresses = hostAddresses(context, name, at);
  const parts = addresses.map((address) => {
    const isIpv6 = address.includes(":");
    if (isIpv6 !== (protocol === "ip6") && protocol !== undefined) {
      return NEVER;
    }
    return isIpv6
      ? matchesIpv6(context, qualifiers, { kind: "ipv6", address }, at)
      : matchesIpv4(
        context,
        qualifiers,
        { address: parseIpv4(address) ?? 0, mask: ALL_ONES },
        at,
      );
  });
  if (parts.every((part) => part === NEVER)) {
    return context.fail(at, `host "${name}" has no such address`);
  }
  return any(...parts);
}

function hostAddresses(
  context: Context,
  name: string,
  at: number,
): readonly string[] {
  const found = (context.names.host?.(name) ?? []).filter((address) =>
    parseIpv4(address) !== undefined || parseIpv6(address) !== undefined
  );
  if (found.length === 0) context.fail(at, `host "${name}" is not known`);
  return found;
}

function matchesEthernet(
  context: Context,
  { type, direction = "src or dst" }: Qualifiers,
  identifier: Identifier,
  at: number,
): Condition {
  if (type !== undefined && type !== "host") {
    return context.fail(at, `"ether ${type}" has no meaning`, '"ether host"');
  }
  const text = identifier.kind === "mac"
    ? identifier.address
    : identifier.kind === "name"
    ? context.names.ethernet?.(identifier.name) ??
      context.fail(at, `Ethernet host "${identifier.name}" is not known`)
    : context.fail(at, "this is no Ethernet address", "such as 1:2:3:4:5:6");
  const mac = parseMac(text) ??
    context.fail(at, `"${text}" is no Ethernet address`);
  return hasMac(context, direction, mac, at);
}

function hasMac(
  context: Context,
  direction: Direction,
  mac: Uint8Array,
  at: number,
): Condition {
  return all(
    hasLinkHeader(context),
    atEnds(
      direction,
      ETHERNET_ENDS,
      (offset) => isMac(context, mac, offset, at),
    ),
  );
}

/** The Ethernet address at an offset; the last four bytes tell most. */
export function isMac(
  context: Context,
  mac: Uint8Array,
  offset: number,
  at: number,
): Condition {
  const { values, layout: { kind, header } } = context;
  if (kind !== "ethernet" || header === undefined) {
    return context.fail(at, "only Ethernet packets have Ethernet addresses");
  }
  const view = new DataView(mac.buffer, mac.byteOffset, mac.byteLength);
  const end = values.load(4, ahead(header, offset + 2));
  const start = values.load(2, ahead(header, offset));
  return all(
    equals(values, end, view.getUint32(2)),
    equals(values, start, view.getUint16(0)),
  );
}

/** Sent by way of a host: to or from its Ethernet, but not its IP address. */
function matchesGateway(
  context: Context,
  { protocol }: Qualifiers,
  identifier: Identifier,
  at: number,
): Condition {
  if (identifier.kind !== "name") {
    return context.fail(at, "a gateway has to be named", "a host name");
  }
  if (protocol !== undefined && !["ip", "arp", "rarp"].includes(protocol)) {
    return context.fail(at, `"${protocol} gateway" has no meaning`);
  }
  const { name } = identifier;
  const text = context.names.ethernet?.(name);
  const mac = text === undefined ? undefined : parseMac(text);
  if (mac === undefined) {
    return context.fail(at, `the Ethernet address of "${name}" is not known`);
  }
  const qualifiers = protocol === undefined ? {} : { protocol };
  return all(
    hasMac(context, "src or dst", mac, at),
    not(matchesName(context, qualifiers, name, at)),
  );
}
