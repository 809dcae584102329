/**
 * Tells which parts of eBPF this kernel takes; runs in the virtual machine.
 *
 * Prints one JSON object per line, see {@linkcode Probe}.
 *
 * @module
 */

import { ProgramLoadError } from "../../ffi/bpf_program.ts";
import { KernelFilter } from "../../lib/trace/ebpf_filter.ts";
import {
  loadTracker,
  TrackerLoadError,
  VARIANTS,
} from "../../lib/trace/ebpf_loader.ts";

import { KernelSource } from "../../lib/views/kernel_source.ts";
import type { WatchFeature } from "../../lib/views/watch.ts";

/** Outcome for one part. */
export interface Probe {
  /** `filter`, the name of a variant of the tracker, or of a view. */
  readonly part: string;
  /** What it does without: features of the views. */
  readonly without?: readonly string[];
  /** Why it does not work here. */
  readonly error?: string;
  /** All that the verifier said. */
  readonly log?: string;
  /** Time that loading took, in the slow machine. */
  readonly milliseconds: number;
}

/** Features of the views that have programs of their own. */
const VIEWS = {
  connect: { attempts: true, datagrams: true },
  life: { closes: true },
  states: { states: true },
  accept: { accepts: true },
  retrans: { retransmits: true },
} as const;

/** Rungs that newer kernels would not try. */
const RUNGS: readonly (readonly WatchFeature[])[] = [
  [],
  ["slots"],
  ["tp_btf"],
];

if (import.meta.main) {
  tell("filter", () => new KernelFilter().close());
  for (const variant of VARIANTS) {
    tell(variant, () => loadTracker({ variants: [variant] }).close());
  }
  for (const [view, features] of Object.entries(VIEWS)) {
    for (const without of RUNGS) {
      tell([view, ...without].join(" without "), () => {
        using source = new KernelSource(
          { ...features, filtered: true },
          without,
        );
        return source.refused.map(({ loss }) => loss);
      });
    }
  }
}

function tell(part: string, attempt: () => readonly string[] | void): void {
  const begin = performance.now();
  let failure: Error | undefined;
  let without: readonly string[] | undefined;
  try {
    without = attempt() ?? undefined;
  } catch (error) {
    failure = causeOf(error);
  }
  const probe: Probe = {
    part,
    ...(without ? { without } : {}),
    ...(failure === undefined ? {} : { error: failure.message }),
    ...(failure instanceof ProgramLoadError ? { log: failure.log } : {}),
    milliseconds: Math.round(performance.now() - begin),
  };
  const line = `${JSON.stringify(probe)}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}

function causeOf(error: unknown): Error {
  if (error instanceof TrackerLoadError) {
    return error.probes[0]?.error ?? error;
  }
  return error instanceof Error ? error : new Error(String(error));
}
