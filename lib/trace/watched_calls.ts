/**
 * The system calls that can make a socket send or receive, or take one from
 * another process, for each architecture a kernel runs; and the seccomp
 * program that selects them.
 *
 * Not watched: accept, unless it is to be told of (the listening socket's rule
 * covers what it accepts), read, write, send on connected sockets (their ports
 * are known), close (sock_diag tells).
 *
 * @module
 */
import type { Instruction } from "../../bpf/classic/instruction.ts";
import {
  compileSyscallFilter,
  type WatchedArchitecture,
  type WatchedCall,
} from "../../bpf/syscall_filter.ts";
import { type Architecture, architecture } from "../../ffi/arch.ts";

/** What is done about a call. */
export type CallKind =
  | "connect"
  | "bind"
  | "listen"
  | "sendto"
  | "sendmsg"
  | "sendmmsg"
  | "socketcall"
  | "pidfd_getfd"
  | "io_uring_setup"
  /** accept(2) or accept4(2). */
  | "accept";

const KINDS: readonly CallKind[] = [
  "connect",
  "bind",
  "listen",
  "sendto",
  "sendmsg",
  "sendmmsg",
  "socketcall",
  "pidfd_getfd",
  "io_uring_setup",
];

const ACCEPTS = ["accept", "accept4"] as const;

/** Argument of sendto(2) that is NULL on connected sockets. */
const SENDTO_ADDRESS = 4;

interface Table {
  readonly auditArch: number;
  readonly ignoreBits: number;
  readonly compatible: boolean;
  readonly calls: ReadonlyMap<number, CallKind>;
  /** Numbers of calls that accept a connection. */
  readonly accepts: readonly number[];
}

function tables(machine: Architecture): Table[] {
  const make = (
    auditArch: number,
    syscalls: Architecture["syscalls"],
    compatible: boolean,
    ignoreBits = 0,
  ): Table => ({
    auditArch,
    ignoreBits,
    compatible,
    calls: new Map(
      KINDS.flatMap((kind) => {
        const number = syscalls[kind];
        return number === undefined ? [] : [[number, kind] as const];
      }),
    ),
    accepts: ACCEPTS.flatMap((name) => syscalls[name] ?? []),
  });
  const found = [
    make(machine.auditArch, machine.syscalls, false, machine.x32Bit),
  ];
  if (machine.compatible !== undefined) {
    const { auditArch, syscalls } = machine.compatible;
    found.push(make(auditArch, syscalls, true));
  }
  return found;
}

let known: readonly Table[] | undefined;

function allTables(): readonly Table[] {
  known ??= tables(architecture());
  return known;
}

/**
 * Kind of a call, undefined when it is not watched.
 *
 * @param accepts whether calls that accept a connection are watched
 */
export function callKind(
  auditArch: number,
  number: number,
  accepts = false,
): CallKind | undefined {
  for (const table of allTables()) {
    if (table.auditArch !== auditArch) continue;
    const plain = number & ~table.ignoreBits;
    return accepts && table.accepts.includes(plain)
      ? "accept"
      : table.calls.get(plain);
  }
  return undefined;
}

/** Whether calls of an architecture have 32-bit structures. */
export function isCompatible(auditArch: number): boolean {
  return allTables().some((table) =>
    table.auditArch === auditArch && table.compatible
  );
}

/**
 * The seccomp program of launched commands: SECCOMP_RET_TRACE where watched.
 *
 * @param accepts whether calls that accept a connection are watched
 */
export function syscallFilter(accepts = false): Instruction[] {
  return compileSyscallFilter(
    allTables().map((table): WatchedArchitecture => ({
      auditArch: table.auditArch,
      ...(table.ignoreBits === 0 ? {} : { ignoreBits: table.ignoreBits }),
      calls: [
        ...[...table.calls].map(([nr, kind]): WatchedCall =>
          kind === "sendto" ? { nr, nonZeroArgument: SENDTO_ADDRESS } : { nr }
        ),
        ...accepts ? table.accepts.map((nr) => ({ nr })) : [],
      ],
    })),
  );
}
