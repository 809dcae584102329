/**
 * Conditions on a packet: the first form that a syntax tree is lowered to.
 *
 * @module
 */
import {
  BPF_AND,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JSET,
  BPF_SUB,
} from "../classic/opcodes.ts";
import type { Value, Values } from "./value.ts";

/** A comparison of two values, unsigned. */
export interface Test {
  /** `BPF_JEQ`, `BPF_JGT`, `BPF_JGE` or `BPF_JSET`. */
  readonly operation: number;
  /** Left side. */
  readonly left: Value;
  /** Right side. */
  readonly right: Value;
}

/** A condition; parts of `and` and `or` are looked at from left to right. */
export type Condition =
  | { readonly kind: "always"; readonly result: boolean }
  | { readonly kind: "test"; readonly test: Test }
  | { readonly kind: "not"; readonly part: Condition }
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | {
    /** Stores a value and holds. */
    readonly kind: "store";
    readonly cell: number;
    readonly value: Value;
  };

/** Holds for every packet. */
export const ALWAYS: Condition = { kind: "always", result: true };
/** Holds for no packet. */
export const NEVER: Condition = { kind: "always", result: false };

/** All parts hold. */
export function all(...parts: readonly Condition[]): Condition {
  const needed = parts.filter((part) => part !== ALWAYS);
  if (needed.length === 0) return ALWAYS;
  if (needed[0] === NEVER) return NEVER;
  return needed.length === 1 ? needed[0]! : { kind: "and", parts: needed };
}

/** At least one part holds. */
export function any(...parts: readonly Condition[]): Condition {
  const needed = parts.filter((part) => part !== NEVER);
  if (needed.length === 0) return NEVER;
  if (needed[0] === ALWAYS) return ALWAYS;
  return needed.length === 1 ? needed[0]! : { kind: "or", parts: needed };
}

/** The part does not hold. */
export function not(part: Condition): Condition {
  if (part.kind === "always") return part.result ? NEVER : ALWAYS;
  return part.kind === "not" ? part.part : { kind: "not", part };
}

/** Compares two values; what can be told now is not left to the packet. */
export function compare(
  values: Values,
  operation: number,
  left: Value,
  right: Value,
): Condition {
  if (right.kind !== "constant") {
    return { kind: "test", test: { operation, left, right } };
  }
  const { k } = right;
  if (left.kind === "constant") {
    return holds(operation, left.k, k) ? ALWAYS : NEVER;
  }
  if (operation === BPF_JEQ && left.kind === "alu") {
    if (left.operation === BPF_SUB && k === 0) {
      return compare(values, BPF_JEQ, left.left, left.right);
    }
    if (left.operation === BPF_AND && left.right.kind === "constant") {
      const mask = left.right.k;
      if (k === 0) return not(compare(values, BPF_JSET, left.left, left.right));
      const isOneBit = (mask & (mask - 1)) === 0;
      if (isOneBit && k === mask) {
        return compare(values, BPF_JSET, left.left, left.right);
      }
    }
  }
  return { kind: "test", test: { operation, left, right } };
}

/** Shorthand for a comparison with a constant. */
export function equals(values: Values, left: Value, k: number): Condition {
  return compare(values, BPF_JEQ, left, values.constant(k));
}

/** The outcome of a comparison of two numbers. */
export function holds(operation: number, left: number, right: number): boolean {
  switch (operation) {
    case BPF_JEQ:
      return left === right;
    case BPF_JGT:
      return left > right;
    case BPF_JGE:
      return left >= right;
    case BPF_JSET:
      return (left & right) !== 0;
  }
  return false;
}
