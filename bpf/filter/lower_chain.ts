/**
 * Header chains: `protochain 6` follows extension headers to the protocol.
 *
 * The kernel takes no loops, so the walk is written out for
 * {@linkcode MAX_CHAIN} headers; libpcap loops, and filters in user space.
 *
 * @module
 */
import { BPF_ADD, BPF_LSH } from "../classic/opcodes.ts";
import { all, any, type Condition, equals, NEVER } from "./condition.ts";
import type { Context } from "./context.ts";
import type { Protocol } from "./keywords.ts";
import { ahead, networkPlace } from "./link.ts";
import { carries, Ethertype } from "./lower_link.ts";
import {
  ipNumber,
  ipv4Protocol,
  ipv4Transport,
  IPV6_HEADER_LENGTH,
  ipv6NextHeader,
} from "./lower_protocol.ts";
import type { Place, Value } from "./value.ts";

/** Extension headers that are followed. */
export const MAX_CHAIN = 6;

/** Hop-by-hop options, destination options, routing and fragment headers. */
const IPV6_EXTENSIONS: readonly number[] = [0, 60, 43, 44];
/** Authentication header (RFC 4302); its length counts 32-bit words, less 2. */
const AUTHENTICATION = 51;
const LENGTH_OFFSET = 1;

/** A header of the packet, or one that it leads to, is of a protocol. */
export function matchesChain(
  context: Context,
  qualifier: Protocol | undefined,
  identifier: number | string,
  at: number,
): Condition {
  const number = ipNumber(context, identifier, at);
  switch (qualifier) {
    case "ip":
      return overIpv4(context, number, at);
    case "ip6":
      return overIpv6(context, number, at);
    case undefined:
      return any(
        overIpv4(context, number, at),
        overIpv6(context, number, at),
      );
  }
  return context.fail(at, `"${qualifier} protochain" has no meaning`);
}

function overIpv4(context: Context, number: number, at: number): Condition {
  return all(
    carries(context, Ethertype.IPV4, at),
    walk(context, number, ipv4Protocol(context), ipv4Transport(context), []),
  );
}

function overIpv6(context: Context, number: number, at: number): Condition {
  const place = ahead(networkPlace(context.layout), IPV6_HEADER_LENGTH);
  return all(
    carries(context, Ethertype.IPV6, at),
    walk(context, number, ipv6NextHeader(context), place, IPV6_EXTENSIONS),
  );
}

/**
 * @param next Number of the header that follows.
 * @param place Where that header starts.
 * @param extensions Headers whose length counts 64-bit words, less 1.
 */
function walk(
  context: Context,
  number: number,
  next: Value,
  place: Place,
  extensions: readonly number[],
  left = MAX_CHAIN,
): Condition {
  const { values } = context;
  const isFound = equals(values, next, number);
  if (left === 0) return isFound;
  const cell = values.newCell();
  const length = values.load(1, ahead(place, LENGTH_OFFSET));
  const step = (shift: number, base: number): Condition => {
    const units = values.alu(BPF_ADD, length, values.constant(base));
    const bytes = values.alu(BPF_LSH, units, values.constant(shift));
    const { base: from, k } = values.move({ ...place, k: 0 }, bytes);
    const value = values.address({ base: from, k: k + place.k });
    return { kind: "store", cell, value };
  };
  const kinds = extensions.filter((extension) => extension !== number);
  const steps = any(
    all(
      any(...kinds.map((kind) => equals(values, next, kind))),
      step(3, 1),
    ),
    number === AUTHENTICATION
      ? NEVER
      : all(equals(values, next, AUTHENTICATION), step(2, 2)),
  );
  const rest = walk(
    context,
    number,
    values.load(1, place),
    { base: values.cell(cell), k: 0 },
    extensions,
    left - 1,
  );
  return any(isFound, all(steps, rest));
}
