import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import { EVENT, EVENT_TYPE } from "../../../../bpf/programs/layout.ts";
import { BpfRingBuffer } from "../../../../ffi/bpf_ring_buffer.ts";
import { EventRing } from "../../../../lib/trace/ebpf_events.ts";

const PAGE = 4096;
const SIZE = PAGE;
const HEADER = 8;
const RECORD = HEADER + EVENT.size;
const BUSY = 0x8000_0000;

/** A file with the layout of a ring buffer, written as the kernel would. */
class FakeRing implements Disposable {
  readonly path: string = Deno.makeTempFileSync();
  readonly #file: Deno.FsFile;
  readonly #buffer: BpfRingBuffer;
  readonly events: EventRing;
  #end = 0;

  constructor() {
    this.#file = Deno.openSync(this.path, { read: true, write: true });
    this.#file.truncateSync(2 * PAGE + 2 * SIZE);
    // Deno does not tell the number of a descriptor.
    const fd = descriptorOf(this.path);
    this.#buffer = new BpfRingBuffer({ fd }, SIZE);
    this.events = new EventRing(this.#buffer, () => {});
  }

  /** Writes a record; a busy one is not complete. */
  add(tgid: number, busy: boolean): void {
    const at = this.#end;
    const words = new Uint32Array(RECORD / 4);
    words[0] = EVENT.size | (busy ? BUSY : 0);
    words[(HEADER + EVENT.type) / 4] = EVENT_TYPE.FORKED;
    words[(HEADER + EVENT.tgid) / 4] = tgid;
    this.#write(2 * PAGE + at, new Uint8Array(words.buffer));
    this.#end = at + RECORD;
    this.#write(PAGE, new Uint8Array(Uint32Array.of(this.#end).buffer));
  }

  #write(at: number, bytes: Uint8Array): void {
    this.#file.seekSync(at, Deno.SeekMode.Start);
    this.#file.writeSync(bytes);
  }

  [Symbol.dispose](): void {
    this.#buffer.close();
    this.#file.close();
    Deno.removeSync(this.path);
  }
}

function descriptorOf(path: string): number {
  const real = Deno.realPathSync(path);
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === real) {
        return Number(name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`${path} is not open`);
}

/** Completes the first record from another thread. */
const WRITER = `
  onmessage = ({ data: { path, length } }) => {
    const file = Deno.openSync(path, { write: true });
    file.seekSync(${2 * PAGE}, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(Uint32Array.of(length).buffer));
    file.close();
    close();
  };
`;

Deno.test("EventRing.read() waits for an event that is being written", () => {
  using ring = new FakeRing();
  ring.add(1, true);
  ring.add(2, false);
  const url = `data:text/javascript,${encodeURIComponent(WRITER)}`;
  const worker = new Worker(url, { type: "module" });
  worker.postMessage({ path: ring.path, length: EVENT.size });
  const seen: number[] = [];
  assert.equal(ring.events.read(({ tgid }) => seen.push(tgid), 60_000), 2);
  assert.deepEqual(seen, [1, 2]);
  assert.equal(ring.events.heldUp, 0);
});

Deno.test("EventRing.read() gives up waiting, and counts that", () => {
  using ring = new FakeRing();
  ring.add(1, false);
  ring.add(2, true);
  ring.add(3, false);
  const seen: number[] = [];
  assert.equal(ring.events.read(({ tgid }) => seen.push(tgid), 1), 1);
  assert.deepEqual(seen, [1]);
  assert.equal(ring.events.heldUp, 1);
});

Deno.test("EventRing.read() comes to an end though events never cease", () => {
  using ring = new FakeRing();
  ring.add(1, false);
  ring.add(2, false);
  const seen: number[] = [];
  const read = (): number =>
    ring.events.read(({ tgid }) => {
      seen.push(tgid);
      // As many more as are read.
      if (tgid < 20) ring.add(tgid + 2, false);
    });
  assert.equal(read(), 2);
  assert.deepEqual(seen, [1, 2]);
  assert.equal(read(), 2);
  assert.deepEqual(seen, [1, 2, 3, 4]);
});
