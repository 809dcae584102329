/**
 * What a program is, before it is loaded.
 *
 * @module
 */

import { assemble, type AssembledProgram } from "../extended/assemble.ts";
import type { Code } from "../extended/instruction.ts";
import type { AttachType, ProgramType } from "../extended/program_type.ts";

/** Where a program is attached. */
export type Attachment =
  /** To a packet socket, by its owner. */
  | { readonly kind: "socket" }
  /** To the root of the cgroup2 hierarchy. */
  | { readonly kind: "cgroup"; readonly type: AttachType }
  /** To a tracepoint, by its name; arguments have no types. */
  | { readonly kind: "raw"; readonly tracepoint: string }
  /** To a tracepoint or function of the kernel, by its BTF id. */
  | {
    readonly kind: "tracing";
    readonly type: AttachType;
    readonly btfId: number;
  };

/** A program as a value. */
export interface Program {
  /** At most 15 letters, digits and `_`. */
  readonly name: string;
  /** Kind, which decides what it may do. */
  readonly type: ProgramType;
  /** Place where it runs. */
  readonly attachment: Attachment;
  /** Machine code with open references to maps. */
  readonly code: AssembledProgram;
}

/** Assembles a program's code. */
export function program(
  name: string,
  type: ProgramType,
  attachment: Attachment,
  code: Code,
): Program {
  return { name, type, attachment, code: assemble(code) };
}
