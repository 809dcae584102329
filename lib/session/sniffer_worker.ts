/**
 * Entry point of the sniffer's thread. Once running, it reads the ring in one
 * go to the end; commands reach it through shared memory.
 *
 * @module
 */
import { FOLLOWER } from "./capture_threads.ts";
import { Control } from "./control.ts";
import type { Probe } from "./ebpf_report.ts";
import type { EbpfTracking } from "./ebpf_tracking.ts";
import type { SnifferCommandMessage, SnifferMessage } from "./messages.ts";
import type { FileFormat } from "./file_format.ts";
import { PcapFormat } from "./pcap_format.ts";
import type { LiveFilter } from "./live_filter.ts";
import { OwnerTable } from "../trace/owner_table.ts";
import { COOKED } from "./cooked_packet.ts";
import { type FileSetup, FileSink } from "./file_sink.ts";
import type { SendBatch } from "./stream/stream_sink.ts";
import { Sniffer, type SnifferParts, type SnifferSetup } from "./sniffer.ts";
import { rawEvent } from "./events/raw_event.ts";
import { CaptureError } from "./types.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Loaded only where it is wanted: it is the larger part of the program. */
// deno-lint-ignore explicit-function-return-type
function loadTracking() {
  return Promise.all([
    import("./ebpf_tracking.ts"),
    import("./ebpf_probes.ts"),
  ]);
}

// At once, while the main thread opens what it will send.
if (self.name === FOLLOWER) loadTracking();

let sniffer: Sniffer | undefined;
let tracking: EbpfTracking | undefined;

function post(message: SnifferMessage, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}

async function start(
  { setup, ebpf }: Extract<SnifferCommandMessage, { type: "start" }>,
): Promise<void> {
  let probes: readonly Probe[] = [];
  if (ebpf !== undefined) {
    const [{ EbpfTracking }, { failedProbes }] = await loadTracking();
    try {
      tracking = new EbpfTracking(
        ebpf,
        setup.tap.socket,
        setup,
        new Control(setup.control),
        {
          notice: (notice) => post({ type: "notice", notice }),
          tap: (source) => sniffer?.addTap(source),
          socket: (event, timestamp) => {
            const raw = rawEvent(event, timestamp);
            if (raw !== undefined) post({ type: "socket", event: raw });
          },
        },
      );
      probes = tracking.probes;
    } catch (error) {
      probes = failedProbes(error);
    }
  }
  sniffer = new Sniffer(setup, {
    makeSink: await sinkOf(setup),
    events: tracking,
    filter: await filterOf(setup),
  });
  post({
    type: "ready",
    probes,
    ebpf: tracking === undefined
      ? undefined
      : { variant: tracking.variant, processes: tracking.begin() },
  });
}

async function sinkOf(
  { file, stream, owners }: SnifferSetup,
): Promise<SnifferParts["makeSink"]> {
  const makers: SnifferParts["makeSink"][] = [];
  if (file !== undefined) {
    const format = await formatOf(file, owners);
    makers.push((ring, statistics) =>
      new FileSink(file, format, ring, statistics, warn)
    );
  }
  if (stream !== undefined) {
    const { StreamSink } = await import("./stream/stream_sink.ts");
    makers.push(() => new StreamSink(stream, COOKED, sendPackets));
  }
  const [first, second] = makers;
  if (first === undefined) throw new Error("Cannot run without an output");
  if (second === undefined) return first;
  const { TeeSink } = await import("./tee_sink.ts");
  return (ring, statistics) =>
    new TeeSink(first(ring, statistics), second(ring, statistics));
}

function warn(text: string): void {
  post({ type: "notice", notice: { severity: "warning", text } });
}

function sendPackets(
  ...[bytes, interfaces]: Parameters<SendBatch>
): void {
  post({ type: "packets", bytes, interfaces }, [bytes]);
}

async function formatOf(
  { format }: FileSetup,
  owners: SharedArrayBuffer,
): Promise<FileFormat> {
  if (format.kind === "pcap") {
    return new PcapFormat(format.snaplen, format.nanoseconds);
  }
  // Loaded only where it is wanted, as all that follows.
  const { PcapngFormat } = await import("./pcapng_format.ts");
  const { KeyLogReader } = await import("./key_log.ts");
  const keys = format.keyLog === undefined
    ? undefined
    : new KeyLogReader(format.keyLog);
  return new PcapngFormat(
    format,
    new OwnerTable(owners),
    keys === undefined ? undefined : () => keys.read(),
  );
}

async function filterOf(
  { filter, owners }: SnifferSetup,
): Promise<LiveFilter | undefined> {
  if (filter === undefined) return undefined;
  const { LiveFilter } = await import("./live_filter.ts");
  return new LiveFilter(filter, new OwnerTable(owners));
}

function run(command: number | undefined): void {
  if (sniffer === undefined) return;
  try {
    tracking?.launched(command);
    const result = sniffer.run();
    tracking?.report();
    post({ type: "done", result });
  } finally {
    release();
  }
}

/** The end of a thread closes no descriptors: they are the whole program's. */
function release(): void {
  sniffer?.[Symbol.dispose]();
  sniffer = undefined;
  tracking?.[Symbol.dispose]();
  tracking = undefined;
}

function fail(error: unknown): void {
  const known = error instanceof CaptureError ? error : undefined;
  post({
    type: "failed",
    message: error instanceof Error ? error.message : String(error),
    ...(known === undefined ? {} : { code: known.code }),
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
  });
}

self.onmessage = async ({ data }: MessageEvent<SnifferCommandMessage>) => {
  try {
    if (data.type === "start") await start(data);
    else if (data.type === "run") run(data.command);
    else {
      release();
      post({ type: "released" });
    }
  } catch (error) {
    fail(error);
  }
};
