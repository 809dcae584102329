/**
 * A walk over IPv6 extension headers in classic BPF.
 *
 * The machine cannot jump back, so the walk is unrolled.
 *
 * ```text
 *  0 next header
 *  1 length: in 8 bytes without the first 8; AH: in 4 bytes without the first 8
 *    fragment header: reserved
 *  2 fragment header: offset (13 bits), reserved (2), more fragments (1)
 * ```
 *
 * Sources: RFC 8200 section 4, RFC 4302 (AH), RFC 6275 (mobility), RFC 7401
 * (HIP), RFC 5533 (shim6).
 *
 * @module
 */
import type { ClassicAssembler } from "./classic/assembler.ts";
import { cell, packetAtX } from "./classic/operands.ts";

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

/** Headers whose length counts in units of 8 bytes. */
const PLAIN_HEADERS = [
  HOP_BY_HOP,
  DESTINATION_OPTIONS,
  ROUTING,
  MOBILITY,
  HIP,
  SHIM6,
];

/** The next header in the first word of a header. */
const NEXT_HEADER_SHIFT = 24;
/** The length in the first word of a header. */
const LENGTH_SHIFT = 16;
const LENGTH_MASK = 0xff;
/**
 * Offset, "more fragments" and reserved byte in the first word of a fragment
 * header. With all of them 0 the packet is whole, and the header reads like a
 * plain one of 8 bytes.
 */
const FRAGMENT_MASK = 0x00fffff9;
/** Bytes that a header's length field leaves out. */
const LEAST_LENGTH = 8;
/** log2 of the unit of a plain header's length. */
const PLAIN_UNIT = 3;
/** log2 of the unit of an authentication header's length. */
const AUTHENTICATION_UNIT = 2;

/** How far the walk goes and where it leads. */
export interface ExtensionHeaderOptions {
  /** How many extension headers are looked at. */
  readonly depth: number;
  /** Protocols and their labels; there X is the offset of their header. */
  readonly wanted: readonly {
    readonly protocol: number;
    readonly label: string;
  }[];
  /** Label for fragments and for more headers than are looked at. */
  readonly unclear: string;
  /** Label for every other protocol. */
  readonly drop: string;
  /** Scratch cells for the walk's own use. */
  readonly cells: readonly [number, number];
}

/**
 * Emits the walk. It begins with a protocol number in A and the offset of
 * the header of that protocol in X, and never falls through.
 */
export function emitExtensionHeaders(
  assembler: ClassicAssembler,
  options: ExtensionHeaderOptions,
): void {
  const { depth, wanted, unclear, drop } = options;
  for (let header = 0; header < depth; header++) {
    for (const { protocol, label } of wanted) assembler.jeq(protocol, label);
    emitStep(assembler, options);
  }
  for (const { protocol, label } of wanted) assembler.jeq(protocol, label);
  for (const protocol of [...PLAIN_HEADERS, FRAGMENT]) {
    assembler.jeq(protocol, unclear);
  }
  assembler.jeq(AUTHENTICATION, unclear, drop);
}

/** Steps over one header. */
function emitStep(
  assembler: ClassicAssembler,
  { unclear, drop, cells: [kind, start] }: ExtensionHeaderOptions,
): void {
  const plain = assembler.unique("plain");
  const fragment = assembler.unique("fragment");
  const skip = assembler.unique("skip");
  // One load for all kinds of headers: kernels translate a load at X to a
  // call with a dozen instructions around it, which makes attaching slow.
  assembler
    .st(kind)
    .ld(packetAtX(0))
    .st(start)
    .ld(cell(kind));
  for (const protocol of PLAIN_HEADERS) assembler.jeq(protocol, plain);
  assembler.jeq(FRAGMENT, fragment)
    .jne(AUTHENTICATION, drop);
  assembler.ld(cell(start))
    .rsh(LENGTH_SHIFT - AUTHENTICATION_UNIT)
    .and(LENGTH_MASK << AUTHENTICATION_UNIT)
    .ja(skip);
  assembler.label(fragment)
    .ld(cell(start))
    .jset(FRAGMENT_MASK, unclear);
  assembler.label(plain)
    .ld(cell(start))
    .rsh(LENGTH_SHIFT - PLAIN_UNIT)
    .and(LENGTH_MASK << PLAIN_UNIT);
  assembler.label(skip)
    .add(LEAST_LENGTH)
    .add("x")
    .tax()
    .ld(cell(start))
    .rsh(NEXT_HEADER_SHIFT);
}
