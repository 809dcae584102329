/**
 * Conditions on DECnet addresses: `decnet host 10.15`.
 *
 * @module
 */
import { BPF_AND } from "../classic/opcodes.ts";
import type { Identifier, Qualifiers } from "./ast.ts";
import { all, any, type Condition, equals } from "./condition.ts";
import type { Context } from "./context.ts";
import { inDirection } from "./direction.ts";
import { ahead, networkPlace } from "./link.ts";
import { carries, Ethertype } from "./lower_link.ts";

/** Routing flags of DECnet phase IV, with and without a byte of padding. */
const DECNET_FORMS = [
  { size: 1, mask: 0x07, value: 0x02, source: 3, destination: 1 },
  { size: 2, mask: 0xff07, value: 0x8102, source: 4, destination: 2 },
  { size: 1, mask: 0x07, value: 0x06, source: 15, destination: 7 },
  { size: 2, mask: 0xff07, value: 0x8106, source: 16, destination: 8 },
] as const;
/** Bytes before the routing flags: the length of the message. */
const DECNET_FLAGS_OFFSET = 2;

/** The packet has a DECnet address, such as 10.15. */
export function matchesDecnet(
  context: Context,
  { type, direction = "src or dst" }: Qualifiers,
  identifier: Identifier,
  at: number,
): Condition {
  const { values, layout } = context;
  const text = identifier.kind === "ipv4" ? identifier.address : "";
  const match = /^(\d+)\.(\d+)$/.exec(text);
  if (match === null || (type !== undefined && type !== "host")) {
    return context.fail(at, "this is no DECnet address", "such as 10.15");
  }
  const number = Number(match[1]) << 10 | Number(match[2]);
  if (Number(match[1]) > 63 || Number(match[2]) > 1023) {
    return context.fail(at, `"${text}" is no DECnet address`);
  }
  const swapped = (number & 0xff) << 8 | number >> 8;
  const start = ahead(networkPlace(layout), DECNET_FLAGS_OFFSET);
  const forms = (end: "source" | "destination"): Condition =>
    any(...DECNET_FORMS.map((form) => {
      const flags = values.load(form.size, start);
      const masked = values.alu(BPF_AND, flags, values.constant(form.mask));
      return all(
        equals(values, masked, form.value),
        equals(values, values.load(2, ahead(start, form[end])), swapped),
      );
    }));
  return all(
    carries(context, Ethertype.DECNET, at),
    inDirection(
      direction,
      () => forms("source"),
      () => forms("destination"),
    ),
  );
}
