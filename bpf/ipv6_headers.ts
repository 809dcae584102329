/**
 * A walk over IPv6 extension headers in classic BPF.
 *
 * The machine cannot jump back, so the walk is unrolled.
 *
 * ```text
 *  0 next header
 *  1 length: in 8 bytes without the first 8; AH: in 4 bytes without the first 8
 *  2 fragment header: offset (13 bits), reserved (2), more fragments (1)
 * ```
 *
 * Sources: RFC 8200 section 4, RFC 4302 (AH), RFC 6275 (mobility), RFC 7401
 * (HIP), RFC 5533 (shim6).
 *
 * @module
 */
import type { ClassicAssembler } from "./classic/assembler.ts";
import { cell, constant, packetAtX } from "./classic/operands.ts";

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

const NEXT_HEADER_OFFSET = 0;
const LENGTH_OFFSET = 1;
const FRAGMENT_OFFSET_OFFSET = 2;
const FRAGMENT_OFFSET_MASK = 0xfff8;
/** Bytes that a header's length field leaves out. */
const LEAST_LENGTH = 8;
/** log2 of the unit of a plain header's length. */
const PLAIN_LENGTH_SHIFT = 3;
/** log2 of the unit of an authentication header's length. */
const AUTHENTICATION_LENGTH_SHIFT = 2;

/** How many extension headers are looked at: RFC 8200 proposes six. */
export const MAX_EXTENSION_HEADERS = 6;

/** Where the walk leads. */
export interface ExtensionHeaderOptions {
  /** Protocols and their labels; there X is the offset of their header. */
  readonly wanted: readonly {
    readonly protocol: number;
    readonly label: string;
  }[];
  /** Label for later fragments and for more headers than are looked at. */
  readonly unclear: string;
  /** Label for every other protocol. */
  readonly drop: string;
  /** Scratch cell for the walk's own use. */
  readonly cell: number;
}

/**
 * Emits the walk. It begins with a protocol number in A and the offset of
 * the header of that protocol in X, and never falls through.
 */
export function emitExtensionHeaders(
  assembler: ClassicAssembler,
  options: ExtensionHeaderOptions,
): void {
  const { wanted, unclear, drop } = options;
  for (let depth = 0; depth < MAX_EXTENSION_HEADERS; depth++) {
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
  { unclear, drop, cell: scratch }: ExtensionHeaderOptions,
): void {
  const plain = assembler.unique("plain");
  const fragment = assembler.unique("fragment");
  const authentication = assembler.unique("authentication");
  const skip = assembler.unique("skip");
  for (const protocol of PLAIN_HEADERS) assembler.jeq(protocol, plain);
  assembler.jeq(FRAGMENT, fragment)
    .jeq(AUTHENTICATION, authentication, drop);
  assembler.label(plain)
    .ldb(packetAtX(LENGTH_OFFSET))
    .lsh(PLAIN_LENGTH_SHIFT)
    .ja(skip);
  assembler.label(authentication)
    .ldb(packetAtX(LENGTH_OFFSET))
    .lsh(AUTHENTICATION_LENGTH_SHIFT)
    .ja(skip);
  assembler.label(fragment)
    .ldh(packetAtX(FRAGMENT_OFFSET_OFFSET))
    .jset(FRAGMENT_OFFSET_MASK, unclear)
    .ld(constant(0));
  assembler.label(skip)
    .add(LEAST_LENGTH)
    .add("x")
    .st(scratch)
    .ldb(packetAtX(NEXT_HEADER_OFFSET))
    .ldx(cell(scratch));
}
