/**
 * Reading what tracepoints tell about sockets: by typed pointers, where the
 * kernel has programs for that, by address where not.
 *
 * The socket stands in r7. By address, its `struct sock_common` is copied to
 * the stack first; everything else is read field by field.
 *
 * @module
 */
import { add, mov } from "../../extended/alu.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  R7,
  type Register,
  scope,
} from "../../extended/instruction.ts";
import { call, jumpIf } from "../../extended/jump.ts";
import { load, store } from "../../extended/load_store.ts";
import { type Size, SIZE_BYTES } from "../../extended/opcodes.ts";
import type { KernelTypes, Tracepoint } from "../kernel_types.ts";
import { copyWords, lookup } from "../macros.ts";
import { probe } from "../probing.ts";
import { type Program, program } from "../program.ts";
import { tracepointProgram } from "../tracker_process.ts";
import type { ViewAbilities } from "./features.ts";
import { VIEW_MAP } from "./layout.ts";
import { FREE_PLACE, ID_PLACE, KEY_PLACE, PROBE_PLACE } from "./places.ts";

/** The running kernel: its structures, and what it permits. */
export interface ViewKernel {
  readonly types: KernelTypes;
  readonly abilities: ViewAbilities;
}

/** A structure of the kernel. */
type Struct = Parameters<KernelTypes["offset"]>[0];

/** Members of `struct sock_common` that are read, with their bytes. */
const COMMON = {
  skc_num: 2,
  skc_dport: 2,
  skc_family: 2,
  skc_state: 1,
  skc_rcv_saddr: 4,
  skc_daddr: 4,
  skc_v6_rcv_saddr: 16,
  skc_v6_daddr: 16,
  skc_flags: 8,
  "skc_net.net": 8,
} as const;

type CommonMember = keyof typeof COMMON;

/** A program at a tracepoint; r1 points to its arguments, 8 bytes each. */
export function viewTracepoint(
  { types, abilities }: ViewKernel,
  name: string,
  tracepoint: Tracepoint,
  code: Code,
): Program {
  return abilities.typed
    ? tracepointProgram(types, name, tracepoint, code)
    : program(name, "RAW_TRACEPOINT", { kind: "raw", tracepoint }, code);
}

/** Makes the socket in r7 ready to be read; by address r0 to r5 are lost. */
export function openSocket(kernel: ViewKernel): Code {
  if (kernel.abilities.typed) return [];
  const { length, place } = commonCopy(kernel);
  return [mov(R3, R7), probe(place, length)];
}

/**
 * Writes the key of the socket in r7 to the stack: its address. r0 to r5 are
 * lost.
 *
 * With typed pointers no number can be made of one to find a slot by, but what
 * was written to a map is a number when it is read again. The program may be
 * interrupted by another one that does the same: it leaves what it found.
 */
export function writeKey({ slots }: ViewAbilities): Code {
  if (!slots) return store("u64", R10, KEY_PLACE, R7);
  return scope([
    store("u64", R10, KEY_PLACE, 0),
    store("u32", R10, ID_PLACE, 0),
    lookup(VIEW_MAP.scratch, ID_PLACE),
    jumpIf(R0, "==", 0, "done"),
    load("u64", R1, R0, 0),
    store("u64", R0, 0, R7),
    load("u64", R2, R0, 0),
    store("u64", R0, 0, R1),
    store("u64", R10, KEY_PLACE, R2),
    label("done"),
  ]);
}

/** dst = member of the socket's `struct sock_common`. */
export function loadCommon(
  kernel: ViewKernel,
  size: Size,
  dst: Register,
  member: CommonMember,
): Code {
  const { base, offset } = commonPlace(kernel, member);
  return load(size, dst, base, offset);
}

/** Copies 16 bytes of it; `through` is lost. */
export function copyCommon(
  kernel: ViewKernel,
  dst: Register,
  dstOffset: number,
  member: CommonMember,
  through: Register,
): Code {
  const { base, offset } = commonPlace(kernel, member);
  return copyWords(dst, dstOffset, base, offset, COMMON[member], through);
}

/** The first byte below the copy of `struct sock_common`. */
export function freePlace(kernel: ViewKernel): number {
  return kernel.abilities.typed ? FREE_PLACE : commonCopy(kernel).place;
}

/**
 * dst = member of what `src` points to. By address r0 to r5 are lost, and src
 * if it is one of them.
 */
export function loadMember(
  { types, abilities }: ViewKernel,
  size: Size,
  dst: Register,
  src: Register,
  struct: Struct,
  member: string,
): Code {
  const offset = types.offset(struct, member);
  return abilities.typed ? load(size, dst, src, offset) : [
    mov(R3, src),
    add(R3, offset),
    probe(PROBE_PLACE, SIZE_BYTES[size]),
    load(size, dst, R10, PROBE_PLACE),
  ];
}

/**
 * r0 = `struct tcp_sock` of the socket in r7, or goes to `target`; r1 to r5
 * are lost.
 */
export function tcpSock({ abilities }: ViewKernel, target: string): Code {
  // The same address: it begins with `struct sock`.
  return abilities.typed
    ? [mov(R1, R7), call("skc_to_tcp_sock"), jumpIf(R0, "==", 0, target)]
    : [];
}

/** dst = member of it; by address r0 to r5 are lost. */
export function loadTcp(
  kernel: ViewKernel,
  size: Size,
  dst: Register,
  member: string,
): Code {
  const src = kernel.abilities.typed ? R0 : R7;
  return loadMember(kernel, size, dst, src, "tcp_sock", member);
}

function commonPlace(
  kernel: ViewKernel,
  member: CommonMember,
): { base: Register; offset: number } {
  const offset = commonOffset(kernel, member);
  return kernel.abilities.typed
    ? { base: R7, offset }
    : { base: R10, offset: commonCopy(kernel).place + offset };
}

function commonCopy(kernel: ViewKernel): { length: number; place: number } {
  let end = 0;
  for (const [member, size] of Object.entries(COMMON)) {
    end = Math.max(end, commonOffset(kernel, member as CommonMember) + size);
  }
  const length = Math.ceil(end / 8) * 8;
  return { length, place: FREE_PLACE - length };
}

function commonOffset({ types }: ViewKernel, member: CommonMember): number {
  return types.offset("sock", `__sk_common.${member}`);
}
