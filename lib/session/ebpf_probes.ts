/**
 * How the sets of hooks fared that were tried, as plain data.
 *
 * @module
 */
import { ProgramLoadError } from "../../ffi/bpf_program.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { TrackerLoadError, type VariantProbe } from "../trace/ebpf_loader.ts";
import type { Probe } from "./ebpf_report.ts";

/** What `EbpfTracking` could not do, trial by trial. */
export function failedProbes(error: unknown): Probe[] {
  if (error instanceof TrackerLoadError) return error.probes.map(probeOf);
  return [{ ...codeOf(error), error: textOf(error) }];
}

/** How one set of hooks fared. */
export function probeOf({ variant, error, milliseconds }: VariantProbe): Probe {
  return {
    hooks: variant,
    milliseconds,
    ...codeOf(error),
    ...(error === undefined ? {} : { error: error.message }),
  };
}

function textOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "Cannot find the kernel's types (BTF) in /sys/kernel/btf/vmlinux";
  }
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): Pick<Probe, "code"> {
  return error instanceof ProgramLoadError || error instanceof SyscallError
    ? { code: error.code }
    : {};
}
