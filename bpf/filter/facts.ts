/**
 * What is known about values at a place in a decision graph.
 *
 * @module
 */
import { BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JSET } from "../classic/opcodes.ts";
import { holds, type Test } from "./condition.ts";
import { calculate, type Value } from "./value.ts";

/** What is known about one value. */
export interface Fact {
  /** The only numbers that it can be; all numbers when left out. */
  readonly only?: readonly number[];
  /** Numbers that it is not. */
  readonly never: readonly number[];
  /** Smallest number that it can be. */
  readonly min: number;
  /** Largest number that it can be. */
  readonly max: number;
  /** Bits that are 0. */
  readonly zeros: number;
  /** Masks of which at least one bit is 1. */
  readonly ones: readonly number[];
}

/** Facts by value; values that are left out can be anything. */
export type Facts = ReadonlyMap<Value, Fact>;

/** Longest list that is kept of one value. */
const MAX_LIST = 64;

const NOTHING: Fact = {
  never: [],
  min: 0,
  max: 0xffffffff,
  zeros: 0,
  ones: [],
};

/** No facts. */
export const NO_FACTS: Facts = new Map();

/** The outcome of a test, as far as the facts tell. */
export function decide(facts: Facts, test: Test): boolean | undefined {
  const { operation, left, right } = test;
  const k = numberOf(facts, right);
  if (k === undefined) return undefined;
  const number = numberOf(facts, left);
  if (number !== undefined) return holds(operation, number, k);
  const fact = facts.get(left);
  return fact === undefined ? undefined : decideBy(fact, operation, k);
}

function decideBy(
  fact: Fact,
  operation: number,
  k: number,
): boolean | undefined {
  const { only, never, min, max, zeros, ones } = fact;
  if (only !== undefined) {
    const outcomes = only.map((number) => holds(operation, number, k));
    if (outcomes.every((outcome) => outcome)) return true;
    if (outcomes.every((outcome) => !outcome)) return false;
    return undefined;
  }
  switch (operation) {
    case BPF_JEQ: {
      const isRuledOut = k < min || k > max || (k & zeros) !== 0 ||
        never.includes(k) || ones.some((mask) => (k & mask) === 0);
      return isRuledOut ? false : undefined;
    }
    case BPF_JGT:
      return min > k ? true : max <= k ? false : undefined;
    case BPF_JGE:
      return min >= k ? true : max < k ? false : undefined;
    case BPF_JSET:
      if ((k & ~zeros) === 0) return false;
      return ones.some((mask) => (mask & ~k) === 0) ? true : undefined;
  }
  return undefined;
}

/** The number that a value must be, if the facts leave but one. */
function numberOf(facts: Facts, value: Value): number | undefined {
  if (value.kind === "constant") return value.k;
  const only = facts.get(value)?.only;
  if (only !== undefined && only.length === 1) return only[0];
  if (value.kind === "alu") {
    const left = numberOf(facts, value.left);
    if (left === undefined) return undefined;
    const right = numberOf(facts, value.right);
    if (right === undefined) return undefined;
    return calculate(value.operation, left, right);
  }
  return undefined;
}

/** The facts after a test with a known outcome. */
export function learn(facts: Facts, test: Test, outcome: boolean): Facts {
  const { operation, left, right } = test;
  if (right.kind !== "constant") return facts;
  const old = facts.get(left) ?? NOTHING;
  return new Map(facts).set(left, narrow(old, operation, right.k, outcome));
}

function narrow(
  old: Fact,
  operation: number,
  k: number,
  outcome: boolean,
): Fact {
  if (old.only !== undefined) {
    const only = old.only.filter((number) =>
      holds(operation, number, k) === outcome
    );
    return { ...NOTHING, only };
  }
  switch (operation) {
    case BPF_JEQ:
      if (outcome) return { ...NOTHING, only: [k] };
      return old.never.length < MAX_LIST
        ? { ...old, never: [...old.never, k] }
        : old;
    case BPF_JGT:
      return outcome
        ? { ...old, min: Math.max(old.min, k + 1) }
        : { ...old, max: Math.min(old.max, k) };
    case BPF_JGE:
      return outcome
        ? { ...old, min: Math.max(old.min, k) }
        : { ...old, max: Math.min(old.max, k - 1) };
    case BPF_JSET:
      return outcome
        ? { ...old, ones: [...old.ones, k] }
        : { ...old, zeros: old.zeros | k };
  }
  return old;
}

/** The facts where two ways meet: what is true on both. */
export function meet(one: Facts, two: Facts): Facts {
  const both = new Map<Value, Fact>();
  for (const [value, first] of one) {
    const second = two.get(value);
    if (second === undefined) continue;
    const fact = widen(first, second);
    if (fact !== NOTHING) both.set(value, fact);
  }
  return both;
}

function widen(one: Fact, two: Fact): Fact {
  if (one === two) return one;
  if (one.only !== undefined && two.only !== undefined) {
    const only = [...new Set([...one.only, ...two.only])];
    return only.length <= MAX_LIST ? { ...NOTHING, only } : NOTHING;
  }
  if (one.only !== undefined) return widen(two, one);
  if (two.only !== undefined) {
    const numbers = two.only;
    return {
      never: one.never.filter((k) => !numbers.includes(k)),
      min: Math.min(one.min, ...numbers),
      max: Math.max(one.max, ...numbers),
      zeros: numbers.reduce((zeros, k) => zeros & ~k, one.zeros),
      ones: one.ones.filter((mask) => numbers.every((k) => (k & mask) !== 0)),
    };
  }
  return {
    never: one.never.filter((k) => two.never.includes(k)),
    min: Math.min(one.min, two.min),
    max: Math.max(one.max, two.max),
    zeros: one.zeros & two.zeros,
    ones: one.ones.filter((mask) => two.ones.includes(mask)),
  };
}
