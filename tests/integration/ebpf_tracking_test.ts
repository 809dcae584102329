import { equal, throws } from "node:assert/strict";
import { Control, createControl } from "../../lib/session/control.ts";
import { EbpfTracking } from "../../lib/session/ebpf_tracking.ts";
import { createTable } from "../../lib/sockets/table.ts";
import { createOwnerTable } from "../../lib/trace/owner_table.ts";
import { ebpfTest } from "./ebpf_support.ts";

/** Descriptors of this process that keep something of eBPF in the kernel. */
function bpfDescriptors(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
      if (target.startsWith("anon_inode:bpf")) count++;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return count;
}

ebpfTest("EbpfTracking leaves no hook behind when it cannot begin", () => {
  const setup = {
    variants: [],
    filter: "map",
    snaplen: 0,
    icmp: false,
    follow: true,
    linger: 0,
    debug: 0,
    pids: [],
    words: [],
    ring: { blockSize: 1 << 18, blockCount: 2, timeout: 16 },
    interfaces: [],
    sockets: false,
    eventRing: 1 << 16,
  } as const;
  const memory = { table: createTable(16), owners: createOwnerTable() };
  const ignore = (): void => {};
  const listener = { notice: ignore, tap: ignore, socket: ignore };
  const before = bpfDescriptors();
  const noSocket = -1;
  throws(
    () =>
      new EbpfTracking(
        setup,
        noSocket,
        memory,
        new Control(createControl()),
        listener,
      ),
    /SO_ATTACH_BPF/,
  );
  equal(bpfDescriptors(), before);
});
