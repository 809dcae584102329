import { deepEqual, equal, ok } from "node:assert/strict";
import { Fd } from "../../ffi/fd.ts";
import { check } from "../../ffi/errno.ts";
import { libc } from "../../ffi/libc.ts";
import { syscallNumber } from "../../ffi/arch.ts";
import { emptySocketState, readSocketState } from "../../ffi/socket.ts";
import { loadTracker } from "../../lib/trace/ebpf_loader.ts";
import type { EbpfTracker } from "../../lib/trace/ebpf_tracker.ts";
import { Child, until } from "../support/processes.ts";
import {
  ebpfTest,
  programIds,
  Tap,
  type TappedPacket,
  TcpServer,
  UdpSocket,
} from "./ebpf_support.ts";

/** Starts a program to be traced: a script for Deno. */
function runScript(script: string): Child {
  return new Child(
    [Deno.execPath(), "eval", "--unstable-net", script],
    { stdin: "piped" },
  );
}

/** Takes over all sockets that a process has now. */
function seedProcess(tracker: EbpfTracker, pid: number): number {
  const call = (
    name: "pidfd_open" | "pidfd_getfd",
    first: number,
    second: number,
  ): number =>
    libc().syscall(
      BigInt(syscallNumber(name)),
      BigInt(first),
      BigInt(second),
      0n,
      0n,
      0n,
      0n,
    );
  using process = new Fd(check("pidfd_open", call("pidfd_open", pid, 0)));
  let seeded = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    const number = call("pidfd_getfd", process.number, Number(name));
    if (number < 0) continue;
    using fd = new Fd(number);
    const state = emptySocketState();
    if (!readSocketState(fd.number, state)) continue;
    const owner = { tgid: pid, tid: pid, comm: "seeded" };
    if (tracker.seedSocket(fd.number, { ...state, owner })) seeded++;
  }
  return seeded;
}

/** Ports of TCP and UDP packets, and TCP flags. */
function flows(packets: readonly TappedPacket[]): string[] {
  return packets.map(({ bytes }) => {
    const view = new DataView(bytes.buffer);
    const length = bytes[0]! >> 4 === 4 ? (bytes[0]! & 15) * 4 : 40;
    const protocol = bytes[0]! >> 4 === 4 ? bytes[9]! : bytes[6]!;
    const flags = protocol === 6 ? bytes[length + 13]! : 0;
    return `${view.getUint16(length)}>${view.getUint16(length + 2)} ${flags}`;
  });
}

/** A v4-mapped address. */
function mapped(...bytes: number[]): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes);
}

const FIN = 1;
const SYN = 2;

ebpfTest(
  "seedSocket() takes over a connection, a listener, and UDP",
  async () => {
    await using child = runScript(`
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const client = await Deno.connect(listener.addr);
    const server = await listener.accept();
    const udp = Deno.listenDatagram(
      { transport: "udp", hostname: "127.0.0.1", port: 0 });
    console.log(JSON.stringify({ listener: listener.addr.port,
      client: client.localAddr.port, udp: udp.addr.port }));
    for await (const line of Deno.stdin.readable) {
      await client.write(new Uint8Array(10));
      await udp.send(new Uint8Array(10), udp.addr);
      // Made after the listener was seeded, and outlives it.
      const second = await Deno.connect(listener.addr);
      const accepted = await listener.accept();
      listener.close();
      await second.write(new Uint8Array(5));
      await accepted.read(new Uint8Array(5));
      second.close();
      accepted.close();
      client.close();
      server.close();
      console.log("done", second.localAddr.port);
    }`);
    const [line] = await child.seen("stdout", /\{.*\}/);
    const ports: { listener: number; client: number; udp: number } = JSON.parse(
      line,
    );
    using tracker = loadTracker({ variants: ["cg"] });
    using tap = new Tap(tracker.filterProgram);
    tracker.addTarget(child.pid);
    equal(seedProcess(tracker, child.pid), 4);
    equal(seedProcess(tracker, child.pid), 0, "they are known now");
    tracker.filter.open();
    await child.writeLine();
    const [, second] = await child.seen("stdout", /done (\d+)/);
    const seen = flows(tap.drain());
    const { listener, client, udp } = ports;
    ok(seen.includes(`${client}>${listener} 24`), "data of the old connection");
    ok(seen.includes(`${udp}>${udp} 0`), "datagram of the old socket");
    ok(seen.includes(`${second}>${listener} ${SYN}`), "new connection");
    ok(
      seen.some((flow) =>
        flow.startsWith(`${listener}>${second}`) &&
        Number(flow.split(" ")[1]) & FIN
      ),
      "end of an accepted connection after its listener",
    );
    const ours = new Set([listener, client, udp, Number(second)]);
    for (const flow of seen) {
      const [from, to] = flow.split(/[> ]/).map(Number);
      ok(ours.has(from!) && ours.has(to!), `foreign packet ${flow}`);
    }
  },
);

/** Collects the events of sockets and processes as text. */
function eventNames(tracker: EbpfTracker, tgid: number): string[] {
  const names: string[] = [];
  tracker.events.read((event) => {
    if (event.tgid === tgid) names.push(event.typeName);
  });
  return names;
}

ebpfTest("addTarget() without children does not follow them", async () => {
  const script = `
    await new Deno.Command(Deno.execPath(), { args: ["eval",
      "await Deno.connect({ port: 9 }).catch(() => {})"] }).output();
    await Deno.connect({ hostname: "127.0.0.1", port: 9 }).catch(() => {});
    console.log("done");`;
  for (const children of [true, false]) {
    await using child = runScript(
      `for await (const _ of Deno.stdin.readable) { ${script} }`,
    );
    using tracker = loadTracker();
    tracker.addTarget(child.pid, { children });
    await child.writeLine();
    await child.seen("stdout", /done/);
    const owners = new Set<number>();
    let forks = 0;
    tracker.events.read((event) => {
      if (event.typeName === "FORKED") forks++;
      if (event.typeName === "CONNECTED") owners.add(event.tgid);
    });
    equal(owners.size, children ? 2 : 1);
    equal(owners.has(child.pid), true);
    equal(forks > 0, children);
  }
});

ebpfTest("targets are removed when their last thread ends", async () => {
  using tracker = loadTracker();
  await using child = runScript(`
    console.log("ready");
    for await (const _ of Deno.stdin.readable);`);
  await child.seen("stdout", /ready/);
  tracker.addTarget(child.pid);
  equal(tracker.hasTarget(child.pid), true);
  await child.closeInput();
  await child.ended();
  await until(
    () => tracker.hasTarget(child.pid) ? undefined : true,
    "the target's removal",
  );
  deepEqual(eventNames(tracker, child.pid), ["EXITED"]);
});

ebpfTest("a connected UDP socket is wanted before it has sent", async () => {
  // getsockname(2) is how a program learns the port that it tells others.
  const script = `
    import { createSocket } from "node:dgram";
    for await (const _ of Deno.stdin.readable) {
      const socket = createSocket("udp4");
      socket.connect(9, "127.0.0.1", () => console.log(socket.address().port));
      socket.on("message", () => console.log("got it"));
    }`;
  await using child = runScript(script);
  using tracker = loadTracker({ variants: ["cg"] });
  using tap = new Tap(tracker.filterProgram);
  tracker.addTarget(child.pid);
  tracker.filter.open();
  await child.writeLine();
  const [port] = await child.seen("stdout", /\d+/);
  await using sender = await UdpSocket.open("127.0.0.1");
  await sender.send(20, Number(port));
  deepEqual(flows(tap.drain()), [`${sender.port}>${port} 0`]);
});

ebpfTest(
  "a rule ends when a program that is not traced takes it over",
  async () => {
    using tracker = loadTracker({ variants: ["cg"] });
    const { filter } = tracker;
    const local = { address: mapped(127, 0, 0, 1), port: 45_321 };
    using server = new TcpServer();
    const remote = { address: local.address, port: server.port };
    filter.addConnection(6, local, remote);
    filter.setPort(6, local.port, 0);
    equal(filter.removeConnection(6, local, remote), true);
    filter.addConnection(6, local, remote);
    await server.visitFrom(local.port);
    equal(filter.removeConnection(6, local, remote), false);
    equal(filter.removePort(6, local.port), false);
  },
);

ebpfTest(
  "rules of closed connections are collected after a while",
  async () => {
    await using child = runScript(`
    for await (const _ of Deno.stdin.readable) {
      await Deno.connect({ hostname: "127.0.0.1", port: 9 }).catch(() => {});
      const udp = Deno.listenDatagram(
        { transport: "udp", hostname: "127.0.0.1", port: 0 });
      udp.close();
      console.log("done");
    }`);
    using tracker = loadTracker({
      connectionLinger: 50_000,
      portLinger: 20_000,
    });
    const count = (): number =>
      [...tracker.filter.maps.conns.keys()].length +
      [...tracker.filter.maps.ports.keys()].length;
    tracker.addTarget(child.pid);
    await child.writeLine();
    await child.seen("stdout", /done/);
    let last = 0;
    tracker.events.read((event) => last = event.time);
    equal(count(), 2);
    equal(tracker.collect(last), 0, "not yet");
    equal(tracker.collect(last + 30e9), 1, "the port");
    equal(tracker.collect(last + 60e9), 1, "the connection");
    equal(count(), 0);
  },
);

ebpfTest(
  "nothing is left in the kernel when the process is killed",
  async () => {
    const module = new URL("../../lib/trace/ebpf_loader.ts", import.meta.url);
    const ids = new Set(programIds());
    await using child = runScript(`
    import { loadTracker } from "${module}";
    const tracker = loadTracker();
    console.log("loaded", tracker.variant);
    for await (const _ of Deno.stdin.readable);`);
    await child.seen("stdout", /loaded/);
    const fresh = programIds().filter((id) => !ids.has(id));
    ok(fresh.length > 5, "programs are loaded");
    child.signal("SIGKILL");
    await child.status;
    await until(
      () => programIds().some((id) => fresh.includes(id)) ? undefined : true,
      "the end of the programs",
    );
  },
);

ebpfTest("processes are found from inside of a PID namespace", async () => {
  const module = new URL("../../lib/trace/ebpf_loader.ts", import.meta.url);
  const script = `
    import { loadTracker } from "${module}";
    using tracker = loadTracker();
    tracker.addTarget(Deno.pid, { children: "only" });
    const child = new Deno.Command(Deno.execPath(), { args: ["eval",
      "await Deno.connect({ port: 9 }).catch(() => {})"] }).spawn();
    tracker.ids.toInner(0);
    await child.status;
    const pids = new Set();
    tracker.events.read((event) => {
      if (event.typeName === "CONNECTED") {
        pids.add(tracker.ids.toInner(event.tgid) === child.pid);
      }
    });
    console.log(Deno.pid, tracker.targets(), tracker.addTarget(4000), [...pids]);`;
  await using child = new Child([
    ...["unshare", "--pid", "--fork", "--mount-proc"],
    ...[Deno.execPath(), "eval", script],
  ]);
  const { stdout, stderr } = await child.ended();
  equal(stdout, "1 [ 1 ] false [ true ]\n", stderr);
});
