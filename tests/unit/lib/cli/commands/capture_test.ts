import assert from "node:assert/strict";
import { run } from "../../../../../lib/cli/run.ts";
import { Packet } from "../../../../../lib/session/trace/packet.ts";
import { CaptureError } from "../../../../../lib/session/types.ts";
import {
  FakeEngine,
  FakeHost,
  type FakeHostOptions,
  settle,
} from "../fake_host.ts";

const OK = { kind: "code", code: 0 };
const TOTALS = "tracedump: 1,234 packets (1.2 MB) of 5 sockets written to " +
  "dump.pcap, 0 dropped by kernel\n";

interface Started {
  readonly host: FakeHost;
  readonly engine: FakeEngine;
  readonly outcome: ReturnType<typeof run>;
}

/** Runs a command line until the capture is running. */
async function start(
  line: string,
  options: FakeHostOptions = {},
): Promise<Started> {
  const host = new FakeHost(line.split(" "), options);
  const engine = new FakeEngine();
  const outcome = run(host, engine.startCapture);
  await engine.started;
  await settle();
  return { host, engine, outcome };
}

Deno.test("capture passes defaults to the engine", async () => {
  const { engine, outcome } = await start("42 43 42");
  assert.deepEqual(engine.options, {
    target: { kind: "processes", pids: [42, 43] },
    output: "dump.pcap",
    snaplen: 0,
    nanoseconds: false,
    format: "pcap",
    interfaces: [],
    follow: true,
    bufferSize: 16,
    linger: 2000,
    tracker: "auto",
    icmp: false,
    kernelFilter: "auto",
    debug: 0,
  });
  engine.end();
  assert.deepEqual(await outcome, OK);
});

Deno.test("capture prints packets as they come", async () => {
  const { host, engine, outcome } = await start("--print -tt 42");
  assert.equal(engine.options!.output, undefined);
  assert.equal(engine.options!.outputToStderr, true);
  const data = new Uint8Array(28);
  data.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1]);
  data.set([127, 0, 0, 1, 0x30, 0x39, 0x03, 0xe7, 0, 8], 16);
  const packet = new Packet({
    timestamp: 1_700_000_000_123_456_789n,
    linkType: 101,
    data,
    interface: "lo",
    direction: "out",
    process: { pid: 42, comm: "dig" },
  });
  engine.observer.packets!([packet, packet]);
  const line = "1700000000.123456 lo    Out dig.42 " +
    "IP 127.0.0.1.12345 > 127.0.0.1.999: UDP, length 0\n";
  assert.equal(host.written.stdout, line + line);
  engine.end({ missed: 3 });
  assert.deepEqual(await outcome, OK);
  assert.match(
    host.written.stderr,
    /^tracedump: 1,234 packets \(1\.2 MB\) of 5 sockets, 0 dropped/m,
  );
  assert.match(
    host.written.stderr,
    /^tracedump: warning: 3 packets could not be printed in time$/m,
  );
});

Deno.test("capture passes every option to the engine", async () => {
  const { engine, outcome } = await start(
    "-w a.pcapng -s 64 --comments all --process-blocks --tls-keys -C 10 " +
      "-G 10m -W 3 --max-size 1G --min-free 500M -U -c 10 --duration 1m -i lo -i eth0 -i lo --no-follow " +
      "-u alice -q --nano -B 64 --linger 0 " +
      "--tracker ptrace --kernel-filter classic --icmp -f udp -V -- curl -s http://localhost/",
  );
  assert.deepEqual(engine.options, {
    target: {
      kind: "command",
      command: "curl",
      args: ["-s", "http://localhost/"],
      user: "alice",
      ignoredSignals: [],
    },
    output: "a.pcapng",
    snaplen: 64,
    nanoseconds: true,
    format: "pcapng",
    comments: "all",
    processBlocks: true,
    tlsKeys: true,
    rotation: { size: 1e7, seconds: 600, files: 3 },
    maxSize: 1e9,
    minFree: 5e8,
    unbuffered: true,
    count: 10,
    duration: 60_000,
    filter: "udp",
    interfaces: ["lo", "eth0"],
    follow: false,
    bufferSize: 64,
    linger: 0,
    tracker: "ptrace",
    icmp: true,
    kernelFilter: "classic",
    debug: 5,
  });
  engine.end();
  await outcome;
});

Deno.test("capture prints totals, peers and the drop warning", async () => {
  const { host, engine, outcome } = await start("42");
  engine.end({
    drops: 3,
    processes: [{
      pid: 42,
      comm: "curl",
      flows: 1,
      peers: [{
        protocol: "tcp",
        address: "192.0.2.1",
        port: 80,
        direction: "outgoing",
        packetsSent: 1,
        packetsReceived: 1,
        bytesSent: 60,
        bytesReceived: 40,
        duration: 5,
        flows: 1,
        failed: 1,
      }],
    }],
  });
  assert.deepEqual(await outcome, OK);
  assert.equal(
    host.written.stderr,
    `${TOTALS.replace(", 0 dropped", ", 3 dropped")}curl (42), 1 flow:
  peer              sent  received  time  failed
  tcp 192.0.2.1:80  60 B      40 B  5 ms     1/1
tracedump: warning: The kernel dropped packets because its buffer was full; give it more room with -B 64
`,
  );
  assert.equal(host.written.stdout, "");
});

Deno.test("capture never advises a larger buffer than it takes", async () => {
  const { host, engine, outcome } = await start("-q -B 1024 42");
  engine.end({ drops: 3 });
  await outcome;
  assert.equal(host.written.stderr, "");
  const loud = await start("-B 512 42");
  loud.engine.end({ drops: 3 });
  await loud.outcome;
  assert.match(loud.host.written.stderr, /with -B 1024\n$/);
});

Deno.test("capture shows notices while it runs", async () => {
  const { host, engine, outcome } = await start("--debug 2 42");
  engine.observer.notice?.({ severity: "warning", text: "careful" });
  engine.observer.notice?.({ severity: "debug", level: 2, text: "two" });
  engine.observer.notice?.({ severity: "debug", level: 3, text: "three" });
  engine.end();
  await outcome;
  assert.equal(
    host.written.stderr,
    `tracedump: warning: careful\ntracedump: debug: two\n${TOTALS}`,
  );
});

Deno.test("capture reports why it cannot begin", async () => {
  const cases = [["permission", 1], ["not-found", 127], [
    "not-executable",
    126,
  ]] as const;
  for (const [code, status] of cases) {
    const host = new FakeHost(["--", "x"]);
    const outcome = await run(
      host,
      () =>
        Promise.reject(new CaptureError(code, "Cannot", { hint: "Do this" })),
    );
    assert.deepEqual(outcome, { kind: "code", code: status });
    assert.equal(
      host.written.stderr,
      "tracedump: Cannot\ntracedump: hint: Do this\n",
    );
    assert.deepEqual(host.listening, []);
  }
});

Deno.test("capture reports why it broke off, after the summary", async () => {
  const { host, engine, outcome } = await start("42");
  engine.end({
    reason: "failed",
    error: new CaptureError("output", "Cannot write dump.pcap: disk full"),
  });
  assert.deepEqual(await outcome, { kind: "code", code: 1 });
  assert.equal(
    host.written.stderr,
    `${TOTALS}tracedump: Cannot write dump.pcap: disk full\n`,
  );
});

Deno.test("capture ends like the command ended", async () => {
  const first = await start("-- x");
  first.engine.end({ exit: { kind: "exited", code: 3 } });
  assert.deepEqual(await first.outcome, { kind: "code", code: 3 });
  const second = await start("-- x");
  second.engine.end({ exit: { kind: "signaled", signal: 9 } });
  assert.deepEqual(await second.outcome, { kind: "signal", signal: 9 });
});

Deno.test("capture of processes stops at the first signal", async () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const { host, engine, outcome } = await start("42");
    assert.deepEqual(host.listening, ["SIGHUP", "SIGINT", "SIGTERM"]);
    host.raise(signal);
    assert.equal(engine.stops, 1);
    engine.end({ reason: "stopped" });
    assert.deepEqual(await outcome, OK);
    assert.deepEqual(host.listening, []);
  }
});

Deno.test("capture of processes ends at once at the second signal", async () => {
  const { host, engine, outcome } = await start("42");
  host.raise("SIGINT");
  host.raise("SIGTERM");
  assert.deepEqual(await outcome, { kind: "signal", signal: 15 });
  assert.equal(engine.stops, 1);
});

Deno.test("capture of processes stops when a signal came before it began", async () => {
  const host = new FakeHost(["42"]);
  const engine = new FakeEngine({ held: true });
  const outcome = run(host, engine.startCapture);
  await engine.started;
  host.raise("SIGINT");
  assert.equal(engine.stops, 0);
  engine.begin();
  await settle();
  assert.equal(engine.stops, 1);
  engine.end({ reason: "stopped" });
  assert.deepEqual(await outcome, OK);
});

Deno.test("capture of a command passes signals on, early ones too", async () => {
  const host = new FakeHost(["--", "x"]);
  const engine = new FakeEngine({ held: true });
  const outcome = run(host, engine.startCapture);
  await engine.started;
  host.raise("SIGHUP");
  engine.begin();
  await settle();
  assert.deepEqual(engine.forwarded, [1]);
  for (
    const name of [
      "SIGINT",
      "SIGQUIT",
      "SIGTERM",
      "SIGUSR1",
      "SIGUSR2",
      "SIGTSTP",
      "SIGTTIN",
      "SIGTTOU",
    ] as const
  ) host.raise(name);
  assert.deepEqual(engine.forwarded, [1, 2, 3, 15, 10, 12]);
  assert.equal(engine.stops, 0);
  engine.end({ exit: { kind: "exited", code: 0 } });
  assert.deepEqual(await outcome, OK);
  assert.deepEqual(host.listening, []);
});

Deno.test("capture of a command stops together with it", async () => {
  const { host, engine, outcome } = await start("-- x", {
    stderrTerminal: true,
  });
  host.tick();
  host.written.stderr = "";
  engine.observer.suspended?.(20);
  assert.equal(host.suspensions, 1);
  assert.equal(host.written.stderr, "\r\x1b[K");
  engine.end();
  await outcome;
});

Deno.test("capture leaves ignored signals without effect", async () => {
  const { host, engine, outcome } = await start("-- x", {
    ignored: ["SIGHUP", "SIGQUIT", "SIGTSTP"],
  });
  assert.ok(!host.listening.includes("SIGQUIT"));
  assert.ok(!host.listening.includes("SIGTSTP"));
  // Newer runtimes would end at a SIGHUP that nobody listens to.
  host.raise("SIGHUP");
  assert.deepEqual(engine.forwarded, []);
  engine.end();
  await outcome;
  assert.deepEqual(host.listening, []);
});

Deno.test("capture shows a status line only where it disturbs nothing", async () => {
  const terminal = { stderrTerminal: true };
  const cases: [string, FakeHostOptions, boolean][] = [
    ["42", terminal, true],
    ["42", { ...terminal, stdoutTerminal: true }, true],
    ["-q 42", terminal, false],
    ["42", {}, false],
    ["-- x", terminal, true],
    ["-- x", { ...terminal, stdoutTerminal: true }, false],
  ];
  for (const [line, options, expected] of cases) {
    const { host, engine, outcome } = await start(line, options);
    host.tick();
    assert.equal(host.timers, expected ? 1 : 0);
    assert.equal(host.written.stderr.includes("1:01"), expected, line);
    host.written.stderr = "";
    engine.end();
    await outcome;
    assert.equal(host.timers, 0);
    assert.equal(host.written.stderr.startsWith("\r\x1b[K"), expected, line);
  }
});

Deno.test("capture reports bugs with their stack", async () => {
  const host = new FakeHost(["42"]);
  const outcome = await run(host, () => Promise.reject(new TypeError("Oops")));
  assert.deepEqual(outcome, { kind: "code", code: 1 });
  assert.match(
    host.written.stderr,
    /^tracedump: Internal error: TypeError: Oops\n {4}at /,
  );
});
