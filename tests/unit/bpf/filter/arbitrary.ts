/**
 * Random filters.
 *
 * @module
 */
import fc from "fast-check";
import type {
  Arithmetic,
  ArithmeticSign,
  FilterNode,
  Identifier,
  Qualifiers,
} from "../../../../bpf/filter/ast.ts";
import { PROTOCOL_WORDS } from "../../../../bpf/filter/keywords.ts";
import { LLC_TYPES } from "../../../../bpf/filter/llc.ts";

const protocol = fc.constantFrom(...new Set(Object.values(PROTOCOL_WORDS)));
const at = fc.constant(0);
const direction = fc.constantFrom(
  ...(["src", "dst", "src or dst", "src and dst"] as const),
);
const byte = fc.nat(255);
const ipv4 = fc.oneof(
  fc.constantFrom("10.0.0.1", "10.0.0.2", "192.168.1.1"),
  fc.tuple(byte, byte, byte, byte).map((parts) => parts.join(".")),
);
const ipv6 = fc.constantFrom("2001::1", "::1", "fe80::1", "ff02::", "::");
const mac = fc.constantFrom("02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff");
const port = fc.oneof(
  fc.constantFrom(53, 80, 443, 6081),
  fc.nat(65535),
);
const name = fc.constantFrom(
  "http",
  "domain",
  "no-such",
  "tcp",
  "and",
  "80-90",
  "dead.beef",
  "icmp-echo",
  "pid",
);

const identifier: fc.Arbitrary<Identifier> = fc.oneof(
  name.map((text) => ({ kind: "name" as const, name: text })),
  port.map((value) => ({ kind: "number" as const, value })),
  ipv4.map((address) => ({ kind: "ipv4" as const, address })),
  fc.record({
    kind: fc.constant("ipv4" as const),
    address: fc.constantFrom("10.0.0.0", "10.0", "192.168"),
    prefix: fc.nat(33),
  }),
  fc.constant({
    kind: "ipv4" as const,
    address: "10.0.0.0",
    mask: "255.0.0.255",
  }),
  ipv6.map((address) => ({ kind: "ipv6" as const, address })),
  fc.record({
    kind: fc.constant("ipv6" as const),
    address: ipv6,
    prefix: fc.nat(129),
  }),
  mac.map((address) => ({ kind: "mac" as const, address })),
);

/** Qualifiers that the grammar takes before an identifier. */
const qualifiers: fc.Arbitrary<Qualifiers> = fc.oneof(
  fc.record({
    type: fc.constantFrom("host", "net", "port", "portrange"),
    direction,
    protocol,
  }, { requiredKeys: ["type"] }),
  fc.record({ direction, protocol }, { requiredKeys: ["direction"] }),
  fc.record({
    type: fc.constantFrom("proto", "protochain", "gateway"),
    protocol,
  }, { requiredKeys: ["type"] }),
);

/** Matches that mostly make sense. */
const sensible: fc.Arbitrary<FilterNode> = fc.oneof(
  fc.record({
    qualifiers: fc.record({
      protocol: fc.constantFrom("tcp", "udp", "sctp"),
      direction,
      type: fc.constant("port" as const),
    }, { requiredKeys: ["type"] }),
    identifier: port.map((value) => ({ kind: "number" as const, value })),
  }),
  fc.record({
    qualifiers: fc.record({
      protocol: fc.constantFrom("ip", "arp"),
      direction,
      type: fc.constant("host" as const),
    }, { requiredKeys: ["type"] }),
    identifier: ipv4.map((address) => ({ kind: "ipv4" as const, address })),
  }),
  fc.record({
    qualifiers: fc.record({ direction }),
    identifier: ipv6.map((address) => ({ kind: "ipv6" as const, address })),
  }),
  fc.record({
    qualifiers: fc.record({
      protocol: fc.constantFrom("ip", "ip6"),
      type: fc.constantFrom("proto", "protochain"),
    }, { requiredKeys: ["type"] }),
    identifier: fc.constantFrom(6, 17, 51, 58)
      .map((value) => ({ kind: "number" as const, value })),
  }),
).map((match) => ({ kind: "match", ...match, at: 0 }));

const plainProtocol = protocol.filter((word) => word !== "ether");
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });

/** What random filters may contain. */
export interface FilterShape {
  /** Leave out what reads outside of a packet or divides by nothing. */
  readonly isSafe: boolean;
}

function arithmetic({ isSafe }: FilterShape): fc.Arbitrary<Arithmetic> {
  const constant = fc.oneof(
    fc.nat(70),
    ...(isSafe ? [] : [fc.nat(0xffffffff)]),
  ).map((value) => ({ kind: "constant" as const, value, at: 0 }));
  const indexed = fc.constantFrom(
    ...(["ip", "ip6", "tcp", "udp", "icmp", "icmp6", "arp", "ether"] as const),
  );
  const size = fc.constantFrom(1, 2, 4);
  const load = (index: fc.Arbitrary<Arithmetic>): fc.Arbitrary<Arithmetic> =>
    fc.record({
      kind: fc.constant("load" as const),
      protocol: indexed,
      index,
      size,
      at,
    });
  const signs: ArithmeticSign[] = isSafe
    ? ["+", "-", "*", "&", "|", "^"]
    : ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"];
  return fc.letrec<{ tree: Arithmetic }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      constant,
      fc.constant({ kind: "length" as const, at: 0 }),
      load(constant),
      load(isSafe ? constant : tie("tree")),
      fc.record({
        kind: fc.constant("binary" as const),
        sign: fc.constantFrom(...signs),
        left: tie("tree"),
        right: tie("tree"),
        at,
      }),
      fc.record({
        kind: fc.constant("negate" as const),
        operand: tie("tree"),
        at,
      }),
    ),
  })).tree;
}

/** Random filters; many have a mistake in them. */
export function filters(shape: FilterShape): fc.Arbitrary<FilterNode> {
  const number = arithmetic(shape);
  const primitive: fc.Arbitrary<FilterNode> = fc.oneof(
    { weight: 6, arbitrary: sensible },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("match" as const),
        qualifiers,
        identifier,
        at,
      }),
    },
    {
      weight: 4,
      arbitrary: plainProtocol.map((word) => ({
        kind: "protocol" as const,
        protocol: word,
        at: 0,
      })),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("relation" as const),
        sign: fc.constantFrom("=", "!=", "<", "<=", ">", ">="),
        left: number,
        right: number,
        at,
      }),
    },
    fc.record({
      kind: fc.constantFrom("broadcast", "multicast"),
      protocol: fc.constantFrom("ip", "ip6", "ether"),
      at,
    }, { requiredKeys: ["kind", "at"] }),
    fc.record({
      kind: fc.constantFrom("less", "greater"),
      length: fc.nat(1500),
      at,
    }),
    fc.record({
      kind: fc.constant("byte" as const),
      index: fc.nat(60),
      sign: fc.constantFrom("=", "<", ">", "&", "|"),
      value: byte,
      at,
    }),
    fc.record({ kind: fc.constantFrom("inbound", "outbound", "pppoed"), at }),
    fc.record({ kind: fc.constant("ifindex" as const), index: byte, at }),
    fc.record({
      kind: fc.constantFrom("vlan", "mpls", "pppoes", "geneve", "vxlan"),
      id: fc.nat(4095),
      at,
    }, { requiredKeys: ["kind", "at"] }),
    optional(fc.constantFrom(...LLC_TYPES.keys())).map((type) =>
      type === undefined
        ? { kind: "llc" as const, at: 0 }
        : { kind: "llc" as const, type, at: 0 }
    ),
    fc.record({ kind: fc.constant("pid" as const), pid: byte, at }),
    fc.record({
      kind: fc.constant("comm" as const),
      name: fc.constantFrom("curl", "Web Content", "and", ""),
      at,
    }),
    fc.record({
      kind: fc.constant("proc" as const),
      direction: fc.constantFrom("in", "out"),
      at,
    }),
  );
  return fc.letrec<{ tree: FilterNode }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: "medium" },
      primitive,
      fc.record({
        kind: fc.constantFrom("and", "or"),
        left: tie("tree"),
        right: tie("tree"),
        at,
      }),
      fc.record({
        kind: fc.constant("not" as const),
        operand: tie("tree"),
        at,
      }),
    ),
  })).tree;
}

/** A tree without the places in the text. */
export function withoutPlaces(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "at")
      .map(([key, inner]) => [key, withoutPlaces(inner)]),
  );
}
