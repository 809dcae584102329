import assert from "node:assert/strict";
import type {
  SnifferCommandMessage,
  SnifferMessage,
} from "../../../../lib/session/messages.ts";
import { SnifferThread } from "../../../../lib/session/sniffer_thread.ts";
import { CaptureError } from "../../../../lib/session/types.ts";

/** Stands for the thread: writes down what it is told. */
class FakeWorker {
  onmessage: (event: { readonly data: SnifferMessage }) => void = () => {};
  onerror: (event: ErrorEvent) => void = () => {};
  readonly log: string[] = [];

  postMessage({ type }: SnifferCommandMessage): void {
    this.log.push(type);
  }

  terminate(): void {
    this.log.push("terminated");
  }

  says(data: SnifferMessage): void {
    this.onmessage({ data });
  }
}

function make(): {
  readonly worker: FakeWorker;
  readonly thread: SnifferThread;
  readonly log: string[];
  readonly errors: Error[];
} {
  const worker = new FakeWorker();
  const { log } = worker;
  const errors: Error[] = [];
  const thread = new SnifferThread(worker as unknown as Worker, {
    notice: ({ text }) => log.push(text),
    socket: () => log.push("socket"),
    packets: (bytes, names) => log.push(`${bytes.byteLength} ${names}`),
    ended: ({ reason }) => log.push(reason),
    failed: (error) => errors.push(error),
  });
  return { worker, thread, log, errors };
}

Deno.test("SnifferThread tells what the sniffer says", async () => {
  const { worker, thread, log, errors } = make();
  const ready = { type: "ready", ebpf: undefined, probes: [] } as const;
  worker.says(ready);
  assert.equal(await thread.ready, ready);
  thread.run(undefined);
  worker.says({ type: "notice", notice: { severity: "info", text: "hello" } });
  worker.says({
    type: "packets",
    bytes: new ArrayBuffer(3),
    interfaces: ["lo"],
  });
  worker.says({
    type: "done",
    result: { reason: "count", rows: [], names: new Map(), undecided: 0 },
  });
  thread.terminate();
  assert.deepEqual(log, ["run", "hello", "3 lo", "count", "terminated"]);
  assert.deepEqual(errors, []);
});

Deno.test("SnifferThread.ready is rejected with what is known of the failure", async () => {
  const { worker, thread, errors } = make();
  const message = "Cannot open the file";
  worker.says({ type: "failed", code: "output", message, hint: "Make room" });
  await assert.rejects(thread.ready, { message, hint: "Make room" });
  assert.ok(errors[0] instanceof CaptureError);
  assert.equal(errors[0].code, "output");
});

Deno.test("SnifferThread.ready is rejected with a CaptureError of whatever failed", async () => {
  const { worker, thread, errors } = make();
  worker.says({ type: "failed", message: "no idea" });
  await assert.rejects(thread.ready, CaptureError);
  assert.deepEqual(errors.map(({ message }) => message), ["no idea"]);
});

Deno.test("SnifferThread.release() waits until the sniffer has let go", async () => {
  const { worker, thread, log } = make();
  const released = thread.release();
  assert.deepEqual(log, ["release"]);
  worker.says({ type: "released" });
  await released;
  assert.deepEqual(log, ["release", "terminated"]);
});

Deno.test("SnifferThread.release() does not wait for a sniffer that is gone", async () => {
  const { worker, thread, log, errors } = make();
  const event = new ErrorEvent("error", { message: "bug", cancelable: true });
  worker.onerror(event);
  assert.ok(event.defaultPrevented);
  await assert.rejects(thread.ready, CaptureError);
  await thread.release();
  assert.deepEqual(log, ["release", "terminated"]);
  assert.deepEqual(
    errors.map(({ message }) => message),
    ["The sniffer failed: bug"],
  );
});
