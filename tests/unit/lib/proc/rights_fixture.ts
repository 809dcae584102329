/**
 * Rights for tests: as values, and as a procfs tree.
 *
 * @module
 */
import type { Rights } from "../../../../lib/proc/rights.ts";
import { type Fixture, type FixtureRoot, makeProc } from "./fixture.ts";

/** linux/capability.h */
const BITS: Readonly<Record<string, bigint>> = {
  CAP_DAC_READ_SEARCH: 1n << 2n,
  CAP_NET_ADMIN: 1n << 12n,
  CAP_NET_RAW: 1n << 13n,
  CAP_SYS_PTRACE: 1n << 19n,
  CAP_SYS_ADMIN: 1n << 21n,
  CAP_PERFMON: 1n << 38n,
  CAP_BPF: 1n << 39n,
};

/** Mask of capabilities by name. */
export function maskOf(...names: readonly string[]): bigint {
  return names.reduce((mask, name) => mask | BITS[name]!, 0n);
}

/** Rights outside of any namespace. */
export function rightsOf(...names: readonly string[]): Rights {
  return {
    capabilities: maskOf(...names),
    inUserNamespace: false,
    inPidNamespace: false,
    procPid: 7,
  };
}

/** Where a process of a procfs tree is. */
export interface OwnProcess {
  readonly capabilities?: readonly string[];
  readonly userNamespace?: number;
  readonly pidNamespace?: number;
  readonly pid?: number;
}

/** A procfs tree with a process of its own at `self`. */
export function makeOwnProc(
  own: OwnProcess,
  more: Fixture = {},
): FixtureRoot {
  const { capabilities = [], pid = 7 } = own;
  const mask = maskOf(...capabilities).toString(16).padStart(16, "0");
  return makeProc({
    "self/status":
      `Name:\tdeno\nTgid:\t${pid}\nPid:\t${pid}\nCapEff:\t${mask}\n`,
    "self/ns/user": { link: `user:[${own.userNamespace ?? 4026531837}]` },
    "self/ns/pid": { link: `pid:[${own.pidNamespace ?? 4026531836}]` },
    ...more,
  });
}
