import assert from "node:assert/strict";
import { CaptureFormatError } from "../../../../../lib/pcap/error.ts";
import {
  encodeFileHeader,
  encodeRecord,
} from "../../../../../lib/pcap/writer.ts";
import { TraceError } from "../../../../../lib/session/trace/errors.ts";
import { FileSource } from "../../../../../lib/session/trace/file_source.ts";
import type { Packet } from "../../../../../lib/session/trace/packet.ts";
import { SAMPLES } from "../../packet/samples.ts";

const SAMPLE = SAMPLES.sllReset;

function pcap(count: number): Uint8Array {
  const parts = [
    encodeFileHeader({ linkType: 113, snaplen: 262144, nanoseconds: true }),
  ];
  for (let i = 0; i < count; i++) {
    const timestamp = 1_700_000_000_000_000_000n + BigInt(i);
    parts.push(encodeRecord({ ...SAMPLE, timestamp }, { nanoseconds: true }));
  }
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

async function withFile(
  bytes: Uint8Array,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, bytes);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

async function readAll(source: FileSource): Promise<Packet[]> {
  const packets = [];
  for (;;) {
    const batch = await source.read();
    if (batch === undefined) return packets;
    packets.push(...batch);
  }
}

Deno.test("FileSource reads every packet with what the file tells", async () => {
  await withFile(pcap(5000), async (path) => {
    const source = new FileSource(path, "x");
    await source.start();
    const packets = await readAll(source);
    assert.equal(packets.length, 5000);
    assert.deepEqual(source.counts(), { captured: 5000, dropped: undefined });
    for (const [index, packet] of packets.entries()) {
      assert.equal(
        packet.timestamp,
        1_700_000_000_000_000_000n + BigInt(index),
      );
    }
    const { data, linkType, wireLength, direction, process } = packets[7]!;
    assert.deepEqual(data, SAMPLE.data);
    assert.equal(linkType, 113);
    assert.equal(wireLength, SAMPLE.originalLength);
    assert.notEqual(direction, undefined);
    assert.equal(process, undefined);
    await source.close();
  });
});

Deno.test("FileSource stays where it is through a pause", async () => {
  await withFile(pcap(9000), async (path) => {
    const source = new FileSource(path, "x");
    await source.start();
    const first = await source.read();
    await source.pause();
    await source.start();
    const rest = await readAll(source);
    assert.equal(first!.length + rest.length, 9000);
    await source.close();
  });
});

Deno.test("FileSource can be closed before its end, and unopened", async () => {
  await withFile(pcap(9000), async (path) => {
    const source = new FileSource(path, "x");
    await source.start();
    await source.read();
    await source.close();
    await new FileSource(path, "x").close();
  });
});

Deno.test("FileSource gives everything before the damage", async () => {
  const bytes = pcap(3);
  await withFile(bytes.subarray(0, bytes.length - 1), async (path) => {
    const source = new FileSource(path, "x");
    await source.start();
    assert.equal((await source.read())?.length, 2);
    await assert.rejects(source.read(), CaptureFormatError);
    await source.close();
  });
});

Deno.test("FileSource says why a file cannot be opened", async () => {
  const cases: [string, string, RegExp][] = [
    ["/nowhere/x.pcap", "not-found", /"URI": there is no such file$/],
    ["/tmp", "io", /^Cannot read "URI": .*directory/],
  ];
  for (const [path, code, message] of cases) {
    await assert.rejects(new FileSource(path, "URI").start(), (error) => {
      assert(error instanceof TraceError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  }
  for (const text of ["", "no capture file, just text"]) {
    await withFile(new TextEncoder().encode(text), async (path) => {
      await assert.rejects(
        new FileSource(path, "x").start(),
        CaptureFormatError,
      );
    });
  }
});
