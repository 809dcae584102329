/**
 * What tests that compare the interpreter with the kernel have in common.
 *
 * @module
 */
import fc from "fast-check";
import { type Instruction, statement } from "../../bpf/classic/instruction.ts";
import type { PacketView } from "../../bpf/classic/packet_view.ts";
import { ClassicMachine } from "../../bpf/classic/vm.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../support/requires.ts";
import type { LoadOffsets } from "../unit/bpf/classic/random_programs.ts";

/** Registers a test, or tells in its name why it is skipped. */
export function kernelTest(
  name: string,
  needs: readonly Requirement[],
  body: () => void | Promise<void>,
): void {
  const reason = missing(needs);
  const skip = reason !== undefined && !isContinuousIntegration();
  Deno.test(skip ? `${name} (skipped: ${reason})` : name, {
    ignore: skip,
  }, body);
}

/** Long enough for every verdict that {@linkcode byteOfA} gives. */
export const PACKET_LENGTH = 300;

/** Loads around the start and the end of a packet. */
export const PLAIN_OFFSETS: LoadOffsets = {
  direct: fc.oneof(
    fc.nat(40),
    fc.integer({ min: PACKET_LENGTH - 6, max: PACKET_LENGTH + 2 }),
    fc.constantFrom(0x7fffffff, 0x7ffffffc),
  ),
  atX: fc.oneof(fc.nat(40), fc.integer({ min: PACKET_LENGTH - 40, max: 300 })),
};

/** The program with the verdict "one byte of A, plus one". */
export function byteOfA(
  program: readonly Instruction[],
  byte: number,
): Instruction[] {
  return [
    ...program.slice(0, -1),
    statement(0x74, 8 * byte),
    statement(0x54, 0xff),
    statement(0x04, 1),
    statement(0x16),
  ];
}

/** What a socket receives of a packet by the interpreter's verdict. */
export function expectedLength(
  program: readonly Instruction[],
  view: PacketView,
): number {
  const length = view.bytes.length - (view.start ?? 0);
  return Math.min(length, new ClassicMachine(program).run(view));
}

/** Bytes with a given start. */
export function fillTo(
  length: number,
  start: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).fill(0x5a);
  bytes.set(start);
  return bytes;
}
