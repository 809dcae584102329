/**
 * The exact comparison of two captures, packet by packet, as multisets.
 *
 * @module
 */

import type { TestPacket } from "./packets.ts";

/** A packet of the independent capture and what is expected of the other. */
export interface TruthPacket extends TestPacket {
  /** Whether it is a packet of the program. */
  readonly isOwned: boolean;
  /**
   * Whether the capture had to be running when it passed. Other packets of
   * the program may be captured or not.
   */
  readonly isRequired: boolean;
}

/** Differences between a capture and the truth. */
export interface Comparison {
  /** Packets of the program that were not captured. */
  readonly missing: readonly TestPacket[];
  /** Captured packets that are not the program's. */
  readonly foreign: readonly TestPacket[];
  /** Packets of the program that were captured more often than they passed. */
  readonly doubled: readonly TestPacket[];
  /** Number of captured packets that are right. */
  readonly right: number;
}

/**
 * Compares a capture with the truth.
 *
 * @param snaplen Bytes that the capture keeps of each IP packet; 0 means all.
 */
export function compare(
  captured: readonly TestPacket[],
  truth: readonly TruthPacket[],
  snaplen = 0,
): Comparison {
  const allowed = new Map<string, number>();
  const owned = truth.filter((packet) => packet.isOwned);
  for (const packet of owned) add(allowed, keyOf(packet, snaplen), 1);
  const present = new Map<string, number>();
  const foreign: TestPacket[] = [];
  const doubled: TestPacket[] = [];
  for (const packet of captured) {
    // Not cut here: longer packets than asked for must be noticed.
    const key = keyOf(packet, 0);
    const limit = allowed.get(key) ?? 0;
    const count = add(present, key, 1);
    if (limit === 0) foreign.push(packet);
    else if (count > limit) doubled.push(packet);
  }
  const right = captured.length - foreign.length - doubled.length;
  const missing = owned.filter((packet) =>
    packet.isRequired && add(present, keyOf(packet, snaplen), -1) < 0
  );
  return { missing, foreign, doubled, right };
}

/** Whether there are no differences. */
export function isExact(comparison: Comparison): boolean {
  const { missing, foreign, doubled } = comparison;
  return missing.length + foreign.length + doubled.length === 0;
}

/** The differences in words, the first few packets of each kind. */
export function describe(comparison: Comparison): string {
  const { missing, foreign, doubled, right } = comparison;
  const lines = [
    `${right} packets right, ${missing.length} missing, ` +
    `${foreign.length} foreign, ${doubled.length} doubled`,
  ];
  for (
    const [name, packets] of Object.entries({ missing, foreign, doubled })
  ) {
    for (const packet of packets.slice(0, 8)) {
      lines.push(`  ${name}: ${packet.text}`);
    }
  }
  return lines.join("\n");
}

function keyOf(packet: TestPacket, snaplen: number): string {
  const bytes = snaplen === 0 ? packet.bytes : packet.bytes.slice(0, snaplen);
  return `${packet.length} ${bytes}`;
}

function add(counts: Map<string, number>, key: string, by: number): number {
  const count = (counts.get(key) ?? 0) + by;
  counts.set(key, count);
  return count;
}
