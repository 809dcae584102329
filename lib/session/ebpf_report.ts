/**
 * Tells which way of following sockets was taken, and why not a better one.
 *
 * @module
 */
import type { Variant } from "../trace/ebpf_loader.ts";
import {
  type Capability,
  has,
  missingFor,
  type Rights,
  rightsText,
  setcapHint,
} from "../proc/rights.ts";
import { CaptureError, type CaptureNotice } from "./types.ts";

/** How one trial of eBPF ended; plain data. */
export interface Probe {
  /** The hooks that were tried; unset for what all of them need. */
  readonly hooks?: Variant;
  /** Why they do not serve; unset for those that do. */
  readonly error?: string;
  /** Name of the errno value behind the error. */
  readonly code?: string;
  /** Milliseconds that the trial took. */
  readonly milliseconds?: number;
}

const HOOK_NAMES: Readonly<Record<Variant, string>> = {
  cg: "cgroup hooks",
  fe: "fentry hooks",
  tp: "tracepoints",
};

/**
 * The line that says what follows the sockets.
 *
 * @param hooks those of eBPF that serve; unset when ptrace follows
 */
export function trackerNotice(
  hooks: Variant | undefined,
  probes: readonly Probe[],
  rights: Rights,
): CaptureNotice {
  switch (hooks) {
    case undefined:
      return {
        severity: "info",
        text: `sockets are followed by ptrace: ${whyNotEbpf(probes, rights)}`,
      };
    case "cg":
      return {
        severity: "info",
        text: `sockets are followed by eBPF (${HOOK_NAMES.cg})`,
      };
    case "fe":
      return {
        severity: "info",
        text: `sockets are followed by eBPF (${HOOK_NAMES.fe}): ` +
          whyNotHooks("cg", probes, rights),
      };
    case "tp":
      return {
        severity: "warning",
        text:
          `sockets are followed by eBPF (${HOOK_NAMES.tp}), which can miss ` +
          "datagrams: " +
          whyNotHooks("cg", probes, rights),
      };
  }
}

/** How each trial ended, one line each. */
export function probeLines(probes: readonly Probe[]): string[] {
  return probes.map(({ hooks, error, milliseconds }) => {
    const what = hooks === undefined ? "eBPF" : `eBPF ${HOOK_NAMES[hooks]}`;
    const time = milliseconds === undefined
      ? ""
      : ` after ${Math.ceil(milliseconds)} ms`;
    return `${what}: ${error === undefined ? "in use" : "not usable"}${time}${
      error === undefined ? "" : `: ${error}`
    }`;
  });
}

/**
 * Why eBPF, which was asked for, cannot follow the sockets.
 *
 * @param hooks those that were asked for; unset for any
 */
export function ebpfFailure(
  hooks: Variant | undefined,
  probes: readonly Probe[],
  rights: Rights,
): CaptureError {
  const missing = missingFor(rights, hooks ?? "tp");
  if (missing.length > 0 && !isInNamespace(rights)) {
    return new CaptureError(
      "permission",
      `Cannot follow sockets with eBPF${
        hooks === undefined ? "" : ` ${HOOK_NAMES[hooks]}`
      }: ${isMissing(missing)}`,
      { hint: `${setcapHint()}; or use --tracker ptrace` },
    );
  }
  const reason = namespaceReason(rights) ??
    (probes.length === 0
      ? "it was not tried"
      : probes.map(({ error }) => error).join("; "));
  return new CaptureError(
    "unsupported",
    `Cannot follow sockets with eBPF: ${reason}`,
    { hint: "Use --tracker ptrace" },
  );
}

/** Why the packet filter with maps cannot be used. */
export function mapFilterReason(error: unknown, rights: Rights): string {
  const missing = missingFor(rights, "map");
  return namespaceReason({ ...rights, inPidNamespace: false }) ??
    (missing.length > 0
      ? isMissing(missing)
      : error instanceof Error
      ? error.message
      : String(error));
}

/** Why the packet filter with maps, which was asked for, cannot be used. */
export function mapFilterFailure(error: unknown, rights: Rights): CaptureError {
  const isPermitted = missingFor(rights, "map").length === 0;
  return new CaptureError(
    isPermitted ? "unsupported" : "permission",
    `Cannot use the map filter: ${mapFilterReason(error, rights)}`,
    {
      hint: `${
        isPermitted || rights.inUserNamespace
          ? "Use"
          : `${setcapHint()}; or use`
      } --kernel-filter classic`,
      cause: error,
    },
  );
}

function whyNotEbpf(probes: readonly Probe[], rights: Rights): string {
  const namespace = namespaceReason(rights);
  if (namespace !== undefined) return namespace;
  if (missingFor(rights, "tp").length > 0) {
    const missing = missingFor(rights, "cg");
    return `for eBPF ${isMissing(missing)}`;
  }
  const error = probes.at(-1)?.error;
  return error === undefined
    ? "eBPF was not tried"
    : `eBPF cannot be used here: ${inShort(error)}`;
}

function whyNotHooks(
  hooks: Variant,
  probes: readonly Probe[],
  rights: Rights,
): string {
  const missing = missingFor(rights, hooks);
  const probe = probes.find((each) => each.hooks === hooks);
  if (missing.length > 0) {
    return `for ${HOOK_NAMES[hooks]} ${isMissing(missing)}`;
  }
  // Linux 6.1: CAP_SYS_ADMIN does not stand for it when cgroup programs are
  // attached.
  if (
    hooks === "cg" && probe?.code === "EPERM" && !has(rights, "CAP_NET_ADMIN")
  ) {
    return `for ${HOOK_NAMES[hooks]} ${isMissing(["CAP_NET_ADMIN"])}`;
  }
  return probe?.error === undefined
    ? `${HOOK_NAMES[hooks]} were not tried`
    : `${HOOK_NAMES[hooks]} cannot be used here: ${inShort(probe.error)}`;
}

function isMissing(capabilities: readonly Capability[]): string {
  return `${rightsText(capabilities)} ${
    capabilities.length === 1 ? "is" : "are"
  } missing`;
}

function isInNamespace(rights: Rights): boolean {
  return rights.inUserNamespace || rights.inPidNamespace;
}

function namespaceReason(rights: Rights): string | undefined {
  if (rights.inUserNamespace) {
    return "eBPF is not permitted in a user namespace";
  }
  if (rights.inPidNamespace) {
    return "eBPF sees other process ids than those of this PID namespace";
  }
  return undefined;
}

/** Without the verifier's log. */
function inShort(error: string): string {
  return /^.*? failed with \w+( \([^)]*\))?/.exec(error)?.[0] ?? error;
}
