/**
 * `tracedump read` as a process of its own, beside tcpdump and the tools of
 * Wireshark. Tests of programs that are not installed are skipped.
 */
import assert from "node:assert/strict";
import { judge } from "../support/judge.ts";
import { TOOL } from "../support/tool.ts";

const DATA = new URL("../golden/data/", import.meta.url).pathname;
const ETHERNET = `${DATA}filter_linktype_1.pcap`;
const COOKED = `${DATA}filter_linktype_113.pcap`;
const PROCESSES = `${DATA}processes.pcapng`;
const CUT = `${DATA}cut.pcapng`;
const ENVIRONMENT = { TZ: "UTC", LC_ALL: "C" };

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly bytes: Uint8Array;
  readonly stderr: string;
}

/** Runs a program to its end. */
async function run(
  [program, ...args]: readonly string[],
  input?: Uint8Array,
): Promise<Output> {
  const child = new Deno.Command(program!, {
    args,
    env: ENVIRONMENT,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ended = child.output();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(input);
    await writer.close();
  }
  const { code, stdout, stderr } = await ended;
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    bytes: stdout,
    stderr: decoder.decode(stderr),
  };
}

function read(...args: string[]): Promise<Output> {
  return run([...TOOL, "read", ...args]);
}

async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What tshark says of every packet of a file. */
async function facts(path: string): Promise<string> {
  const fields = ["frame.time_epoch", "frame.len", "frame.cap_len"];
  const { stdout, stderr } = await run([
    ...["tshark", "-n", "-r", path, "-T", "fields"],
    ...fields.flatMap((field) => ["-e", field]),
    ...["-e", "frame.interface_name", "-e", "frame.comment", "-e", "ip.id"],
  ]);
  assert.doesNotMatch(stderr, /damaged|corrupt|cut short|invalid/i);
  // That is how tshark names an interface of pcapng that has no name.
  return stdout.replaceAll("\tunknown\t", "\t\t");
}

judge("tcpdump", "read --count counts what tcpdump counts", async () => {
  for (const path of [ETHERNET, COOKED]) {
    for (
      const expression of ["", "tcp port 80", "not udp and len > 90"]
    ) {
      const { stdout, code } = await read("--count", path, "--", expression);
      const judged = await run(["tcpdump", "-r", path, "--count", expression]);
      assert.equal(code, 0);
      assert.equal(stdout, judged.stdout, `${path}: ${expression}`);
    }
  }
});

judge("tshark", "read -o converts files that tools read alike", async () => {
  await withFolder(async (folder) => {
    for (const path of [ETHERNET, PROCESSES]) {
      const there = `${folder}/there.pcapng`;
      const back = `${folder}/back.pcap`;
      assert.equal((await read("-o", there, path)).code, 0);
      assert.equal((await read("-o", back, there)).code, 0);
      assert.equal(await facts(there), await facts(path));
      if (path === PROCESSES) {
        assert.deepEqual(Deno.readFileSync(there), Deno.readFileSync(path));
      } else assert.deepEqual(Deno.readFileSync(back), Deno.readFileSync(path));
      const { stdout, stderr } = await run(["tcpdump", "-n", "-r", there]);
      assert.doesNotMatch(stderr, /warning|truncated|error/);
      assert.equal(
        stdout,
        (await run(["tcpdump", "-n", "-r", path])).stdout,
      );
    }
  });
});

judge("mergecap", "read -o merges like mergecap", async () => {
  await withFolder(async (folder) => {
    const sources = [ETHERNET, COOKED, PROCESSES];
    const ours = `${folder}/ours.pcapng`;
    const theirs = `${folder}/theirs.pcapng`;
    const { code, stderr } = await read("-o", ours, ...sources);
    assert.equal(code, 0, stderr);
    const judged = await run(["mergecap", "-w", theirs, ...sources]);
    assert.equal(judged.code, 0, judged.stderr);
    // Packets of the same time may stand in another order.
    const sorted = async (path: string): Promise<string[]> =>
      (await facts(path)).split("\n").sort();
    assert.deepEqual(await sorted(ours), await sorted(theirs));
  });
});

judge("editcap", "read takes files that editcap makes", async () => {
  await withFolder(async (folder) => {
    const expected = (await read("--count", ETHERNET)).stdout;
    for (const format of ["pcapng", "nsecpcap", "modpcap"]) {
      const path = `${folder}/${format}`;
      const made = await run(["editcap", "-F", format, ETHERNET, path]);
      assert.equal(made.code, 0, made.stderr);
      const { stdout, stderr } = await read("--count", path);
      assert.equal(stdout, expected, `${format}: ${stderr}`);
    }
  });
});

for (const compressor of ["gzip", "zstd"]) {
  judge(compressor, `read takes files and pipes of ${compressor}`, async () => {
    const plain = await read("-n", COOKED);
    for (const level of ["-1", "-9"]) {
      const { bytes } = await run([compressor, level, "-c", COOKED]);
      const { stdout, code } = await run(
        [...TOOL, "read", "-n", "-"],
        bytes,
      );
      assert.equal(code, 0);
      assert.equal(stdout, plain.stdout);
    }
    const { bytes } = await run([compressor, "-c", COOKED]);
    const cut = bytes.subarray(0, bytes.length - 50);
    const damaged = await run([...TOOL, "read", "-n", "-"], cut);
    assert.equal(damaged.code, 1);
    assert(plain.stdout.startsWith(damaged.stdout));
    assert.match(
      damaged.stderr,
      new RegExp(
        `^tracedump: -: Cannot read ${compressor} data after \\d+ bytes`,
      ),
    );
  });
}

Deno.test("read prints what stands before damage, then one error", async () => {
  const { code, stdout, stderr } = await read("-n", CUT);
  assert.equal(code, 1);
  assert.equal(stdout.trimEnd().split("\n").length, 2);
  assert.match(
    stderr,
    /^tracedump: \S+cut\.pcapng: Cannot read pcapng block at offset \d+: [^\n]+\n$/,
  );
});

Deno.test("read tells why it cannot open a file", async () => {
  await withFolder(async (folder) => {
    const empty = `${folder}/empty.pcap`;
    Deno.writeFileSync(empty, new Uint8Array(0));
    for (
      const [path, reason] of [
        [`${folder}/none.pcap`, "there is no such file"],
        [folder, "it is a folder"],
        [empty, "the file ends after 0 of 24 header bytes"],
      ] as const
    ) {
      const { code, stderr } = await read(path);
      assert.equal(code, 1);
      assert(stderr.endsWith(`: ${reason}\n`), stderr);
    }
    const full = await read("-o", "/dev/full", ETHERNET);
    assert.equal(full.code, 1);
    assert.equal(
      full.stderr,
      "tracedump: Cannot write /dev/full: no space left on device\n",
    );
    const target = `${folder}/nowhere/x.pcap`;
    const nowhere = await read("-o", target, ETHERNET);
    assert.equal(nowhere.code, 1);
    assert.equal(
      nowhere.stderr,
      `tracedump: Cannot write ${target}: there is no such file\n`,
    );
  });
});

Deno.test("read needs neither network, programs nor unsafe code", async () => {
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await run([
    ...[Deno.execPath(), "run", "--no-prompt", "--allow-read", "--allow-env"],
    ...[main, "read", "-n", PROCESSES, "pid", "4242"],
  ]);
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.equal(stdout.trimEnd().split("\n").length, 2);
});

Deno.test("read ends when its output is closed", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/large.pcap`;
    const file = await Deno.readFile(ETHERNET);
    const output = await Deno.open(path, { create: true, write: true });
    output.writeSync(file);
    for (let i = 0; i < 500; i++) output.writeSync(file.subarray(24));
    output.close();
    const [program, ...args] = TOOL;
    const child = new Deno.Command(program!, {
      args: [...args, "read", "-n", path],
      env: ENVIRONMENT,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    assert(value!.length > 0);
    await reader.cancel();
    assert.equal((await child.status).code, 0);
    assert.equal(await new Response(child.stderr).text(), "");
  });
});

Deno.test("read takes no more memory for a longer file", async () => {
  const file = await Deno.readFile(ETHERNET);
  const records = file.subarray(24);
  // Some 15 MB in pieces of as many whole records as make up 1 MB.
  const piece = new Uint8Array(
    records.length * Math.ceil(1_000_000 / records.length),
  );
  for (let at = 0; at < piece.length; at += records.length) {
    piece.set(records, at);
  }
  const [program, ...args] = TOOL;
  const child = new Deno.Command(program!, {
    args: [...args, "read", "--count", "-", "tcp"],
    env: ENVIRONMENT,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const peak = (): number => {
    const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  };
  const writer = child.stdin.getWriter();
  await writer.write(file.subarray(0, 24));
  for (let i = 0; i < 40; i++) await writer.write(piece);
  const early = peak();
  for (let i = 0; i < 200; i++) await writer.write(piece);
  const growth = peak() - early;
  await writer.close();
  const { code } = await child.output();
  assert.equal(code, 0);
  assert(growth < 60_000_000, `${growth} bytes more for 200 MB`);
});
