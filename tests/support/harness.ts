/**
 * Registers capture tests: one `Deno.test` per case and variant of the tool,
 * with its needs checked before, its time bounded, and leaks looked for after.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Bench, type BenchOptions, type Network } from "./bench.ts";
import { endAll, type Leftover, leftovers } from "./leaks.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "./requires.ts";
import { optionOf, trackerOf, VARIANTS } from "./tool.ts";
import { PATIENCE, within } from "./processes.ts";

/** Milliseconds that one test may take. */
const TIME_LIMIT = 2 * PATIENCE;
const BASIC_NEEDS = ["root", "gcc", "program tcpdump"] as const;

/** What a test needs. */
export interface CaseOptions {
  /** Beside root, gcc, and tcpdump. */
  readonly needs?: readonly Requirement[];
  /**
   * Default: a private one, which no other test disturbs, or the host's where
   * namespaces cannot be made.
   */
  readonly network?: Network;
  /** Without root there is no eBPF: left out in variants that need it. */
  readonly isUnprivileged?: boolean;
}

/** Registers a test that runs once per variant of the tool. */
export function captureTest(
  name: string,
  body: (bench: Bench) => Promise<void>,
  options: CaseOptions = {},
): void {
  const needs: Requirement[] = [...BASIC_NEEDS, ...(options.needs ?? [])];
  const network = options.network ?? defaultNetwork();
  if (network !== "host") needs.push("network namespaces");
  const reason = missing(needs);
  for (const variant of VARIANTS) {
    if (options.isUnprivileged && needsEbpf(variant)) continue;
    const title = [name, ...variant].join(" ");
    if (reason !== undefined && !isContinuousIntegration()) {
      Deno.test({
        name: `${title} (skipped: ${reason})`,
        ignore: true,
        fn: () => {},
      });
      continue;
    }
    Deno.test(title, async () => {
      assert.equal(reason, undefined);
      await runCase(body, { name, variant, network });
    });
  }
}

function needsEbpf(variant: readonly string[]): boolean {
  return trackerOf(variant) === "ebpf" ||
    optionOf(variant, "--kernel-filter") === "map";
}

function defaultNetwork(): Network {
  return missing(["network namespaces"]) === undefined ? "private" : "host";
}

async function runCase(
  body: (bench: Bench) => Promise<void>,
  options: BenchOptions,
): Promise<void> {
  const bench = await Bench.create(options);
  let failure: unknown;
  try {
    await within(body(bench), "the end of the test", TIME_LIMIT);
  } catch (error) {
    failure = withToolOutput(error, bench.toolOutput);
  }
  await bench[Symbol.asyncDispose]();
  const left = await remaining(bench.id);
  endAll(left.map(({ pid }) => pid));
  if (failure !== undefined) throw failure;
  assert.deepEqual(left, [], "processes were left behind");
}

/** What is still there when processes that were killed have had their time. */
async function remaining(id: string): Promise<Leftover[]> {
  for (let tries = 0; tries < 100; tries++) {
    if (leftovers(id).length === 0) return [];
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return leftovers(id);
}

function withToolOutput(error: unknown, output: string): unknown {
  if (error instanceof Error) error.message += `\n--- tool ---\n${output}`;
  return error;
}
