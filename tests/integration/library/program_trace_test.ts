import assert from "node:assert/strict";
import {
  openTrace,
  type TraceOptions,
} from "../../../lib/session/trace/open_trace.ts";
import type { Packet } from "../../../lib/session/trace/packet.ts";
import type { Trace } from "../../../lib/session/trace/trace.ts";
import {
  CaptureError,
  type TrackerChoice,
} from "../../../lib/session/types.ts";
import { Child, until } from "../../support/processes.ts";
import { freePort } from "../../support/servers.ts";
import { libraryTest, numbersOf, range, sendingScript } from "./support.ts";

const TRACKERS: readonly TrackerChoice[] = ["auto", "ptrace"];

/** Opens a trace of a Python program that the trace starts. */
function openPython(script: string, options: TraceOptions = {}): Trace {
  return openTrace(["cmd:/usr/bin/python3", "-c", script], options);
}

async function all(trace: Trace): Promise<Packet[]> {
  const packets = [];
  for await (const packet of trace) packets.push(packet);
  return packets;
}

/** Waits for the end of a trace's command without reading any packet. */
function commandEnded(trace: Trace): Promise<true> {
  return until(
    () => trace.exit === undefined ? undefined : true,
    "the command to end",
  );
}

for (const tracker of TRACKERS) {
  libraryTest(
    `cmd: gives all packets with their process (${tracker})`,
    async () => {
      const port = freePort();
      const trace = openPython(
        `${sendingScript(50, port)}raise SystemExit(7)`,
        {
          tracker,
        },
      );
      assert.equal(trace.exit, undefined);
      const packets = await all(trace);
      assert.deepEqual(numbersOf(packets), range(50));
      for (const packet of packets) {
        assert.equal(packet.linkType, 113);
        assert.equal(packet.interface, "lo");
        assert.equal(packet.direction, "out");
        assert.equal(packet.udp?.destinationPort, port);
        const { pid, tid, comm, args } = packet.process!;
        assert.equal(comm, "python3");
        assert.equal(tid, pid);
        assert.match(args!, /^\/usr\/bin\/python3 -c \nimport socket/);
      }
      assert.equal(new Set(packets.map(({ process }) => process)).size, 1);
      assert.deepEqual(trace.exit, { kind: "exited", code: 7 });
      assert.deepEqual(trace.stats(), {
        accepted: 50,
        filtered: 0,
        received: 50,
        dropped: 0,
        captured: 50,
      });
    },
  );

  libraryTest(
    `pid: gives packets of a running process (${tracker})`,
    async () => {
      const port = freePort();
      await using child = new Child([
        "/usr/bin/python3",
        "-uc",
        `print("ready"); input()${
          sendingScript(20, port)
        }print("sent"); input()`,
      ], { stdin: "piped" });
      await child.seen("stdout", /ready/);
      const trace = openTrace(`pid:${child.pid}`, { tracker });
      await trace.start();
      await child.writeLine();
      const packets: Packet[] = [];
      for await (const packet of trace) {
        packets.push(packet);
        if (packets.length === 20) break;
      }
      assert.deepEqual(numbersOf(packets), range(20));
      assert.equal(packets[0]!.process?.pid, child.pid);
      assert.equal(trace.exit, undefined);
      await child.seen("stdout", /sent/);
      await child.writeLine();
      assert.equal((await child.ended()).code, 0, "it goes on after the trace");
    },
  );

  libraryTest(
    `cmd: is told to end when the loop is left (${tracker})`,
    async () => {
      const script = `${sendingScript(1, freePort())}
import time
time.sleep(1000)`;
      const trace = openPython(script, { tracker });
      let pid = 0;
      for await (const { process } of trace) {
        pid = process!.pid;
        break;
      }
      assert.deepEqual(trace.exit, { kind: "signaled", signal: 15 });
      assert.throws(() => Deno.statSync(`/proc/${pid}`), Deno.errors.NotFound);
    },
  );
}

libraryTest("cmd: applies filter and snapshot length", async () => {
  const [one, other] = [freePort(), freePort() + 2000];
  const script = sendingScript(3, one) + sendingScript(4, other);
  const trace = openPython(script, {
    filter: `comm python3 and proc out and port ${other}`,
    snaplen: 44,
  });
  const packets = await all(trace);
  assert.deepEqual(packets.map(({ udp }) => udp?.destinationPort), [
    other,
    other,
    other,
    other,
  ]);
  assert(packets.every(({ captureLength }) => captureLength === 44));
  assert.equal(trace.stats().filtered, 3);
});

libraryTest(
  "cmd: never waits for a slow reader, and counts losses",
  async () => {
    const count = 10_000;
    const trace = openPython(sendingScript(count, freePort(), 1000), {
      bufferSize: 1,
    });
    await trace.start();
    await commandEnded(trace);
    const stats = trace.stats();
    assert.equal(stats.received, count);
    assert.ok(stats.dropped! > count / 2, `${stats.dropped}`);
    assert.equal(stats.accepted, 0);
    const numbers = numbersOf(await all(trace));
    assert.equal(numbers.length, count - stats.dropped!);
    assert.deepEqual(numbers, numbers.toSorted((one, two) => one - two));
    assert.deepEqual(trace.stats(), { ...stats, accepted: numbers.length });
  },
);

libraryTest("cmd: captures nothing during a pause", async () => {
  const port = freePort();
  const folder = await Deno.makeTempDir();
  const told = `signal.sigwait([signal.SIGUSR1])`;
  const trace = openPython(`
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
${sendingScript(2, port)}
${told}
${sendingScript(3, port)}
open("${folder}/sent", "w")
${told}
${sendingScript(4, port)}`);
  await trace.start();
  const packets = [await trace.read(), await trace.read()];
  const { pid } = packets[0]!.process!;
  await trace.pause();
  Deno.kill(pid, "SIGUSR1");
  await until(
    () => Deno.stat(`${folder}/sent`).catch(() => undefined),
    "datagrams that nobody sees",
  );
  await trace.start();
  Deno.kill(pid, "SIGUSR1");
  assert.deepEqual(numbersOf(await all(trace)), range(4));
  await Deno.remove(folder, { recursive: true });
});

libraryTest("cmd: is ended when it does not end by itself", async () => {
  const trace = openPython(`
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
${sendingScript(1, freePort())}
time.sleep(1000)`);
  await trace.start();
  await trace.read();
  await trace.close();
  assert.deepEqual(trace.exit, { kind: "signaled", signal: 9 });
});

libraryTest("cmd: takes traced processes in the background along", async () => {
  // They outlive the command, and would have the tracer stay.
  const script = "sleep 1000 & echo -n $! > /dev/udp/127.0.0.1/9; sleep 1000";
  const trace = openTrace(["cmd:bash", "-c", script], { tracker: "ptrace" });
  await trace.start();
  const packet = await trace.read();
  const pid = new TextDecoder().decode(packet!.payload);
  await trace.close();
  await until(
    () => statusOf(pid) === undefined ? true : undefined,
    `the end of ${pid}`,
  );
});

/** State of a process that runs. */
function statusOf(pid: string): string | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/status`);
    return /State:\t[^ZX]/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}

libraryTest("cmd: and pid: say what is wrong", async () => {
  const cases: [string, string][] = [
    ["cmd:/nowhere/program", "not-found"],
    ["cmd:/etc/passwd", "not-executable"],
    ["pid:4194304", "no-process"],
    ["pid:2", "kernel-thread"],
  ];
  for (const [uri, code] of cases) {
    const trace = openTrace(uri);
    await assert.rejects(
      trace.start(),
      (error) => error instanceof CaptureError && error.code === code,
      uri,
    );
    assert.equal(trace.state, "created");
    await trace.close();
  }
}, "kernel thread 2");

libraryTest("cmd: ends with its signal", async () => {
  const controller = new AbortController();
  const trace = openPython("import time; time.sleep(1000)", {
    signal: controller.signal,
  });
  await trace.start();
  const read = trace.read();
  controller.abort(new Error("enough"));
  await assert.rejects(read, /enough/);
  await trace.close();
  assert.deepEqual(trace.exit, { kind: "signaled", signal: 15 });
});
