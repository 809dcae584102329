/**
 * The part of a capture filter that compares the remote endpoint.
 *
 * @module
 */
import type { RemoteRule } from "./capture_plan.ts";
import type { ClassicAssembler } from "./classic/assembler.ts";
import { cell, packetAtX } from "./classic/operands.ts";
import {
  type Branch,
  DEFAULT_LEAF_SIZE,
  emitDecision,
  type Interval,
} from "./decision_tree.ts";

/** Where the comparison finds its input and goes on. */
export interface RemoteTreeOptions {
  /** Scratch cell with the key of the packet. */
  readonly keyCell: number;
  /** Scratch cell with the offset of the packet's remote address. */
  readonly addressCell: number;
  /** Label for a match. */
  readonly accept: string;
  /** Label for no match. */
  readonly drop: string;
}

const WORD_LENGTH = 4;

/**
 * Emits the comparison of a packet's remote endpoint.
 *
 * @param remotes Endpoints whose address counts.
 * @param keys Keys that match with any address; sorted, disjoint, and none of
 * `remotes` in them.
 */
export function emitRemotes(
  assembler: ClassicAssembler,
  remotes: readonly RemoteRule[],
  keys: readonly Interval[],
  options: RemoteTreeOptions,
): void {
  const { accept, drop } = options;
  const groups = groupBy(remotes, ({ key }) => key);
  const branches: Branch[] = keys.map((key) => ({ ...key, label: accept }));
  const labels = new Map<number, string>();
  for (const key of groups.keys()) {
    const label = assembler.unique("remote");
    labels.set(key, label);
    branches.push({ low: key, high: key, label });
  }
  branches.sort((a, b) => a.low - b.low);
  if (remotes.length > 0) assembler.ldx(cell(options.addressCell));
  assembler.ld(cell(options.keyCell));
  emitDecision(assembler, branches, { otherwise: drop });
  for (const [key, group] of groups) {
    assembler.label(labels.get(key)!);
    emitAddresses(assembler, group, accept, drop);
  }
}

/** Instructions that {@linkcode emitRemotes} emits for endpoints, at most. */
export function remoteTreeSize(remotes: readonly RemoteRule[]): number {
  // A port takes a test, a node of the tree, and a load of the address.
  let size = 3 * groupBy(remotes, ({ key }) => key).size;
  // An address takes a test and a node for its last word, two instructions
  // for each other word.
  for (const { words } of remotes) size += 2 + 2 * (words.length - 1);
  return size;
}

/** Compares the address at X with those of one family. */
function emitAddresses(
  assembler: ClassicAssembler,
  rules: readonly RemoteRule[],
  accept: string,
  drop: string,
): void {
  // The last word differs most between addresses in use.
  const last = rules[0]!.words.length - 1;
  const groups = groupBy(rules, ({ words }) => words[last]!);
  const branches = [...groups.keys()].sort((a, b) => a - b).map((word) => ({
    low: word,
    high: word,
    label: last === 0 ? accept : assembler.unique("address"),
  }));
  assembler.ld(packetAtX(last * WORD_LENGTH));
  emitDecision(assembler, branches, {
    otherwise: drop,
    leafSize: DEFAULT_LEAF_SIZE,
  });
  if (last === 0) return;
  for (const { low, label } of branches) {
    assembler.label(label);
    emitOtherWords(assembler, groups.get(low)!, accept, drop);
  }
}

/** Compares all but the last word, one address after the other. */
function emitOtherWords(
  assembler: ClassicAssembler,
  rules: readonly RemoteRule[],
  accept: string,
  drop: string,
): void {
  for (const [position, { words }] of rules.entries()) {
    const next = position + 1 < rules.length
      ? assembler.unique("next")
      : undefined;
    const last = words.length - 2;
    for (let index = last; index >= 0; index--) {
      assembler.ld(packetAtX(index * WORD_LENGTH));
      const then = index === 0 ? accept : undefined;
      assembler.jeq(words[index]!, then, next ?? drop);
    }
    if (next !== undefined) assembler.label(next);
  }
}

function groupBy<T>(
  items: readonly T[],
  keyOf: (item: T) => number,
): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
