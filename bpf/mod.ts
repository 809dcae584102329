/**
 * Programs for the packet filter machines of Linux, made, read, checked and
 * run without the kernel.
 *
 * - An assembler, disassembler, checker and interpreter of classic BPF.
 * - {@linkcode compileFilter}: expressions of pcap-filter(7) to a program.
 * - {@linkcode compileCaptureFilter}: local ports and remote endpoints to a
 *   filter for a packet socket.
 * - {@linkcode compileSyscallFilter}: system calls to a filter for seccomp.
 * - {@linkcode extended}: an assembler and disassembler of extended BPF, and
 *   {@linkcode Btf}, a reader of the kernel's type information.
 *
 * Nothing here touches a socket or needs a permission.
 *
 * @example Write a filter, print it, run it
 * ```ts
 * import {
 *   ClassicAssembler,
 *   ClassicMachine,
 *   formatListing,
 *   packet,
 * } from "./mod.ts";
 * import assert from "node:assert/strict";
 *
 * const program = new ClassicAssembler()
 *   .ldb(packet(9))
 *   .jeq(17, "udp", "drop")
 *   .label("udp").ret(0x40000)
 *   .label("drop").ret(0)
 *   .assemble();
 *
 * assert.equal(
 *   formatListing(program),
 *   `(000) ldb      [9]
 * (001) jeq      #0x11            jt 2\tjf 3
 * (002) ret      #262144
 * (003) ret      #0
 * `,
 * );
 * const bytes = new Uint8Array(20);
 * bytes[9] = 17;
 * assert.equal(new ClassicMachine(program).run({ bytes }), 0x40000);
 * ```
 *
 * @module
 */
export {
  ClassicAssembler,
  type ClassicAssemblerOptions,
  type Value,
} from "./classic/assembler.ts";
export {
  assembleClassic,
  disassembleClassic,
  type Instruction,
  INSTRUCTION_LENGTH,
  jump,
  statement,
} from "./classic/instruction.ts";
export type { Target } from "./classic/layout.ts";
export { Extension } from "./classic/opcodes.ts";
export {
  cell,
  constant,
  extension,
  LENGTH,
  packet,
  packetAtX,
  type PacketOperand,
  type WordOperand,
} from "./classic/operands.ts";
export type { PacketView } from "./classic/packet_view.ts";
export {
  encodeSeccompData,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_TRACE,
  type SeccompData,
} from "./classic/seccomp.ts";
export {
  formatC,
  formatDecimal,
  formatInstruction,
  formatListing,
  parseDecimal,
} from "./classic/text.ts";
export {
  findViolation,
  type ProgramKind,
  validateClassic,
  type Violation,
} from "./classic/validate.ts";
export { ClassicMachine } from "./classic/vm.ts";
export {
  type CaptureFilterOptions,
  type CaptureRules,
  compileCaptureFilter,
  DROP_ALL,
  MIN_INSTRUCTIONS,
  type RemoteEndpoint,
} from "./capture_filter.ts";
export { type BtfType, encodeBtf } from "./btf/encode.ts";
export { BtfFormatError, KIND, type Kind } from "./btf/format.ts";
export type { BtfName } from "./btf/names.ts";
export { Btf, type BtfMember } from "./btf/reader.ts";
export * as extended from "./extended/mod.ts";
export type {
  AddressType,
  Arithmetic,
  ArithmeticSign,
  Direction,
  Encapsulation,
  FilterNode,
  Identifier,
  Primitive,
  ProcessTerm,
  Qualifiers,
  RelationSign,
} from "./filter/ast.ts";
export { formatFilter } from "./filter/ast.ts";
export {
  compileFilter,
  type Filter,
  FilterLinkType,
  type FilterOptions,
  findHostNames,
  type PacketContext,
  type PacketProcess,
} from "./filter/compile.ts";
export { FilterSyntaxError } from "./filter/errors.ts";
export type { Protocol } from "./filter/keywords.ts";
export { makeMatcher, type Matcher } from "./filter/matcher.ts";
export type { Placement } from "./filter/link.ts";
export {
  type NameFiles,
  type NameResolver,
  resolverFromFiles,
  type ServicePorts,
} from "./filter/names.ts";
export { parseFilter } from "./filter/parser.ts";
export { LabelError } from "./labels.ts";
export {
  compileSyscallFilter,
  type WatchedArchitecture,
  type WatchedCall,
} from "./syscall_filter.ts";
