/**
 * The rules by which the kernel lets packets through: maps of an eBPF program
 * where it may be had and is not declined, else a classic BPF program.
 *
 * @module
 */
import { FILTER_FLAG } from "../../bpf/programs/layout.ts";
import { ClassicRules } from "../capture/classic_rules.ts";
import { readRights } from "../proc/rights.ts";
import { KernelFilter } from "../trace/ebpf_filter.ts";
import { mapFilterFailure, mapFilterReason } from "./ebpf_report.ts";
import { MapRules } from "./map_rules.ts";
import type { TrackerSetup } from "./messages.ts";

/** What serves, and what is to be closed. */
export interface OpenRules {
  readonly rules: ClassicRules | MapRules;
  /** To be closed at the end; unset where classic BPF serves. */
  readonly filter: KernelFilter | undefined;
}

/**
 * Attaches rules to the packet socket that name no port yet.
 *
 * @param tell takes which of both kinds serves and why, a line of text
 * @throws {CaptureError} when maps are demanded and not to be had
 */
export function openRules(
  { kernelFilter, socket, snaplen, icmp }: Pick<
    TrackerSetup,
    "kernelFilter" | "socket" | "snaplen" | "icmp"
  >,
  tell: (text: string) => void,
): OpenRules {
  if (kernelFilter !== "classic") {
    let filter: KernelFilter | undefined;
    try {
      filter = new KernelFilter();
      const rules = new MapRules(filter);
      rules.attach(socket);
      filter.setFlags(FILTER_FLAG.ICMP, icmp);
      filter.open(snaplen);
      tell("packets are selected by eBPF maps");
      return { rules, filter };
    } catch (error) {
      filter?.close();
      const rights = readRights();
      if (kernelFilter === "map") throw mapFilterFailure(error, rights);
      const reason = mapFilterReason(error, rights);
      tell(`packets are selected by classic BPF: ${reason}`);
    }
  }
  const rules = new ClassicRules(socket, snaplen, icmp);
  return { rules, filter: undefined };
}
