/**
 * Conditions on the protocol that the link layer carries.
 *
 * @module
 */
import { BPF_AND, BPF_JEQ, BPF_JGT } from "../classic/opcodes.ts";
import { all, any, compare, type Condition, equals } from "./condition.ts";
import { ALWAYS, NEVER, not } from "./condition.ts";
import type { Context } from "./context.ts";
import { ahead, networkPlace } from "./link.ts";
import { LLC_TYPES } from "./llc.ts";
import type { Place, Value } from "./value.ts";

/** Ethertypes (IEEE 802 numbers). */
export const Ethertype = {
  IPV4: 0x0800,
  ARP: 0x0806,
  RARP: 0x8035,
  MOPDL: 0x6001,
  MOPRC: 0x6002,
  DECNET: 0x6003,
  LAT: 0x6004,
  SCA: 0x6007,
  ATALK: 0x809b,
  AARP: 0x80f3,
  VLAN: 0x8100,
  IPX: 0x8137,
  IPV6: 0x86dd,
  MPLS: 0x8847,
  PPPOED: 0x8863,
  PPPOES: 0x8864,
  QINQ: 0x88a8,
  OLD_QINQ: 0x9100,
} as const;

/** LLC service access points (IEEE 802.2); below every ethertype. */
export const Sap = {
  IP: 0x06,
  STP: 0x42,
  IPX: 0xe0,
  NETBEUI: 0xf0,
  ISO: 0xfe,
} as const;

/** Largest number in an Ethernet header that is a length (IEEE 802.3). */
const MAX_ETHERNET_LENGTH = 1500;
/** Protocol number of LLC frames in LINUX_SLL (ETH_P_802_2). */
const SLL_LLC = 0x0004;
/** Protocol number of raw 802.3 frames in LINUX_SLL (ETH_P_802_3). */
const SLL_802_3 = 0x0001;
/** Both service access points of a raw IPX frame: there is no LLC header. */
const NO_LLC = 0xffff;
/** SNAP headers: LLC 0xaaaa03, then the organization and an ethertype. */
const SNAP_START = 0xaaaa0300;
const APPLE_ORGANIZATION = 0x080007;

/** PPP protocol numbers (RFC 1661 and IANA), by ethertype or SAP. */
const PPP_NUMBERS: ReadonlyMap<number, number> = new Map([
  [Ethertype.IPV4, 0x0021],
  [Ethertype.IPV6, 0x0057],
  [Ethertype.DECNET, 0x0027],
  [Ethertype.ATALK, 0x0029],
  [Sap.ISO, 0x0023],
  [Sap.STP, 0x0031],
  [Sap.IPX, 0x002b],
]);

/** Address families in BSD loopback headers: OpenBSD/NetBSD, FreeBSD, macOS. */
const AF_INET = 2;
const AF_INET6 = [30, 24, 28];

/**
 * The link layer carries a protocol.
 *
 * @param protocol An ethertype or an LLC service access point.
 * @param at Index of the primitive in the text, for errors.
 */
export function carries(
  context: Context,
  protocol: number,
  at: number,
): Condition {
  const { layout, values } = context;
  if (layout.labels > 0) return carriesInMpls(context, protocol, at);
  const number = values.load(2, layout.protocol);
  switch (layout.kind) {
    case "ethernet":
      return carriesInEthernet(context, number, protocol);
    case "sll":
      return carriesInCooked(context, number, protocol);
    case "sll2":
      return equals(values, number, protocol);
    case "ppp":
      return equals(values, number, PPP_NUMBERS.get(protocol) ?? protocol);
    case "raw":
      if (protocol === Ethertype.IPV4) return hasVersion(context, 4);
      return protocol === Ethertype.IPV6 ? hasVersion(context, 6) : NEVER;
    case "ipv4":
      return protocol === Ethertype.IPV4 ? ALWAYS : NEVER;
    case "ipv6":
      return protocol === Ethertype.IPV6 ? ALWAYS : NEVER;
    case "null":
    case "loop":
      return carriesInLoopback(context, protocol);
  }
}

/** The byte at the network header starts with an IP version. */
function hasVersion(context: Context, version: number): Condition {
  const { values, layout } = context;
  const byte = values.load(1, networkPlace(layout));
  const high = values.alu(BPF_AND, byte, values.constant(0xf0));
  return equals(values, high, version << 4);
}

/** Labels do not say what follows them; the bottom one, and a guess, must. */
function carriesInMpls(
  context: Context,
  protocol: number,
  at: number,
): Condition {
  const version = protocol === Ethertype.IPV4
    ? 4
    : protocol === Ethertype.IPV6
    ? 6
    : context.fail(at, "only IPv4 and IPv6 can be told inside MPLS");
  return all(isBottomLabel(context, true), hasVersion(context, version));
}

/** The last label seen is, or is not, the bottom of the stack (RFC 3032). */
export function isBottomLabel(context: Context, wanted: boolean): Condition {
  const { values, layout } = context;
  const byte = values.load(1, ahead(networkPlace(layout), -2));
  const bit = values.alu(BPF_AND, byte, values.constant(0x01));
  return equals(values, bit, wanted ? 1 : 0);
}

function carriesInEthernet(
  context: Context,
  number: Value,
  protocol: number,
): Condition {
  const { values, layout } = context;
  const isLlc = not(isAbove(context, number));
  switch (protocol) {
    case Sap.ISO:
    case Sap.IP:
    case Sap.NETBEUI:
      return all(isLlc, hasSaps(context, protocol));
    case Sap.IPX: {
      const byte = values.load(1, layout.payload);
      const word = values.load(2, layout.payload);
      return any(
        equals(values, number, Ethertype.IPX),
        all(
          isLlc,
          any(
            isSnap(context, 0, Ethertype.IPX),
            equals(values, byte, Sap.IPX),
            equals(values, word, NO_LLC),
          ),
        ),
      );
    }
    case Ethertype.ATALK:
    case Ethertype.AARP:
      return any(
        equals(values, number, protocol),
        all(isLlc, isAppleSnap(context, protocol)),
      );
  }
  return protocol <= MAX_ETHERNET_LENGTH
    ? all(isLlc, equals(values, values.load(1, layout.payload), protocol))
    : equals(values, number, protocol);
}

function isAbove({ values }: Context, number: Value): Condition {
  const limit = values.constant(MAX_ETHERNET_LENGTH);
  return compare(values, BPF_JGT, number, limit);
}

function carriesInCooked(
  context: Context,
  number: Value,
  protocol: number,
): Condition {
  const { values, layout } = context;
  const isLlc = equals(values, number, SLL_LLC);
  const sap = values.load(1, layout.payload);
  switch (protocol) {
    case Sap.ISO:
    case Sap.IP:
    case Sap.NETBEUI:
      return all(isLlc, hasSaps(context, protocol));
    case Sap.IPX:
      return any(
        equals(values, number, Ethertype.IPX),
        equals(values, number, SLL_802_3),
        all(
          isLlc,
          any(
            equals(values, sap, Sap.IPX),
            isSnap(context, 0, Ethertype.IPX),
          ),
        ),
      );
    case Ethertype.ATALK:
    case Ethertype.AARP:
      return any(
        equals(values, number, protocol),
        all(isLlc, isAppleSnap(context, protocol)),
      );
  }
  return protocol <= MAX_ETHERNET_LENGTH
    ? all(isLlc, equals(values, sap, protocol))
    : equals(values, number, protocol);
}

/** Both service access points are the same. */
function hasSaps({ values, layout }: Context, sap: number): Condition {
  return equals(values, values.load(2, layout.payload), sap << 8 | sap);
}

/** AARP has no organization in its SNAP header, AppleTalk has Apple's. */
function isAppleSnap(context: Context, protocol: number): Condition {
  const organization = protocol === Ethertype.ATALK ? APPLE_ORGANIZATION : 0;
  return isSnap(context, organization, protocol);
}

function isSnap(
  { values, layout }: Context,
  organization: number,
  ethertype: number,
): Condition {
  const start = SNAP_START | organization >>> 16;
  const end = (organization & 0xffff) << 16 | ethertype;
  return all(
    equals(values, values.load(4, ahead(layout.payload, 4)), end >>> 0),
    equals(values, values.load(4, layout.payload), start >>> 0),
  );
}

function carriesInLoopback(context: Context, protocol: number): Condition {
  const { values, layout } = context;
  const family = values.load(4, layout.protocol);
  const swap = layout.kind === "null" && !context.isBigEndian;
  const families = protocol === Ethertype.IPV4
    ? [AF_INET]
    : protocol === Ethertype.IPV6
    ? AF_INET6
    : [];
  return any(
    ...families.map((number) =>
      equals(values, family, swap ? number << 24 : number)
    ),
  );
}

/** The packet is an LLC frame, perhaps of a certain type. */
export function isLlcFrame(
  context: Context,
  type: string | undefined,
  at: number,
): Condition {
  const { values, layout } = context;
  if (layout.kind !== "ethernet" || layout.labels > 0) {
    return context.fail(at, '"llc" is for Ethernet only');
  }
  const number = values.load(2, layout.protocol);
  const saps = values.load(2, layout.payload);
  const isFrame = all(
    not(isAbove(context, number)),
    not(equals(values, saps, NO_LLC)),
  );
  const test = LLC_TYPES.get(type ?? "");
  if (test === undefined) return isFrame;
  const control = values.load(1, ahead(layout.payload, 2));
  const bits = values.alu(BPF_AND, control, values.constant(test.mask));
  return all(isFrame, equals(values, bits, test.value));
}

/** Inside Geneve: the inner packet has a link-layer header. */
export function hasLinkHeader(context: Context): Condition {
  const { values, layout: { header, payload, isTunnel } } = context;
  if (!isTunnel || header === undefined) return ALWAYS;
  const start: Place = header;
  return not(
    compare(values, BPF_JEQ, values.address(payload), values.address(start)),
  );
}
