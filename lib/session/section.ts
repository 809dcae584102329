/**
 * What a pcapng file tells about the machine and the capture.
 *
 * @module
 */
import metadata from "../../deno.json" with { type: "json" };
import type { SectionHeader } from "../pcap/pcapng/blocks.ts";
import { readComm } from "../proc/comm.ts";
import type { CaptureTarget } from "./types.ts";

/** Describes a capture of a program on this machine. */
export function describeSection(target: CaptureTarget): SectionHeader {
  const host = readLine("/proc/sys/kernel/hostname");
  const release = readLine("/proc/sys/kernel/osrelease");
  return {
    hardware: Deno.build.arch,
    os: `Linux ${release}`.trimEnd(),
    application: `tracedump ${metadata.version}`,
    comments: [`${describeTarget(target)}${host === "" ? "" : ` on ${host}`}`],
  };
}

function describeTarget(target: CaptureTarget): string {
  if (target.kind === "command") {
    return `Command: ${[target.command, ...target.args].join(" ")}`;
  }
  const names = target.pids.map((pid) => {
    const comm = readComm(pid);
    return comm === undefined ? `${pid}` : `${pid} (${comm})`;
  });
  return `Process${names.length > 1 ? "es" : ""}: ${names.join(", ")}`;
}

/** First line of a file; empty where it cannot be read. */
function readLine(path: string): string {
  try {
    return Deno.readTextFileSync(path).trimEnd();
  } catch {
    return "";
  }
}
