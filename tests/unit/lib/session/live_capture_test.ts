import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import { openEventFd } from "../../../../ffi/file.ts";
import { LiveCapture } from "../../../../lib/session/live_capture.ts";
import type {
  SnifferMessage,
  TrackerMessage,
} from "../../../../lib/session/messages.ts";
import type { Resources } from "../../../../lib/session/resources.ts";

/** Stands for a thread: says what the test has it say. */
class FakeWorker<Message> {
  onmessage: (event: { readonly data: Message }) => void = () => {};

  postMessage(): void {}

  terminate(): void {}

  says(data: Message): void {
    this.onmessage({ data });
  }
}

/** A capture of a command by ptrace, whose threads do nothing by themselves. */
function make(): {
  readonly capture: LiveCapture;
  readonly sniffer: FakeWorker<SnifferMessage>;
  readonly tracer: FakeWorker<TrackerMessage>;
} {
  const sniffer = new FakeWorker<SnifferMessage>();
  const tracer = new FakeWorker<TrackerMessage>();
  const wake = openEventFd();
  const resources = {
    wake,
    socket: { number: -1 },
    interfaces: [],
    sync(): void {},
    [Symbol.dispose]: () => wake.close(),
  } as unknown as Resources;
  const capture = new LiveCapture(
    {
      target: { kind: "command", command: "true", args: [] },
      tracker: "ptrace",
      snaplen: 0,
      nanoseconds: true,
      interfaces: [],
      follow: true,
      bufferSize: 1,
      linger: 0,
      duration: 3_600_000,
    },
    {},
    {
      sniffer: sniffer as unknown as Worker,
      tracer: tracer as unknown as Worker,
    },
    resources,
  );
  return { capture, sniffer, tracer };
}

/** Has Deno complain of timers that are left. */
const LEAKS = { sanitizeOps: true } as const;

const RESULT = {
  reason: "finished",
  rows: [],
  names: new Map(),
  undecided: 0,
} as const;

Deno.test(
  "LiveCapture leaves no timer when the command ends before it begins",
  LEAKS,
  async () => {
    const { capture, sniffer, tracer } = make();
    const begun = capture.begin();
    tracer.says({ type: "ready", processes: [] });
    tracer.says({ type: "done" });
    sniffer.says({ type: "ready", ebpf: undefined, probes: [] });
    await begun;
    sniffer.says({ type: "done", result: RESULT });
    assert.equal((await capture.finished).reason, "exited");
  },
);

Deno.test(
  "LiveCapture leaves no timer when it is stopped twice",
  LEAKS,
  async () => {
    const { capture, sniffer, tracer } = make();
    const begun = capture.begin();
    tracer.says({ type: "ready", processes: [] });
    sniffer.says({ type: "ready", ebpf: undefined, probes: [] });
    await begun;
    capture.stop();
    capture.stop();
    sniffer.says({ type: "done", result: RESULT });
    tracer.says({ type: "done" });
    assert.equal((await capture.finished).reason, "stopped");
  },
);
