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

/** Outcome for one part. */
export interface Probe {
  /** `filter` or the name of a variant of the tracker. */
  readonly part: string;
  /** Why it does not work here. */
  readonly error?: string;
  /** All that the verifier said. */
  readonly log?: string;
  /** Time that loading took, in the slow machine. */
  readonly milliseconds: number;
}

if (import.meta.main) {
  tell("filter", () => new KernelFilter().close());
  for (const variant of VARIANTS) {
    tell(variant, () => loadTracker({ variants: [variant] }).close());
  }
}

function tell(part: string, attempt: () => void): void {
  const begin = performance.now();
  let failure: Error | undefined;
  try {
    attempt();
  } catch (error) {
    failure = causeOf(error);
  }
  const probe: Probe = {
    part,
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
