/**
 * Encapsulations: `vlan`, `mpls`, `pppoes`, `geneve`, `vxlan`.
 *
 * Each is a condition, and moves the primitives after it in the text to the
 * packet inside, whatever `and`, `or` and `not` stand between.
 *
 * @module
 */
import { BPF_ADD, BPF_AND, BPF_LSH } from "../classic/opcodes.ts";
import type { Encapsulation } from "./ast.ts";
import { all, any, type Condition, equals } from "./condition.ts";
import type { Context } from "./context.ts";
import { ahead, layoutAt, LINK_NAMES, networkPlace } from "./link.ts";
import { carries, Ethertype, isBottomLabel } from "./lower_link.ts";
import { goesToUdpPort } from "./lower_port.ts";
import { ipv4Transport, IPV6_HEADER_LENGTH } from "./lower_protocol.ts";
import type { Place, Value } from "./value.ts";

/** Largest number of each encapsulation. */
const MAX_IDS: Readonly<Record<Encapsulation, number>> = {
  vlan: 0x0fff,
  mpls: 0xfffff,
  pppoes: 0xffff,
  geneve: 0xffffff,
  vxlan: 0xffffff,
};

/** Bytes of a VLAN tag (IEEE 802.1Q). */
const VLAN_LENGTH = 4;
/** Bits of the tag control information that hold the VLAN. */
const VLAN_MASK = 0x0fff;
/** Bits of an MPLS label stack entry that hold the label, and their place. */
const MPLS_MASK = 0xfffff000;
const MPLS_SHIFT = 12;
/** Bytes of the PPPoE header (RFC 2516, section 4). */
const PPPOE_LENGTH = 6;
/** Bits of the PPPoE header's first word that hold the session. */
const PPPOE_SESSION_MASK = 0xffff;
const UDP_LENGTH = 8;

/*
 * Geneve header (RFC 8926, section 3.4):
 *
 *   0   2        8   16             32
 *  +---+--------+---+--------------+
 *  |ver| length |   | ethertype    |
 *  +---+--------+---+----+---------+
 *  | network number      |         |
 *  +---------------------+---------+
 *  | options, 4 * length bytes     |
 *  +-------------------------------+
 */
const GENEVE_PORT = 6081;
const GENEVE_VERSION_MASK = 0xc0;
const GENEVE_LENGTH_MASK = 0x3f;
const GENEVE_PROTOCOL_OFFSET = 2;
const GENEVE_LENGTH = 8;
/** Ethertype of Ethernet in Geneve ("transparent Ethernet bridging"). */
const ETHERNET_IN_GENEVE = 0x6558;

/** VXLAN header (RFC 7348, section 5): flags, network number. */
const VXLAN_PORT = 4789;
const VXLAN_ID_FLAG = 0x08;
const VXLAN_LENGTH = 8;
/** Bits of the second word that hold the network number. */
const NETWORK_MASK = 0xffffff00;
const NETWORK_OFFSET = 4;

const ETHERNET_LENGTH = 14;
const ETHERNET_PROTOCOL_OFFSET = 12;

/** The packet is encapsulated; what follows is about the inner packet. */
export function enters(
  context: Context,
  kind: Encapsulation,
  id: number | undefined,
  at: number,
): Condition {
  if (id !== undefined && id > MAX_IDS[kind]) {
    context.fail(at, `${kind} ${id} is too large`, `at most ${MAX_IDS[kind]}`);
  }
  switch (kind) {
    case "vlan":
      return entersVlan(context, id, at);
    case "mpls":
      return entersMpls(context, id, at);
    case "pppoes":
      return entersPppoe(context, id, at);
    case "geneve":
      return entersGeneve(context, id, at);
    case "vxlan":
      return entersVxlan(context, id, at);
  }
}

function entersVlan(
  context: Context,
  id: number | undefined,
  at: number,
): Condition {
  const { values, layout } = context;
  if (layout.labels > 0) {
    context.fail(at, "a VLAN tag cannot follow an MPLS label");
  }
  if (layout.kind !== "ethernet") {
    context.fail(at, `${LINK_NAMES[layout.kind]} has no VLAN tags`);
  }
  const types = [Ethertype.VLAN, Ethertype.QINQ, Ethertype.OLD_QINQ];
  const isTagged = any(...types.map((type) => carries(context, type, at)));
  context.layout = {
    ...layout,
    protocol: ahead(layout.protocol, VLAN_LENGTH),
    payload: ahead(layout.payload, VLAN_LENGTH),
  };
  if (id === undefined) return isTagged;
  const control = values.load(2, layout.payload);
  const tag = values.alu(BPF_AND, control, values.constant(VLAN_MASK));
  return all(isTagged, equals(values, tag, id));
}

function entersMpls(
  context: Context,
  id: number | undefined,
  at: number,
): Condition {
  const { values, layout } = context;
  if (layout.labels === 0 && layout.kind !== "ethernet") {
    context.fail(at, `${LINK_NAMES[layout.kind]} has no MPLS labels`);
  }
  const isLabelled = layout.labels > 0
    ? isBottomLabel(context, false)
    : carries(context, Ethertype.MPLS, at);
  const entry = values.load(4, networkPlace(layout));
  context.layout = { ...layout, labels: layout.labels + 1 };
  if (id === undefined) return isLabelled;
  const label = values.alu(BPF_AND, entry, values.constant(MPLS_MASK));
  return all(isLabelled, equals(values, label, id << MPLS_SHIFT >>> 0));
}

function entersPppoe(
  context: Context,
  id: number | undefined,
  at: number,
): Condition {
  const { values, layout } = context;
  const isSession = carries(context, Ethertype.PPPOES, at);
  const start = networkPlace(layout);
  context.layout = layoutAt("ppp", ahead(start, PPPOE_LENGTH));
  if (id === undefined) return isSession;
  const word = values.load(4, layout.payload);
  const mask = values.constant(PPPOE_SESSION_MASK);
  return all(isSession, equals(values, values.alu(BPF_AND, word, mask), id));
}

/** A UDP payload, over IPv4 or IPv6. */
interface UdpTunnel {
  /** Stores where the payload starts. */
  readonly found: Condition;
  /** Start of the payload. */
  readonly place: Place;
}

/**
 * Looks for a UDP tunnel; the start of the payload, which depends on the IP
 * version, is stored on both ways.
 */
function entersUdp(
  context: Context,
  port: number,
  checks: (place: Place) => Condition,
  at: number,
): UdpTunnel {
  const { values, layout } = context;
  const cell = values.newCell();
  const network = networkPlace(layout);
  const version = (number: 4 | 6, transport: Place): Condition => {
    const offset = values.address({ ...transport, k: transport.k - network.k });
    return all(
      goesToUdpPort(context, number, port, at),
      checks(ahead(transport, UDP_LENGTH)),
      { kind: "store", cell, value: offset },
    );
  };
  return {
    found: any(
      version(4, ipv4Transport(context)),
      version(6, ahead(network, IPV6_HEADER_LENGTH)),
    ),
    place: { base: values.cell(cell), k: network.k + UDP_LENGTH },
  };
}

function isNetwork(
  { values }: Context,
  place: Place,
  id: number | undefined,
): Condition {
  if (id === undefined) return all();
  const word = values.load(4, ahead(place, NETWORK_OFFSET));
  const number = values.alu(BPF_AND, word, values.constant(NETWORK_MASK));
  return equals(values, number, id << 8 >>> 0);
}

function entersGeneve(
  context: Context,
  id: number | undefined,
  at: number,
): Condition {
  const { values } = context;
  const tunnel = entersUdp(context, GENEVE_PORT, (place) => {
    const first = values.load(1, place);
    const mask = values.constant(GENEVE_VERSION_MASK);
    return all(
      equals(values, values.alu(BPF_AND, first, mask), 0),
      isNetwork(context, place, id),
    );
  }, at);
  const header = values.newCell();
  const protocol = values.newCell();
  const payload = values.newCell();
  const first = values.load(1, tunnel.place);
  const words = values.alu(
    BPF_AND,
    first,
    values.constant(GENEVE_LENGTH_MASK),
  );
  const options = values.alu(BPF_LSH, words, values.constant(2));
  const end = values.move(ahead(tunnel.place, GENEVE_LENGTH), options);
  const type = values.load(2, ahead(tunnel.place, GENEVE_PROTOCOL_OFFSET));
  const inner = values.cell(header);
  const at2 = (value: Value, count: number): Value =>
    values.alu(BPF_ADD, value, values.constant(count));
  context.layout = {
    kind: "ethernet",
    header: { base: inner, k: 0 },
    protocol: { base: values.cell(protocol), k: 0 },
    payload: { base: values.cell(payload), k: 0 },
    labels: 0,
    isTunnel: true,
  };
  return all(
    tunnel.found,
    { kind: "store", cell: header, value: values.address(end) },
    any(
      all(
        equals(values, type, ETHERNET_IN_GENEVE),
        {
          kind: "store",
          cell: protocol,
          value: at2(inner, ETHERNET_PROTOCOL_OFFSET),
        },
        { kind: "store", cell: payload, value: at2(inner, ETHERNET_LENGTH) },
      ),
      all(
        {
          kind: "store",
          cell: protocol,
          value: values.address(ahead(tunnel.place, GENEVE_PROTOCOL_OFFSET)),
        },
        { kind: "store", cell: payload, value: inner },
      ),
    ),
  );
}

function entersVxlan(
  context: Context,
  id: number | undefined,
  at: number,
): Condition {
  const { values } = context;
  const tunnel = entersUdp(context, VXLAN_PORT, (place) => {
    const flags = values.load(1, place);
    const bit = values.alu(BPF_AND, flags, values.constant(VXLAN_ID_FLAG));
    return all(
      equals(values, bit, VXLAN_ID_FLAG),
      isNetwork(context, place, id),
    );
  }, at);
  context.layout = layoutAt("ethernet", ahead(tunnel.place, VXLAN_LENGTH));
  return tunnel.found;
}
