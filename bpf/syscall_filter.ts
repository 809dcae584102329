/**
 * The seccomp filter of a launched program: it stops for its tracer at the
 * watched system calls and runs all others at full speed.
 *
 * @module
 */
import { ClassicAssembler } from "./classic/assembler.ts";
import type { Instruction } from "./classic/instruction.ts";
import { packet } from "./classic/operands.ts";
import {
  SECCOMP_ARCH_OFFSET,
  SECCOMP_ARG_LENGTH,
  SECCOMP_ARGS_COUNT,
  SECCOMP_ARGS_OFFSET,
  SECCOMP_NR_OFFSET,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_TRACE,
} from "./classic/seccomp.ts";
import { type Branch, emitDecision } from "./decision_tree.ts";

/** A system call to stop at. See {@linkcode compileSyscallFilter}. */
export interface WatchedCall {
  /** System call number. */
  readonly nr: number;
  /** Stop only when this argument (0 to 5, 64 bits) is not 0. */
  readonly nonZeroArgument?: number;
}

/**
 * The watched calls of one system call table.
 * See {@linkcode compileSyscallFilter}.
 */
export interface WatchedArchitecture {
  /** AUDIT_ARCH_* number (linux/audit.h). */
  readonly auditArch: number;
  /** Calls to stop at; a call may stand here more than once. */
  readonly calls: readonly WatchedCall[];
  /** Bits of the number that are ignored, such as __X32_SYSCALL_BIT. */
  readonly ignoreBits?: number;
}

const MAX_WORD = 0xffffffff;
const HIGH_HALF_OFFSET = SECCOMP_ARG_LENGTH / 2;

/**
 * Compiles the filter: SECCOMP_RET_TRACE for watched calls, SECCOMP_RET_ALLOW
 * for all others and for architectures that are not given.
 *
 * A call below the lowest watched number leaves after four tests and loads.
 * All that an unwatched call meets are loads of the number and architecture,
 * comparisons and `and` with constants: kernels since 5.11 work such a way
 * out in advance and do not run the filter for the call at all
 * (seccomp_is_const_allow() in kernel/seccomp.c).
 *
 * @example Stop at socket(2) and connect(2) of x86-64
 * ```ts
 * import { compileSyscallFilter } from "./syscall_filter.ts";
 * import { encodeSeccompData } from "./classic/seccomp.ts";
 * import { ClassicMachine } from "./classic/vm.ts";
 * import assert from "node:assert/strict";
 *
 * const auditArch = 0xc000003e;
 * const program = compileSyscallFilter([
 *   { auditArch, calls: [{ nr: 41 }, { nr: 42 }] },
 * ]);
 * const machine = new ClassicMachine(program, "seccomp");
 * const read = encodeSeccompData({ nr: 0, arch: auditArch });
 * assert.equal(machine.runSeccomp(read), 0x7fff0000);
 * ```
 *
 * @param architectures The one of most calls first.
 * @throws {RangeError} when a number is out of range or an architecture is
 * given twice.
 */
export function compileSyscallFilter(
  architectures: readonly WatchedArchitecture[],
): Instruction[] {
  const seen = new Set<number>();
  for (const architecture of architectures) {
    checkArchitecture(architecture);
    if (seen.has(architecture.auditArch)) {
      throw new RangeError(
        `Cannot compile filter: architecture ` +
          `0x${architecture.auditArch.toString(16)} is given twice`,
      );
    }
    seen.add(architecture.auditArch);
  }
  const watched = architectures.filter(({ calls }) => calls.length > 0);
  const assembler = new ClassicAssembler();
  if (watched.length > 0) assembler.ld(packet(SECCOMP_ARCH_OFFSET));
  for (const { auditArch } of watched) {
    assembler.jeq(auditArch, `arch.${auditArch}`);
  }
  if (watched.length > 0) assembler.ja("allow");
  for (const architecture of watched) emitArchitecture(assembler, architecture);
  assembler.label("allow").ret(SECCOMP_RET_ALLOW);
  if (watched.length > 0) assembler.label("trace").ret(SECCOMP_RET_TRACE);
  return assembler.assemble();
}

function checkArchitecture(
  { auditArch, calls, ignoreBits = 0 }: WatchedArchitecture,
): void {
  checkWhole("architecture", auditArch, MAX_WORD);
  checkWhole("ignored bits", ignoreBits, MAX_WORD);
  for (const { nr, nonZeroArgument } of calls) {
    checkWhole("system call number", nr, MAX_WORD);
    if (nonZeroArgument !== undefined) {
      checkWhole("argument", nonZeroArgument, SECCOMP_ARGS_COUNT - 1);
    }
    if ((nr & ignoreBits) !== 0) {
      throw new RangeError(
        `Cannot compile filter: system call number ${nr} has ignored bits`,
      );
    }
  }
}

function checkWhole(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(
      `Cannot compile filter: ${name} ${value} is not a whole number ` +
        `from 0 to ${max}`,
    );
  }
}

/** Arguments that decide about a call; an empty set when it always stops. */
type Condition = ReadonlySet<number>;

function emitArchitecture(
  assembler: ClassicAssembler,
  { auditArch, calls, ignoreBits = 0 }: WatchedArchitecture,
): void {
  const conditions = new Map<number, Condition>();
  for (const { nr, nonZeroArgument } of calls) {
    const known = conditions.get(nr);
    conditions.set(nr, joinCondition(known, nonZeroArgument));
  }
  const numbers = [...conditions.keys()].sort((a, b) => a - b);
  const tests = new Map<string, Condition>();
  const branches = numbers.map((nr): Branch => {
    const condition = conditions.get(nr)!;
    if (condition.size === 0) return { low: nr, high: nr, label: "trace" };
    const label = `arch.${auditArch}.arguments.${[...condition].join(".")}`;
    tests.set(label, condition);
    return { low: nr, high: nr, label };
  });
  const lowest = numbers[0]!;
  assembler.label(`arch.${auditArch}`).ld(packet(SECCOMP_NR_OFFSET));
  // The busiest calls (read, write, poll) have the lowest numbers. Below any
  // ignored bit, the number needs no mask to be too low.
  const early = lowest > 0 && lowest <= lowestBit(ignoreBits);
  if (early) assembler.jlt(lowest, "allow");
  if (ignoreBits !== 0) assembler.and(~ignoreBits);
  emitDecision(assembler, joinBranches(branches), {
    otherwise: "allow",
    min: early && ignoreBits === 0 ? lowest : 0,
  });
  for (const [label, condition] of tests) {
    emitArguments(assembler.label(label), [...condition]);
  }
}

function joinCondition(
  known: Condition | undefined,
  argument: number | undefined,
): Condition {
  if (argument === undefined || known?.size === 0) return new Set();
  return new Set([...known ?? [], argument].sort());
}

/** Value of the lowest bit that is set; Infinity for none. */
function lowestBit(bits: number): number {
  return bits === 0 ? Infinity : (bits & -bits) >>> 0;
}

/** Joins neighbors that lead to the same label. */
function joinBranches(branches: readonly Branch[]): Branch[] {
  const joined: Branch[] = [];
  for (const branch of branches) {
    const last = joined.at(-1);
    if (last?.label === branch.label && last.high + 1 === branch.low) {
      joined[joined.length - 1] = { ...last, high: branch.high };
    } else joined.push(branch);
  }
  return joined;
}

/** Traces when one of the arguments is not 0. */
function emitArguments(
  assembler: ClassicAssembler,
  condition: readonly number[],
): void {
  for (const argument of condition) {
    const at = SECCOMP_ARGS_OFFSET + argument * SECCOMP_ARG_LENGTH;
    assembler.ld(packet(at)).jne(0, "trace")
      .ld(packet(at + HIGH_HALF_OFFSET)).jne(0, "trace");
  }
  assembler.ja("allow");
}
