/**
 * Where the programs of the views keep what on their stack, and their
 * counters.
 *
 * @module
 */
import { mov } from "../../extended/alu.ts";
import { atomicAdd } from "../../extended/atomic.ts";
import { type Code, R1, R2 } from "../../extended/instruction.ts";
import { loadMapValue } from "../../extended/load_store.ts";
import { LISTENER_KEY, SOCKET, VIEW_MAP } from "./layout.ts";

/** Where a socket is described on the stack. */
export const SOCKET_PLACE = -SOCKET.size;
/** The key of a socket: its address. */
export const KEY_PLACE = SOCKET_PLACE - 8;
/** Keys of 32 bits: processes and slots. */
export const ID_PLACE = KEY_PLACE - 8;
/** The key of a caller: its thread. */
export const CALLER_PLACE = ID_PLACE + 4;
/** The key of a listener. */
export const LISTENER_PLACE = ID_PLACE - LISTENER_KEY.size;
/** What is read from the kernel's memory by address. */
export const PROBE_PLACE = LISTENER_PLACE - 16;
/** The first byte below what is named above. */
export const FREE_PLACE = PROBE_PLACE;

/** Adds to a counter; r1 and r2 are lost. */
export function count(counter: number, amount: 1 | -1): Code {
  return [
    loadMapValue(R1, VIEW_MAP.counts),
    mov(R2, amount),
    atomicAdd("u64", R1, counter, R2),
  ];
}
