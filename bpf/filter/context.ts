/**
 * What the parts of the lowering share.
 *
 * @module
 */
import type { ProcessTerm } from "./ast.ts";
import type { Condition } from "./condition.ts";
import type { Layout } from "./link.ts";
import type { NameResolver } from "./names.ts";
import type { Values } from "./value.ts";

/** State of one lowering. */
export interface Context {
  /** All values of the filter. */
  readonly values: Values;
  /** Headers of the whole packet. */
  readonly outer: Layout;
  /**
   * Headers that the next primitive looks at; encapsulations move it on, in
   * the order of the text.
   */
  layout: Layout;
  /** Lookup of names. */
  readonly names: NameResolver;
  /** IPv4 network mask of the interface; 0 when it is not known. */
  readonly netmask: number;
  /** Byte order of the numbers in BSD loopback headers. */
  readonly isBigEndian: boolean;
  /** The condition for a process term; `positive` unless under a `not`. */
  readonly processTerm: (term: ProcessTerm, positive: boolean) => Condition;
  /** Reports a mistake at an index of the text. */
  readonly fail: (at: number, reason: string, expected?: string) => never;
}
