/**
 * What this process may do, as far as tracedump depends on it: capabilities(7)
 * and the namespaces that take their power away.
 *
 * @module
 */
import { parseNamespaceLink } from "./ns.ts";
import { PROC_ROOT, readProcLink, readProcText } from "./read.ts";
import { parseStatus } from "./status.ts";

/** Bit numbers of capabilities, linux/capability.h. */
const CAPABILITY = {
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
} as const;

/** A capability that capturing may need. */
export type Capability = keyof typeof CAPABILITY;

// PROC_USER_INIT_INO and PROC_PID_INIT_INO, include/linux/proc_ns.h: inodes of
// the first namespaces, fixed since Linux 3.8.
const FIRST_USER_NAMESPACE = 0xefff_fffd;
const FIRST_PID_NAMESPACE = 0xefff_fffc;

/** What eBPF hooks need; CAP_SYS_ADMIN stands for all of them. */
const TRACKER_NEEDS = {
  cg: ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"],
  fe: ["CAP_BPF", "CAP_PERFMON"],
  tp: ["CAP_BPF", "CAP_PERFMON"],
  map: ["CAP_BPF"],
} as const satisfies Record<string, readonly Capability[]>;

/** Something of eBPF: a set of hooks, or the packet filter with maps. */
export type EbpfPart = keyof typeof TRACKER_NEEDS;

/** Rights of this process. */
export interface Rights {
  /** Effective capabilities; bit n stands for capability n. */
  readonly capabilities: bigint;
  /** Capabilities count in a user namespace only, not for the machine. */
  readonly inUserNamespace: boolean;
  /** Process ids are not those that programs in the kernel see. */
  readonly inPidNamespace: boolean;
  /** Process id by which procfs knows this process; unset when it does not. */
  readonly procPid: number | undefined;
}

/**
 * Reads the rights of this process.
 *
 * @param root Mount point of procfs.
 */
export function readRights(root: string = PROC_ROOT): Rights {
  const status = parseStatus(readProcText(`${root}/self/status`) ?? "");
  const inode = (kind: string): number | undefined =>
    parseNamespaceLink(readProcLink(`${root}/self/ns/${kind}`) ?? "", kind);
  const user = inode("user");
  const pid = inode("pid");
  return {
    capabilities: status.capEff,
    inUserNamespace: user !== undefined && user !== FIRST_USER_NAMESPACE,
    inPidNamespace: pid !== undefined && pid !== FIRST_PID_NAMESPACE,
    procPid: status.pid === 0 ? undefined : status.pid,
  };
}

/** Whether a capability is effective. */
export function has(rights: Rights, capability: Capability): boolean {
  return (rights.capabilities >> BigInt(CAPABILITY[capability]) & 1n) === 1n;
}

/** Capabilities that a part of eBPF would need in addition. */
export function missingFor(rights: Rights, part: EbpfPart): Capability[] {
  if (has(rights, "CAP_SYS_ADMIN")) return [];
  return TRACKER_NEEDS[part].filter((capability) => !has(rights, capability));
}

/** Text such as `the rights CAP_BPF and CAP_PERFMON`. */
export function rightsText(capabilities: readonly Capability[]): string {
  const last = capabilities.at(-1);
  return capabilities.length < 2
    ? `the right ${last}`
    : `the rights ${capabilities.slice(0, -1).join(", ")} and ${last}`;
}

/**
 * The line that gives an executable the rights that capturing can use.
 *
 * @param more one that is not always of use
 */
export function setcapHint(more?: "cap_dac_read_search"): string {
  const names = ["cap_net_raw", "cap_sys_ptrace", "cap_bpf", "cap_perfmon"];
  names.push("cap_net_admin", ...(more === undefined ? [] : [more]));
  const line = `sudo setcap ${names.join(",")}+ep`;
  // With rights of its own, a runtime would give them to every script.
  return isExecutable()
    ? `Run it as root, or once: ${line} ${Deno.execPath()}`
    : `Run it as root, or build the executable and once: ${line} ./tracedump`;
}

/** Whether this runs as an executable of its own. */
function isExecutable(): boolean {
  // Workers are not told, but where their modules seem to be.
  return Deno.build.standalone ||
    import.meta.url.includes("/deno-compile-");
}
