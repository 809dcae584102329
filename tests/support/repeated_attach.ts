/**
 * Attaching to a program and letting go of it, again and again, at moments
 * that nobody chose.
 *
 * @module
 */

import assert from "node:assert/strict";
import { processTree } from "../../lib/proc/task.ts";
import type { Bench } from "./bench.ts";
import { assertFree, statusOf } from "./process_state.ts";
import { until } from "./processes.ts";
import { CAPTURING_REGEXP } from "./tool.ts";

/** Longest time until the tool is told to let go or is killed, ms. */
const LONGEST = 150;
/** Every so many times the tool is killed, which it cannot notice. */
const KILLED = 3;
/** Longest time from the tool's start until it is killed, ms. */
const LONGEST_START = 500;

/**
 * Attaches the tool to a program; fails when something of it stays behind.
 *
 * @param times How often.
 */
export async function attachRepeatedly(
  bench: Bench,
  pid: number,
  times: number,
  options: readonly string[] = [],
): Promise<void> {
  for (let time = 1; time <= times; time++) {
    const tool = bench.tool([...options, "-o", bench.output, `${pid}`]);
    if (time % KILLED === 0) {
      await randomTime(LONGEST_START);
      tool.signal("SIGKILL");
      await tool.ended();
    } else {
      await tool.seen("stderr", CAPTURING_REGEXP);
      await randomTime(LONGEST);
      tool.signal("SIGINT");
      const { code, stderr } = await tool.ended();
      assert.equal(code, 0, stderr);
    }
    assertTreeFree(pid);
  }
  await until(
    () => treeOf(pid).every((each) => !isZombie(each)) || undefined,
    "the program to take notice of children that ended",
  );
}

/** Fails unless a program and its children run free of any tracer. */
function assertTreeFree(pid: number): void {
  for (const each of treeOf(pid)) {
    try {
      assertFree(each);
    } catch (error) {
      // It ended meanwhile.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

function treeOf(pid: number): number[] {
  const tree = processTree(pid);
  assert.ok(tree.length > 0, `process ${pid} has ended before its time`);
  return tree;
}

function isZombie(pid: number): boolean {
  try {
    return statusOf(pid).get("State")!.startsWith("Z");
  } catch {
    return false; // It is gone.
  }
}

async function randomTime(longest: number): Promise<void> {
  const time = Math.random() * longest;
  await new Promise((resolve) => setTimeout(resolve, time));
}
