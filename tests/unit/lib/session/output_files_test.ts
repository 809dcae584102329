import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import {
  isRotated,
  numbered,
  OutputFiles,
} from "../../../../lib/session/output_files.ts";

/** 2026-11-26 12:00:00 UTC. */
const NOON = 1_795_694_400;

Deno.test("numbered() keeps the folder and the ending", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["dump.pcap", "dump-7.pcap"],
    ["dump", "dump-7"],
    ["/tmp/a.b/dump.pcapng.gz", "/tmp/a.b/dump-7.pcapng.gz"],
    ["/tmp/a.b/dump", "/tmp/a.b/dump-7"],
    [".hidden", ".hidden-7"],
  ];
  for (const [path, expected] of cases) {
    assert.equal(numbered(path, "7"), expected);
  }
});

Deno.test("isRotated() tells whether there is more than one file", () => {
  assert.equal(isRotated({}), false);
  assert.equal(isRotated({ files: 3 }), false);
  assert.equal(isRotated({ size: 1 }), true);
  assert.equal(isRotated({ seconds: 1 }), true);
});

Deno.test("OutputFiles numbers files and lets the oldest go", () => {
  const files = new OutputFiles("a.pcap", { size: 100, files: 2 });
  assert.deepEqual(files.next(NOON), {
    path: "a-00001.pcap",
    outdated: undefined,
  });
  assert.deepEqual(files.next(NOON), {
    path: "a-00002.pcap",
    outdated: undefined,
  });
  assert.deepEqual(files.next(NOON), {
    path: "a-00003.pcap",
    outdated: "a-00001.pcap",
  });
  assert.deepEqual(files.kept, ["a-00002.pcap", "a-00003.pcap"]);
});

Deno.test("OutputFiles.isFull() looks at the size", () => {
  const files = new OutputFiles("a.pcap", { size: 100 });
  files.next(NOON);
  assert.equal(files.isFull(100, NOON + 1e6), false);
  assert.equal(files.isFull(101, NOON), true);
});

Deno.test("OutputFiles.isFull() counts time from the first file on", () => {
  const files = new OutputFiles("a.pcap", { seconds: 10 });
  files.next(NOON + 3);
  assert.equal(files.isFull(1e9, NOON + 12.9), false);
  assert.equal(files.isFull(0, NOON + 13), true);
  // Nothing happened for some time: no drift, and no empty files.
  files.next(NOON + 37);
  assert.equal(files.isFull(0, NOON + 42), false);
  assert.equal(files.isFull(0, NOON + 43), true);
  // The clock was set back.
  assert.equal(files.isFull(0, NOON), false);
});

Deno.test("OutputFiles writes the time into names, each only once", () => {
  const files = new OutputFiles("%Y/d-%%-%S.pcap", { size: 1 });
  assert.equal(files.next(NOON).path, "2026/d-%-00.pcap");
  assert.equal(files.next(NOON).path, "2026/d-%-00-2.pcap");
  assert.equal(files.next(NOON).path, "2026/d-%-00-3.pcap");
  assert.equal(files.next(NOON + 1).path, "2026/d-%-01.pcap");
});
