/**
 * Structures and constants against the C headers of the system.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ARPHRD_LOOPBACK,
  BlockField,
  PacketField,
  PacketType,
  TP_STATUS_KERNEL,
  TP_STATUS_USER,
  TP_STATUS_VLAN_VALID,
} from "../../../ffi/packet.ts";
import { PtraceEvent, PtraceOption, SyscallStop } from "../../../ffi/ptrace.ts";
import { RLIMIT_CORE, RLIMIT_NOFILE } from "../../../ffi/process.ts";
import {
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../../ffi/socket.ts";
import { missing } from "../../support/requires.ts";
import { cValues } from "./c_values.ts";

const reason = missing(["gcc"]);
const suffix = reason === undefined ? "" : ` (${reason})`;

/** What the C compiler should say of each expression. */
function test(
  name: string,
  headers: readonly string[],
  expected: Readonly<Record<string, number>>,
): void {
  Deno.test(`${name}${suffix}`, { ignore: reason !== undefined }, async () => {
    const found = await cValues({ headers }, Object.keys(expected));
    assert.deepEqual(found, expected);
  });
}

const hdr = (field: string): string =>
  `offsetof(struct tpacket3_hdr, ${field})`;
const block = (field: string): string =>
  `offsetof(struct tpacket_block_desc, ${field})`;
// The kernel puts the address behind the aligned header.
const ll = (field: string): string =>
  "TPACKET_ALIGN(sizeof(struct tpacket3_hdr)) + " +
  `offsetof(struct sockaddr_ll, ${field})`;

test("PacketField is struct tpacket3_hdr and struct sockaddr_ll", [
  "linux/if_packet.h",
], {
  [hdr("tp_next_offset")]: PacketField.NEXT,
  [hdr("tp_sec")]: PacketField.SECONDS,
  [hdr("tp_nsec")]: PacketField.NANOSECONDS,
  [hdr("tp_snaplen")]: PacketField.SNAPLEN,
  [hdr("tp_len")]: PacketField.LENGTH,
  [hdr("tp_status")]: PacketField.STATUS,
  [hdr("tp_net")]: PacketField.NETWORK,
  [hdr("hv1.tp_vlan_tci")]: PacketField.VLAN_TCI,
  [hdr("hv1.tp_vlan_tpid")]: PacketField.VLAN_TPID,
  [ll("sll_protocol")]: PacketField.PROTOCOL,
  [ll("sll_ifindex")]: PacketField.IFINDEX,
  [ll("sll_hatype")]: PacketField.HARDWARE_TYPE,
  [ll("sll_pkttype")]: PacketField.PACKET_TYPE,
  [ll("sll_halen")]: PacketField.ADDRESS_LENGTH,
  [ll("sll_addr")]: PacketField.ADDRESS,
});

test("BlockField is struct tpacket_block_desc", ["linux/if_packet.h"], {
  [block("hdr.bh1.block_status")]: BlockField.STATUS,
  [block("hdr.bh1.num_pkts")]: BlockField.PACKETS,
  [block("hdr.bh1.offset_to_first_pkt")]: BlockField.FIRST,
});

test("Packet socket constants are those of linux/if_packet.h", [
  "linux/if_packet.h",
  "linux/if_arp.h",
], {
  PACKET_HOST: PacketType.HOST,
  PACKET_BROADCAST: PacketType.BROADCAST,
  PACKET_MULTICAST: PacketType.MULTICAST,
  PACKET_OTHERHOST: PacketType.OTHERHOST,
  PACKET_OUTGOING: PacketType.OUTGOING,
  TP_STATUS_KERNEL,
  TP_STATUS_USER,
  TP_STATUS_VLAN_VALID,
  ARPHRD_LOOPBACK,
  // Written in numbers where they are used.
  "sizeof(struct sockaddr_ll)": 20,
  "sizeof(struct tpacket_req3)": 28,
  "sizeof(struct tpacket_stats_v3)": 12,
  "offsetof(struct tpacket_stats_v3, tp_drops)": 4,
});

test("Ptrace constants are those of linux/ptrace.h", ["linux/ptrace.h"], {
  PTRACE_O_TRACESYSGOOD: PtraceOption.TRACESYSGOOD,
  PTRACE_O_TRACEFORK: PtraceOption.TRACEFORK,
  PTRACE_O_TRACEVFORK: PtraceOption.TRACEVFORK,
  PTRACE_O_TRACECLONE: PtraceOption.TRACECLONE,
  PTRACE_O_TRACEEXEC: PtraceOption.TRACEEXEC,
  PTRACE_O_TRACESECCOMP: PtraceOption.TRACESECCOMP,
  PTRACE_O_EXITKILL: PtraceOption.EXITKILL,
  PTRACE_EVENT_FORK: PtraceEvent.FORK,
  PTRACE_EVENT_VFORK: PtraceEvent.VFORK,
  PTRACE_EVENT_CLONE: PtraceEvent.CLONE,
  PTRACE_EVENT_EXEC: PtraceEvent.EXEC,
  PTRACE_EVENT_SECCOMP: PtraceEvent.SECCOMP,
  PTRACE_EVENT_STOP: PtraceEvent.STOP,
  PTRACE_SYSCALL_INFO_ENTRY: SyscallStop.ENTRY,
  PTRACE_SYSCALL_INFO_EXIT: SyscallStop.EXIT,
  // Written in numbers where they are used: op, arch, nr or rval, arguments.
  "offsetof(struct ptrace_syscall_info, op)": 0,
  "offsetof(struct ptrace_syscall_info, arch)": 4,
  "offsetof(struct ptrace_syscall_info, entry.nr)": 24,
  "offsetof(struct ptrace_syscall_info, exit.rval)": 24,
  "offsetof(struct ptrace_syscall_info, entry.args)": 32,
  "offsetof(struct ptrace_syscall_info, seccomp.nr)": 24,
  "offsetof(struct ptrace_syscall_info, seccomp.args)": 32,
});

test("Socket constants are those of the C library", [
  "sys/socket.h",
  "netinet/in.h",
], {
  SOCK_STREAM,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_CLOEXEC,
  SOL_SOCKET,
  IPPROTO_TCP,
  IPPROTO_UDP,
});

test("Limits are those of the C library", ["sys/resource.h"], {
  RLIMIT_CORE,
  RLIMIT_NOFILE,
  "sizeof(struct rlimit)": 16,
});

test("Structures are as large as the code takes them for", [
  "time.h",
  "pwd.h",
  "poll.h",
  "sys/uio.h",
  "linux/filter.h",
], {
  "sizeof(struct timespec)": 16,
  "sizeof(struct pollfd)": 8,
  "sizeof(struct iovec)": 16,
  "sizeof(struct sock_filter)": 8,
  "sizeof(struct sock_fprog)": 16,
  "offsetof(struct sock_fprog, filter)": 8,
  "offsetof(struct passwd, pw_name)": 0,
  "offsetof(struct passwd, pw_uid)": 16,
  "offsetof(struct passwd, pw_gid)": 20,
  "offsetof(struct passwd, pw_dir)": 32,
  "offsetof(struct passwd, pw_shell)": 40,
});
