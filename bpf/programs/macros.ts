/**
 * Pieces of programs that occur again and again.
 *
 * Offsets of the stack are negative, counted from the frame pointer r10.
 *
 * @module
 */

import { add, and, mov } from "../extended/alu.ts";
import {
  type Code,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  type Register,
} from "../extended/instruction.ts";
import { call, jumpIf } from "../extended/jump.ts";
import { load, loadMap, loadMapValue, store } from "../extended/load_store.ts";
import { MAP, type MapName, USED_PORTS_MASK } from "./layout.ts";

/** dst = address of a place on the stack */
export function stackAddress(dst: Register, offset: number): Code {
  return [mov(dst, R10), add(dst, offset)];
}

/** Fills a part of the stack, whole words of 8 bytes, with zeros. */
export function clearStack(offset: number, size: number): Code {
  const code: Code[] = [];
  for (let at = 0; at < size; at += 8) {
    code.push(store("u64", R10, offset + at, 0));
  }
  return code;
}

/** Copies words of 8 bytes; `through` is lost. */
export function copy(
  dst: Register,
  dstOffset: number,
  src: Register,
  srcOffset: number,
  size: number,
  through: Register,
): Code {
  const code: Code[] = [];
  for (let at = 0; at < size; at += 8) {
    code.push(
      load("u64", through, src, srcOffset + at),
      store("u64", dst, dstOffset + at, through),
    );
  }
  return code;
}

/** As {@linkcode copy} in words of 4 bytes, for less aligned places. */
export function copyWords(
  dst: Register,
  dstOffset: number,
  src: Register,
  srcOffset: number,
  size: number,
  through: Register,
): Code {
  const code: Code[] = [];
  for (let at = 0; at < size; at += 4) {
    code.push(
      load("u32", through, src, srcOffset + at),
      store("u32", dst, dstOffset + at, through),
    );
  }
  return code;
}

/** r0 = value of the key on the stack or null; r1 to r5 are lost */
export function lookup(map: MapName, keyOffset: number): Code {
  return [
    loadMap(R1, map),
    stackAddress(R2, keyOffset),
    call("map_lookup_elem"),
  ];
}

/** Adds or replaces an entry from the stack; r0 to r5 are lost. */
export function update(
  map: MapName,
  keyOffset: number,
  valueOffset: number,
): Code {
  return [
    loadMap(R1, map),
    stackAddress(R2, keyOffset),
    stackAddress(R3, valueOffset),
    mov(R4, 0),
    call("map_update_elem"),
  ];
}

/** Removes an entry; r0 to r5 are lost. */
export function remove(map: MapName, keyOffset: number): Code {
  return [
    loadMap(R1, map),
    stackAddress(R2, keyOffset),
    call("map_delete_elem"),
  ];
}

/** `::ffff:0:0`, the first 12 bytes of a v4-mapped address: second half. */
const MAPPED_PREFIX = 0xffff_0000;

/**
 * Writes a v4-mapped address to the stack. `through` holds the IPv4 address
 * in network order.
 */
export function storeMapped(offset: number, through: Register): Code {
  return [
    store("u64", R10, offset, 0),
    store("u32", R10, offset + 8, MAPPED_PREFIX),
    store("u32", R10, offset + 12, through),
  ];
}

/**
 * Goes to `target` when no rule ever named the port whose key of `ports` is
 * in r1; r2 and r3 are lost.
 */
export function jumpIfUnusedPort(target: string): Code {
  return [
    usedPortPlace(R1),
    load("u8", R2, R3, 0),
    jumpIf(R2, "==", 0, target),
  ];
}

/** Notes that a rule names the port with the key in `key`; r2, r3 are lost. */
export function markPortUsed(key: Register): Code {
  return [usedPortPlace(key), store("u8", R3, 0, 1)];
}

/** r3 = place in `used_ports` for a key of `ports`; r2 is lost. */
function usedPortPlace(key: Register): Code {
  return [
    mov(R2, key),
    and(R2, USED_PORTS_MASK),
    loadMapValue(R3, MAP.usedPorts),
    add(R3, R2),
  ];
}

/** r0 = result; ends the program */
export function result(value: number): Code {
  return mov(R0, value);
}
