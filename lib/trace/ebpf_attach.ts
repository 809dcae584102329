/**
 * From programs as values to programs in the kernel.
 *
 * @module
 */
import { Btf } from "../../bpf/btf/reader.ts";
import { relocate } from "../../bpf/extended/assemble.ts";
import { ATTACH_TYPE, PROGRAM_TYPE } from "../../bpf/extended/program_type.ts";
import { KERNEL_NAMES, KernelTypes } from "../../bpf/programs/kernel_types.ts";
import type { Program } from "../../bpf/programs/program.ts";
import {
  attachToCgroup,
  attachTracing,
  type BpfLink,
} from "../../ffi/bpf_link.ts";
import { BpfProgram } from "../../ffi/bpf_program.ts";
import type { Fd } from "../../ffi/fd.ts";

/** Descriptors of maps by the names that programs use. */
export type Descriptors = Readonly<Record<string, number>>;

const VMLINUX_BTF = "/sys/kernel/btf/vmlinux";

/**
 * Reads what programs need to know of the running kernel's structures.
 *
 * @throws {Deno.errors.NotFound} when the kernel has no BTF
 */
export function readKernelTypes(): KernelTypes {
  return new KernelTypes(new Btf(Deno.readFileSync(VMLINUX_BTF), KERNEL_NAMES));
}

/**
 * Loads a program without attaching it.
 *
 * @throws {ProgramLoadError} when the kernel refuses the program
 */
export function loadProgram(
  { name, type, attachment, code }: Program,
  descriptors: Descriptors,
): BpfProgram {
  return new BpfProgram({
    name,
    type: PROGRAM_TYPE[type],
    ...("type" in attachment
      ? { expectedAttachType: ATTACH_TYPE[attachment.type] }
      : {}),
    ...(attachment.kind === "tracing" ? { attachBtfId: attachment.btfId } : {}),
    instructions: relocate(code, descriptors),
  });
}

/** Tries one after the other; the first error counts when none works. */
export function firstOf<T>(
  choices: readonly T[],
  attempt: (choice: T) => void,
): void {
  let failure: unknown;
  for (const choice of choices) {
    try {
      attempt(choice);
      return;
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/**
 * Loads a program and attaches it.
 *
 * @param cgroup Where programs for cgroups go.
 * @throws {ProgramLoadError} when the kernel refuses the program
 * @throws {SyscallError} when it cannot be attached
 */
export function attachProgram(
  program: Program,
  descriptors: Descriptors,
  cgroup?: Fd,
): BpfLink {
  const { name, attachment } = program;
  if (attachment.kind === "socket") {
    throw new TypeError(`Cannot attach program "${name}" without its socket`);
  }
  if (attachment.kind === "tracing") {
    return attachTracing(loadProgram(program, descriptors));
  }
  if (attachment.kind === "raw") {
    const { tracepoint } = attachment;
    return attachTracing(loadProgram(program, descriptors), tracepoint);
  }
  if (cgroup === undefined) {
    throw new TypeError(`Cannot attach program "${name}" without a cgroup`);
  }
  // The link keeps the program; its own descriptor is not needed any more.
  using loaded = loadProgram(program, descriptors);
  return attachToCgroup(loaded, cgroup.number, ATTACH_TYPE[attachment.type]);
}
