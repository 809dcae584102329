/**
 * Conditions on ports: `port 80`, `tcp src portrange 1-1023`.
 *
 * @module
 */
import { BPF_JGE, BPF_JGT } from "../classic/opcodes.ts";
import type { Direction, Identifier, Qualifiers } from "./ast.ts";
import { all, any, compare, type Condition, equals } from "./condition.ts";
import { not } from "./condition.ts";
import type { Context } from "./context.ts";
import { inDirection } from "./direction.ts";
import { ahead, networkPlace } from "./link.ts";
import { carries, Ethertype } from "./lower_link.ts";
import {
  IpProtocol,
  ipv4Protocol,
  ipv4Transport,
  IPV6_HEADER_LENGTH,
  ipv6NextHeader,
  isFirstFragment,
} from "./lower_protocol.ts";
import { BUILT_IN_NAMES } from "./names.ts";
import type { Place } from "./value.ts";

const MAX_PORT = 65535;
/** Offsets in TCP, UDP and SCTP headers. */
const SOURCE_OFFSET = 0;
const DESTINATION_OFFSET = 2;

const TRANSPORTS = {
  tcp: IpProtocol.TCP,
  udp: IpProtocol.UDP,
  sctp: IpProtocol.SCTP,
} as const;
type Transport = keyof typeof TRANSPORTS;

interface Ports {
  readonly low: number;
  readonly high: number;
  /** Protocols that the name is registered for; none when it was a number. */
  readonly transports: readonly Transport[];
}

/** The packet has certain ports. */
export function matchesPort(
  context: Context,
  qualifiers: Qualifiers,
  identifier: Identifier,
  at: number,
): Condition {
  const { protocol, type, direction } = qualifiers;
  const isRange = type === "portrange";
  const ports = readPorts(context, identifier, isRange, at);
  const numbers = transportNumbers(context, protocol, ports, at);
  return hasPorts(context, ports, numbers, direction ?? "src or dst", at);
}

/** The packet goes to a UDP port; used by encapsulations. */
export function goesToUdpPort(
  context: Context,
  version: 4 | 6,
  port: number,
  at: number,
): Condition {
  const parts = version === 4 ? overIpv4 : overIpv6;
  const ports = { low: port, high: port, transports: [] };
  return parts(context, ports, [IpProtocol.UDP], "dst", at);
}

function transportNumbers(
  context: Context,
  protocol: Qualifiers["protocol"],
  { transports }: Ports,
  at: number,
): readonly number[] {
  if (protocol === undefined) {
    const wanted: readonly Transport[] = transports.length === 1
      ? transports
      : ["sctp", "tcp", "udp"];
    return wanted.map((transport) => TRANSPORTS[transport]);
  }
  if (!Object.hasOwn(TRANSPORTS, protocol)) {
    return context.fail(
      at,
      `"${protocol}" has no ports`,
      '"tcp", "udp", "sctp" or nothing before "port"',
    );
  }
  const transport = protocol as Transport;
  if (transports.length === 1 && transports[0] !== transport) {
    return context.fail(
      at,
      `the port is one of ${transports[0]}, not of ${transport}`,
    );
  }
  return [TRANSPORTS[transport]];
}

function hasPorts(
  context: Context,
  ports: Ports,
  numbers: readonly number[],
  direction: Direction,
  at: number,
): Condition {
  return any(
    overIpv6(context, ports, numbers, direction, at),
    overIpv4(context, ports, numbers, direction, at),
  );
}

function overIpv6(
  context: Context,
  ports: Ports,
  numbers: readonly number[],
  direction: Direction,
  at: number,
): Condition {
  const { values, layout } = context;
  const place = ahead(networkPlace(layout), IPV6_HEADER_LENGTH);
  const next = ipv6NextHeader(context);
  return all(
    carries(context, Ethertype.IPV6, at),
    any(...numbers.map((number) => equals(values, next, number))),
    atEnds(context, ports, direction, place),
  );
}

function overIpv4(
  context: Context,
  ports: Ports,
  numbers: readonly number[],
  direction: Direction,
  at: number,
): Condition {
  const { values } = context;
  const protocol = ipv4Protocol(context);
  return all(
    carries(context, Ethertype.IPV4, at),
    any(...numbers.map((number) => equals(values, protocol, number))),
    isFirstFragment(context),
    atEnds(context, ports, direction, ipv4Transport(context)),
  );
}

function atEnds(
  context: Context,
  ports: Ports,
  direction: Direction,
  place: Place,
): Condition {
  return inDirection(
    direction,
    () => isWithin(context, ports, ahead(place, SOURCE_OFFSET)),
    () => isWithin(context, ports, ahead(place, DESTINATION_OFFSET)),
  );
}

function isWithin(
  { values }: Context,
  { low, high }: Ports,
  place: Place,
): Condition {
  const port = values.load(2, place);
  if (low === high) return equals(values, port, low);
  return all(
    compare(values, BPF_JGE, port, values.constant(low)),
    not(compare(values, BPF_JGT, port, values.constant(high))),
  );
}

function readPorts(
  context: Context,
  identifier: Identifier,
  isRange: boolean,
  at: number,
): Ports {
  if (identifier.kind === "number") {
    const port = checkPort(context, identifier.value, at);
    return { low: port, high: port, transports: [] };
  }
  if (identifier.kind !== "name") {
    return context.fail(at, "an address is no port", "a port");
  }
  const { name } = identifier;
  if (!isRange) {
    return readPort(context, name, at) ?? unknown(context, name, at);
  }
  for (let dash = -1; (dash = name.indexOf("-", dash + 1)) >= 0;) {
    const first = readPort(context, name.slice(0, dash), at);
    const last = readPort(context, name.slice(dash + 1), at);
    if (first === undefined || last === undefined) continue;
    return {
      low: Math.min(first.low, last.low),
      high: Math.max(first.high, last.high),
      transports: common(first.transports, last.transports),
    };
  }
  return readPort(context, name, at) ?? unknown(context, name, at);
}

/** Protocols of a range: those of its ends, when they agree. */
function common(
  first: readonly Transport[],
  last: readonly Transport[],
): readonly Transport[] {
  if (first.length === 0) return last;
  if (last.length === 0) return first;
  return first.join() === last.join() ? first : [];
}

function unknown(context: Context, name: string, at: number): never {
  return context.fail(at, `port "${name}" is not known`);
}

function readPort(
  context: Context,
  name: string,
  at: number,
): Ports | undefined {
  if (/^\d+$/.test(name)) {
    const port = checkPort(context, Number(name), at);
    return { low: port, high: port, transports: [] };
  }
  const found = context.names.port?.(name) ?? BUILT_IN_NAMES.port(name);
  if (found === undefined) return undefined;
  const { tcp, udp, sctp } = found;
  const port = tcp ?? udp ?? sctp;
  if (port === undefined) return undefined;
  const transports = (["tcp", "udp", "sctp"] as const)
    .filter((transport) => found[transport] === port);
  return { low: port, high: port, transports };
}

function checkPort(context: Context, port: number, at: number): number {
  if (port > MAX_PORT) {
    return context.fail(at, `port ${port} is too large`, `at most ${MAX_PORT}`);
  }
  return port;
}
