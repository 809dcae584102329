import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { run } from "../../../../../lib/cli/run.ts";
import {
  encodeInterface,
  encodePacket,
  encodeSectionHeader,
} from "../../../../../lib/pcap/pcapng/encode.ts";
import {
  encodeFileHeader,
  encodeRecord,
} from "../../../../../lib/pcap/writer.ts";
import { SAMPLES } from "../../packet/samples.ts";
import { readRecords } from "../../pcap/chunked.ts";
import { concat } from "../../pcap/pcapng/sample_blocks.ts";
import { FakeEngine, FakeHost, type FakeHostOptions } from "../fake_host.ts";

const START = 1_700_000_000_000_000_000n;
const { data } = SAMPLES.sllSyn;

function pcap(times: readonly number[], linkType = 113): Uint8Array {
  const options = { linkType, snaplen: 262_144, nanoseconds: false };
  return concat([
    encodeFileHeader(options),
    ...times.map((time) =>
      encodeRecord({
        timestamp: START + BigInt(time) * 1_000_000_000n,
        originalLength: data.length,
        data,
      }, options)
    ),
  ]);
}

function pcapng(times: readonly number[], name = "lo"): Uint8Array {
  return concat([
    encodeSectionHeader({}),
    encodeInterface({ linkType: 113, snaplen: 262_144, name }),
    ...times.map((time) =>
      encodePacket({
        interface: 0,
        time: START + BigInt(time) * 1_000_000_000n,
        originalLength: data.length,
        data,
        direction: "in",
        process: { pid: 42 + time, tid: 0 },
      })
    ),
  ]);
}

interface Result {
  readonly host: FakeHost;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function read(
  args: readonly string[],
  captures: Readonly<Record<string, Uint8Array>>,
  options: FakeHostOptions & { prepare?: (host: FakeHost) => void } = {},
): Promise<Result> {
  const host = new FakeHost(["read", ...args], { ...options, captures });
  options.prepare?.(host);
  const outcome = await run(host, new FakeEngine().startCapture);
  assert.equal(outcome.kind, "code");
  assert.deepEqual([...host.files.opened], [], "files are closed");
  const { stdout, stderr } = host.written;
  return { host, code: outcome.code, stdout, stderr };
}

/** Seconds of the packets of a file that was written. */
async function times(host: FakeHost, path: string): Promise<number[]> {
  const { records, error } = await readRecords(host.files.written.get(path)!);
  assert.equal(error, undefined);
  return records.map(({ seconds }) => seconds - 1_700_000_000);
}

Deno.test("read -o copies a file byte for byte", async () => {
  for (
    const [name, file] of [
      ["a.pcap", pcap([0, 1, 2])],
      ["a.pcapng", pcapng([0, 1, 2])],
    ] as const
  ) {
    const { host, code, stdout, stderr } = await read(
      ["-o", `copy-of-${name}`, name],
      { [name]: file },
    );
    assert.equal(code, 0);
    assert.equal(stdout, "");
    assert.equal(stderr, `tracedump: 3 packets written to copy-of-${name}\n`);
    assert.deepEqual(host.files.written.get(`copy-of-${name}`), file);
  }
});

Deno.test("read -o takes the format from option, ending or first file", async () => {
  const captures = { "a.pcap": pcap([0]), "a.pcapng": pcapng([0]) };
  for (
    const [args, format] of [
      [["-o", "x.pcapng", "a.pcap"], "pcapng"],
      [["-o", "x.NTAR", "a.pcap"], "pcapng"],
      [["-o", "x.cap", "a.pcapng"], "pcap"],
      [["-o", "x", "a.pcapng"], "pcapng"],
      [["-o", "x", "a.pcap", "a.pcapng"], "pcap"],
      [["-o", "x.pcap", "--format", "pcapng", "a.pcap"], "pcapng"],
    ] as const
  ) {
    const { host, code } = await read(args, captures);
    assert.equal(code, 0, args.join(" "));
    const written = host.files.written.get(args[1])!;
    assert.equal(written[0] === 0x0a, format === "pcapng", args.join(" "));
    assert((await times(host, args[1])).length > 0);
  }
});

Deno.test("read -o - writes to standard output", async () => {
  const { host, stdout, stderr } = await read(
    ["-o", "-", "--format", "pcapng", "-"],
    { "-": pcap([5]) },
  );
  assert.notEqual(stdout, "");
  assert.equal(stderr, "tracedump: 1 packet written to standard output\n");
  assert.deepEqual(await times(host, "-"), [5]);
});

Deno.test("read -o merges files by time", async () => {
  const captures = {
    "a.pcap": pcap([1, 4, 5]),
    "b.pcapng.gz": new Uint8Array(gzipSync(pcapng([0, 2, 9]))),
    "-": pcapng([3], "eth0"),
  };
  const { host, code } = await read(
    ["-o", "x.pcapng", "a.pcap", "b.pcapng.gz", "-"],
    captures,
  );
  assert.equal(code, 0);
  assert.deepEqual(await times(host, "x.pcapng"), [0, 1, 2, 3, 4, 5, 9]);
});

Deno.test("read -o keeps only what matches", async () => {
  const { host } = await read(
    ["-o", "x.pcapng", "-c", "2", "a.pcapng", "pid", "43", "or", "pid", "44"],
    { "a.pcapng": pcapng([0, 1, 2, 1]) },
  );
  assert.deepEqual(await times(host, "x.pcapng"), [1, 2]);
});

Deno.test("read --nano writes nanoseconds into pcap", async () => {
  const { host } = await read(["--nano", "-o", "x.pcap", "a.pcap"], {
    "a.pcap": pcap([7]),
  });
  assert.equal(host.files.written.get("x.pcap")![0], 0x4d);
  assert.deepEqual(await times(host, "x.pcap"), [7]);
});

Deno.test("read refuses to mix link types in pcap", async () => {
  const { code, stderr, host } = await read(["-o", "x.pcap", "a", "b"], {
    a: pcap([1]),
    b: pcap([2], 1),
  });
  assert.equal(code, 1);
  assert(!host.files.written.has("x.pcap"));
  assert.equal(
    stderr,
    "tracedump: Cannot write one pcap file: it has one link type, but there " +
      "are packets of LINUX_SLL and ETHERNET\n" +
      "tracedump: hint: Write pcapng: --format pcapng\n",
  );
});

Deno.test("read tells that it cannot write", async () => {
  const { code, stderr } = await read(["-o", "x.pcap", "a"], {
    a: pcap([1]),
  }, {
    prepare: ({ files }) => {
      files.failure = "Cannot write x.pcap: no space left on device";
    },
  });
  assert.equal(code, 1);
  assert.equal(
    stderr,
    "tracedump: Cannot write x.pcap: no space left on device\n",
  );
});

Deno.test("read stops when nobody reads any more", async () => {
  const many = Array.from({ length: 5000 }, (_, i) => i);
  const { code, stderr, host } = await read(["-n", "a"], { a: pcap(many) }, {
    prepare: ({ files }) => {
      files.writes = 2;
    },
  });
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert(host.files.writes > -5, String(host.files.writes));
});

Deno.test("read -c stops reading", async () => {
  const { stdout, code } = await read(["-n", "-c", "2", "a"], {
    // What is damaged behind is not looked at.
    a: concat([pcap([1, 2, 3]), new Uint8Array(2000).fill(0xff)]),
  });
  assert.equal(stdout.split("\n").length, 3);
  assert.equal(code, 0);
});

Deno.test("read --count heeds -c", async () => {
  const { stdout } = await read(["--count", "-c", "2", "a"], {
    a: pcap([1, 2, 3]),
  });
  assert.equal(stdout, "2 packets\n");
  assert.equal(
    (await read(["--count", "a"], { a: pcap([1]) })).stdout,
    "1 packet\n",
  );
});

Deno.test("read prints in color on a terminal only", async () => {
  const captures = { a: pcap([1]) };
  const onTerminal = { stdoutTerminal: true };
  const escape = "\x1b[";
  const colored = async (
    args: readonly string[],
    options: FakeHostOptions,
  ): Promise<boolean> =>
    (await read([...args, "a"], captures, options)).stdout.includes(escape);
  assert.equal(await colored([], onTerminal), true);
  assert.equal(await colored([], {}), false);
  assert.equal(await colored(["--color", "never"], onTerminal), false);
  assert.equal(await colored(["--color", "always"], {}), true);
  const environment = { NO_COLOR: "1" };
  assert.equal(await colored([], { ...onTerminal, environment }), false);
});

Deno.test("read names ports and hosts unless -n is given", async () => {
  const files = { "/etc/services": "# comment\ntcpmux\t1/tcp\t# one\n" };
  const captures = { a: pcap([1]) };
  const named = await read(["a"], captures, { files });
  assert.match(named.stdout, /127\.0\.0\.1\.tcpmux: /);
  const numeric = await read(["-n", "a"], captures, { files });
  assert.match(numeric.stdout, /127\.0\.0\.1\.1: /);
});

Deno.test("read reads the expression from a file", async () => {
  const captures = { a: pcapng([0, 1]) };
  const files = { filter: "pid 42\nand tcp\n" };
  const { stdout } = await read(["--count", "-F", "filter", "a"], captures, {
    files,
  });
  assert.equal(stdout, "1 packet\n");
  const missing = await read(["-F", "nothing", "a"], captures);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /^tracedump: Cannot read filter file nothing/);
});

Deno.test("read takes words after the first that are files for files", async () => {
  const captures = { a: pcap([1]), tcp: pcap([2, 3]) };
  assert.equal(
    (await read(["--count", "a", "tcp"], captures)).stdout,
    "3 packets\n",
  );
  assert.equal(
    (await read(["--count", "a", "--", "tcp"], captures)).stdout,
    "1 packet\n",
  );
  const twice = await read(["-", "-"], { "-": pcap([1]) });
  assert.equal(twice.stderr, "tracedump: Cannot read standard input twice\n");
  assert.equal(twice.code, 2);
});
