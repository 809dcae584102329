import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import { joinBytes } from "../../../../lib/bytes/join.ts";
import type { PacketRing } from "../../../../lib/capture/packet_ring.ts";
import type { FileFormat } from "../../../../lib/session/file_format.ts";
import { FileSink, OUTPUT_SIZE } from "../../../../lib/session/file_sink.ts";
import type { RotationOptions } from "../../../../lib/session/types.ts";
import { createFile } from "../../../../ffi/file.ts";
import { Mapping } from "../../../../ffi/memory.ts";

const PACKET = 60_000;

/** Records of one length: packets are of `p`, secrets of `s`. */
class FakeFormat implements FileFormat {
  readonly headLength = 1;
  readonly hasSecrets = true;
  /** Secrets that come next, and those until now. */
  coming: Uint8Array[] = [];
  #known: Uint8Array[] = [];

  tailLength(): number {
    return 0;
  }

  begin(): Uint8Array {
    return joinBytes(this.#known);
  }

  before(): undefined {}

  secrets(): Uint8Array | undefined {
    const secrets = this.coming.shift();
    if (secrets !== undefined) this.#known.push(secrets);
    return secrets;
  }

  record({ bytes }: PacketRing, start: number, end: number): number {
    bytes[start - 1] = 0x70;
    return end;
  }

  end(): undefined {}

  completeLength({ length }: Uint8Array): number {
    return length - length % PACKET;
  }
}

/** A sink with memory behind a ring of nothing. */
class Scene implements Disposable {
  readonly folder = Deno.makeTempDirSync();
  readonly path = `${this.folder}/x`;
  readonly format = new FakeFormat();
  readonly sink: FileSink;
  readonly #memory = Mapping.anonymous(OUTPUT_SIZE);
  readonly #ring: PacketRing;
  readonly #file;

  constructor(rotation: RotationOptions = {}) {
    const began = Date.now() / 1000;
    this.#ring = {
      bytes: new Uint8Array(this.#memory.buffer()),
      address: this.#memory.address,
      tailAt: 0,
      at: 0,
      seconds: began,
    } as PacketRing;
    this.#file = createFile(
      rotation.size === undefined ? this.path : `${this.path}-00001`,
    );
    this.sink = new FileSink(
      {
        descriptor: this.#file.number,
        path: this.path,
        rotation,
        began,
        maxSize: 0,
        minFree: 0,
        unbuffered: false,
        format: { kind: "pcap", snaplen: 0, nanoseconds: false },
      },
      this.format,
      this.#ring,
      () => ({ drops: 0, names: new Map(), time: 0n }),
      (text) => assert.fail(text),
    );
  }

  /** Takes a packet. */
  take(): void {
    const ring = this.#ring;
    const start = this.sink.place(ring, 0, PACKET - 1);
    const end = start + PACKET - 1;
    ring.bytes.fill(0x70, start, end);
    this.sink.take(ring, start, end, 0, true, false);
  }

  /** What kinds of records a file has, those of a kind in a row as one. */
  kinds(path: string): string {
    const bytes = Deno.readFileSync(path);
    let kinds = "";
    for (const byte of bytes) {
      const kind = String.fromCharCode(byte);
      if (!kinds.endsWith(kind)) kinds += kind;
    }
    return kinds;
  }

  [Symbol.dispose](): void {
    this.#file.close();
    this.#memory.close();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function secrets(): Uint8Array {
  return new Uint8Array(PACKET).fill(0x73);
}

Deno.test("FileSink puts secrets before packets when these never cease", () => {
  using scene = new Scene();
  scene.take();
  scene.format.coming.push(secrets());
  for (let packet = 0; packet < 100; packet++) scene.take();
  scene.sink.finish();
  assert.equal(scene.kinds(scene.path), "sp");
});

Deno.test("FileSink begins each file with all secrets, however many", () => {
  using scene = new Scene({ size: 100 * PACKET });
  for (let count = 0; count < 90; count++) scene.format.coming.push(secrets());
  scene.sink.flush();
  for (let packet = 0; packet < 20; packet++) scene.take();
  scene.sink.finish();
  assert.deepEqual(scene.sink.end, undefined);
  const files = scene.sink.files!;
  assert.equal(files.length, 2);
  for (const path of files) {
    assert.equal(Deno.statSync(path).size, 100 * PACKET);
    assert.equal(scene.kinds(path), "sp");
  }
});
