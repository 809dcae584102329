/**
 * The program with which the kernel selects packets of an interface.
 *
 * @module
 */
import { ClassicAssembler } from "../../bpf/classic/assembler.ts";
import type { Instruction } from "../../bpf/classic/instruction.ts";
import { Extension } from "../../bpf/classic/opcodes.ts";
import { extension } from "../../bpf/classic/operands.ts";
import { BPF_MAXINSNS } from "../../bpf/classic/opcodes.ts";
import type { PacketFilter } from "./trace/filter.ts";

/** linux/if_arp.h, linux/if_packet.h. */
const ARPHRD_LOOPBACK = 772;
const PACKET_OUTGOING = 4;
/** Bytes that are kept of a packet where all are wanted. */
const ALL = 0x4_0000;

/**
 * A program that accepts at least what the filter does, each packet once: the
 * loopback interface shows them when they leave and when they arrive.
 *
 * The kernel takes VLAN tags out of packets before programs see them: tagged
 * packets all pass, and are judged when they are whole again.
 *
 * @param filter undefined for all packets
 * @param linkType LINKTYPE_ number
 * @param snaplen bytes to keep; 0 for all
 * @throws {FilterSyntaxError} when the link type has not what the filter looks
 * at
 */
export function interfaceProgram(
  filter: PacketFilter | undefined,
  linkType: number,
  snaplen: number,
): readonly Instruction[] {
  const snapLength = snaplen === 0 ? ALL : Math.min(snaplen, ALL);
  const everything = new ClassicAssembler().ret(snapLength).assemble();
  const program = filter === undefined
    ? everything
    : filter.forLinkType(linkType, { placement: "socket", snapLength }).program;
  const start = new ClassicAssembler()
    .ld(extension(Extension.SKF_AD_HATYPE))
    .jeq(ARPHRD_LOOPBACK, "loopback", "once")
    .label("loopback").ld(extension(Extension.SKF_AD_PKTTYPE))
    .jeq(PACKET_OUTGOING, "twice", "once")
    .label("twice").ret(0)
    .label("once").ld(extension(Extension.SKF_AD_VLAN_TAG_PRESENT))
    .jeq(0, "untagged", "tagged")
    .label("tagged").ret(snapLength)
    .label("untagged").ret(0)
    .assemble()
    // The filter itself takes the place of the last instruction.
    .slice(0, -1);
  return start.length + program.length > BPF_MAXINSNS
    ? [...start, ...everything]
    : [...start, ...program];
}
