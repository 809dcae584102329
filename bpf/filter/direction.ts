/**
 * Source, destination, either or both.
 *
 * @module
 */
import type { Direction } from "./ast.ts";
import { all, any, type Condition } from "./condition.ts";

/** One end of the packet, or both, match. */
export function inDirection(
  direction: Direction,
  source: () => Condition,
  destination: () => Condition,
): Condition {
  switch (direction) {
    case "src":
      return source();
    case "dst":
      return destination();
    case "src or dst":
      return any(source(), destination());
    case "src and dst":
      return all(source(), destination());
  }
}
