/**
 * A program that visits every open descriptor of every process (iterator
 * task_file) and writes a record for each TCP connection behind one. What it
 * meets for the first time was there before us; it is kept from then on.
 *
 * Requires kernel 5.11.
 *
 * @module
 */
import { mov } from "../../extended/alu.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  R6,
  R7,
  R8,
  R9,
  scope,
} from "../../extended/instruction.ts";
import { call, exit, jump, jumpIf } from "../../extended/jump.ts";
import { load, store } from "../../extended/load_store.ts";
import { copy, result, stackAddress, update } from "../macros.ts";
import { type Program, program } from "../program.ts";
import type { ViewFeatures } from "./features.ts";
import {
  RECORD,
  RECORD_TYPE,
  SOCKET,
  SOCKET_FLAG,
  VIEW_MAP,
} from "./layout.ts";
import {
  AF_INET,
  AF_INET6,
  beginSocket,
  describeEnds,
  fillRecord,
  findSession,
  keepSocket,
  listenerKey,
  markWatched,
  recordCounters,
  STATE,
  TCP,
} from "./pieces.ts";
import { FREE_PLACE, LISTENER_PLACE, SOCKET_PLACE } from "./places.ts";
import { loadCommon, type ViewKernel } from "./reading.ts";

const RECORD_PLACE = FREE_PLACE - RECORD.size;

/**
 * Builds the program. Context: pointers to `struct bpf_iter_meta`, whose first
 * member is the output, to the task, a descriptor, and the file.
 */
export function socketIterator(
  kernel: ViewKernel,
  { filtered }: ViewFeatures,
): Program {
  const { types } = kernel;
  return program("view_sockets", "TRACING", {
    kind: "tracing",
    type: "TRACE_ITER",
    btfId: types.function("bpf_iter_task_file"),
  }, [
    mov(R6, R1),
    load("u64", R1, R6, 24),
    jumpIf(R1, "==", 0, "done"),
    call("sock_from_file"),
    jumpIf(R0, "==", 0, "done"),
    load("u64", R7, R0, types.offset("socket", "sk")),
    jumpIf(R7, "==", 0, "done"),
    loadCommon(kernel, "u16", R1, "skc_family"),
    scope([
      jumpIf(R1, "==", AF_INET, "internet"),
      jumpIf(R1, "!=", AF_INET6, "done"),
      label("internet"),
    ]),
    load("u16", R1, R7, types.offset("sock", "sk_protocol")),
    jumpIf(R1, "!=", TCP, "done"),
    loadCommon(kernel, "u8", R9, "skc_state"),
    jumpIf(R9, "==", STATE.CLOSE, "done"),
    findSession(kernel),
    jumpIf(R8, "!=", 0, "known"),
    describeHeld(kernel, filtered),
    jumpIf(R9, "==", STATE.LISTEN, "listener"),
    keepSocket(kernel),
    findSession(kernel),
    jumpIf(R8, "!=", 0, "known"),
    jump("done"),
    label("listener"),
    listenerKey(R10, SOCKET_PLACE),
    update(VIEW_MAP.listeners, LISTENER_PLACE, SOCKET_PLACE),
    jump("done"),
    label("known"),
    jumpIf(R9, "==", STATE.LISTEN, "done"),
    describeEnds(kernel, R8, 0),
    write(kernel),
    label("done"),
    result(0),
    exit(),
  ]);
}

/** The socket in r7 and the process that holds it, on the stack. */
function describeHeld(kernel: ViewKernel, filtered: boolean): Code {
  const { types } = kernel;
  const task = (member: string): number => types.offset("task_struct", member);
  const { OPEN_BEFORE, ESTABLISHED } = SOCKET_FLAG;
  return [
    beginSocket(OPEN_BEFORE | ESTABLISHED),
    store("u64", R10, SOCKET_PLACE + SOCKET.start, 0),
    describeEnds(kernel, R10, SOCKET_PLACE),
    load("u64", R8, R6, 8),
    scope([
      jumpIf(R8, "==", 0, "described"),
      load("u32", R1, R8, task("tgid")),
      store("u32", R10, SOCKET_PLACE + SOCKET.tgid, R1),
      load("u32", R1, R8, task("pid")),
      store("u32", R10, SOCKET_PLACE + SOCKET.tid, R1),
      copy(R10, SOCKET_PLACE + SOCKET.comm, R8, task("comm"), 16, R1),
      load("u64", R1, R8, task("cred")),
      load("u32", R1, R1, types.offset("cred", "uid")),
      store("u32", R10, SOCKET_PLACE + SOCKET.uid, R1),
      load("u64", R1, R8, task("cgroups")),
      load("u64", R1, R1, types.offset("css_set", "dfl_cgrp")),
      load("u64", R1, R1, types.offset("cgroup", "kn")),
      load("u64", R1, R1, types.offset("kernfs_node", "id")),
      store("u64", R10, SOCKET_PLACE + SOCKET.cgroup, R1),
      label("described"),
    ]),
    filtered ? markWatched(R10, SOCKET_PLACE) : [],
  ];
}

/** Writes a record about the socket in r8; r9 is lost. */
function write(kernel: ViewKernel): Code {
  return [
    stackAddress(R9, RECORD_PLACE),
    fillRecord(RECORD_TYPE.OPEN),
    loadCommon(kernel, "u8", R1, "skc_state"),
    store("u16", R9, RECORD.oldState, R1),
    store("u16", R9, RECORD.newState, R1),
    recordCounters(kernel),
    load("u64", R1, R6, 0),
    load("u64", R1, R1, 0),
    mov(R2, R9),
    mov(R3, RECORD.size),
    call("seq_write"),
  ];
}
