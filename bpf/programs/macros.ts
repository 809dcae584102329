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
  label,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  type Register,
  scope,
} from "../extended/instruction.ts";
import { call, jumpIf } from "../extended/jump.ts";
import { load, loadMap, store } from "../extended/load_store.ts";
import { MAP, type MapName, USED_PORTS_MASK } from "./layout.ts";
import type { ViewMapName } from "./views/layout.ts";

/** A map of the tracker or of the views. */
export type AnyMapName = MapName | ViewMapName;

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
export function lookup(map: AnyMapName, keyOffset: number): Code {
  return [
    loadMap(R1, map),
    stackAddress(R2, keyOffset),
    call("map_lookup_elem"),
  ];
}

/**
 * Adds or replaces an entry from the stack; r0 = 0 unless that failed; r1 to
 * r5 are lost.
 *
 * @param flags `BPF_ANY` 0 or `BPF_NOEXIST` 1.
 */
export function update(
  map: AnyMapName,
  keyOffset: number,
  valueOffset: number,
  flags = 0,
): Code {
  return [
    loadMap(R1, map),
    stackAddress(R2, keyOffset),
    stackAddress(R3, valueOffset),
    mov(R4, flags),
    call("map_update_elem"),
  ];
}

/** Removes an entry; r0 to r5 are lost. */
export function remove(map: AnyMapName, keyOffset: number): Code {
  return [
    loadMap(R1, map),
    stackAddress(R2, keyOffset),
    call("map_delete_elem"),
  ];
}

/** `::ffff:0:0`, the first 12 bytes of a v4-mapped address: second half. */
const MAPPED_PREFIX = 0xffff_0000;

/**
 * Writes a v4-mapped address, to the stack unless told. `through` holds the
 * IPv4 address in network order.
 */
export function storeMapped(
  offset: number,
  through: Register,
  base: Register = R10,
): Code {
  return [
    store("u64", base, offset, 0),
    store("u32", base, offset + 8, MAPPED_PREFIX),
    store("u32", base, offset + 12, through),
  ];
}

/**
 * Goes to `target` when no rule ever named the port whose key of `ports` is
 * in r1. r0 to r5 are lost, and 4 bytes of the stack at `place`.
 *
 * There is no cheaper way: with an address that is computed, the verifier
 * would not get through without CAP_PERFMON.
 */
export function jumpIfUnusedPort(place: number, target: string): Code {
  return [
    lookupUsedPort(place),
    jumpIf(R0, "==", 0, target),
    load("u8", R0, R0, 0),
    jumpIf(R0, "==", 0, target),
  ];
}

/** Notes that a rule names the port; registers and stack as above. */
export function markPortUsed(place: number): Code {
  return scope([
    lookupUsedPort(place),
    jumpIf(R0, "==", 0, "done"),
    store("u8", R0, 0, 1),
    label("done"),
  ]);
}

/** r0 = entry of `used_ports` for the key in r1. */
function lookupUsedPort(place: number): Code {
  return [
    and(R1, USED_PORTS_MASK),
    store("u32", R10, place, R1),
    lookup(MAP.usedPorts, place),
  ];
}

/** r0 = result; ends the program */
export function result(value: number): Code {
  return mov(R0, value);
}
