/**
 * The kernel filter by itself: time to change one rule among many, and to
 * apply all of them to a packet.
 *
 * @module
 */
import { compileCaptureFilter, DROP_ALL } from "../bpf/capture_filter.ts";
import {
  assembleClassic,
  type Instruction,
} from "../bpf/classic/instruction.ts";
import type { Fd } from "../ffi/fd.ts";
import {
  bindPacketSocket,
  interfaceIndex,
  openPacketSocket,
} from "../ffi/packet.ts";
import { attachBpf, attachFilter } from "../ffi/socket.ts";
import { ClassicRules } from "../lib/capture/classic_rules.ts";
import { MapRules } from "../lib/session/map_rules.ts";
import { KernelFilter } from "../lib/trace/ebpf_filter.ts";
import { median } from "./bench_statistics.ts";
import type { Cell, Table } from "./bench_table.ts";
import type { Workspace } from "./bench_workspace.ts";

const TCP = 6;
const UDP = 17;

/** Sockets that live while a rule is changed. */
const SOCKETS = [10, 100, 1_000, 10_000] as const;
/** Rules that are applied to a packet. */
const RULES = [1, 10, 100, 1_000, 3_000, 10_000, 30_000] as const;

/** Changes that make one measured batch of map updates. */
const BATCH = 200;
/** Additions to a classic filter; each replaces the whole program. */
const CLASSIC_ADDITIONS = { warmUp: 10, measured: 40 } as const;
/** Milliseconds after which a classic filter may be tidied up again. */
const CLASSIC_TIDY = 510;

/** Packet sockets that see each packet, twice on loopback. */
const TAPS = 16;
const RUNS_PER_PACKET = 2 * TAPS;
/** Runs of a program in one call of BPF_PROG_TEST_RUN. */
const TEST_RUNS = 100_000;

/** Classic program sizes to try; see lib/capture/classic_rules.ts. */
const CLASSIC_SIZES = [4096, 2000, 1000, 400, 100] as const;
const ENOMEM = 12;

/** Measures both kernel filters. */
export async function benchRules(workspace: Workspace): Promise<Table[]> {
  return [await benchChanges(workspace), await benchPackets(workspace)];
}

/** Microseconds of adding and of removing a rule. */
interface Change {
  readonly added: number;
  readonly removed: number;
}

async function benchChanges(workspace: Workspace): Promise<Table> {
  const rows: Cell[][] = [];
  for (const sockets of SOCKETS) {
    workspace.progress(`rules, changes among ${sockets}`);
    const { warmUp, measured } = CLASSIC_ADDITIONS;
    const ports = somePorts(sockets + warmUp + measured);
    const own = ports.slice(0, sockets);
    const more = ports.slice(sockets);
    const map = changeMap(own, more[0]!, workspace.milliseconds);
    const classic = await changeClassic(own, more, workspace.options.rounds);
    rows.push([
      `${sockets.toLocaleString("en-US")} sockets`,
      ...[map.port.added, map.port.removed],
      ...[map.connection.added, map.connection.removed],
      ...[classic.added, classic.removed],
    ]);
  }
  return {
    title: "Rules: microseconds to add or remove one",
    columns: [
      { heading: "" },
      ...["map, port", "map, connection", "classic, port"].flatMap((kind) =>
        ["added", "removed"].map((change) => ({
          heading: `${kind} ${change}`,
          digits: 1,
          unit: "µs",
        }))
      ),
    ],
    rows,
    notes: [
      "classic: compiling and attaching the whole program; rules are removed " +
      "together, twice a second at most.",
    ],
  };
}

function changeMap(
  ports: readonly number[],
  added: number,
  milliseconds: number,
): { port: Change; connection: Change } {
  using filter = new KernelFilter();
  using socket = openPacketSocket();
  attachBpf(socket.number, filter.program.fd);
  filter.open();
  const rules = new MapRules(filter);
  const remote = end(2, 80);
  const local = end(1, added);
  for (const port of ports) rules.openPort(TCP, port);
  for (const port of ports) filter.addConnection(TCP, end(1, port), remote);
  return {
    port: alternate(milliseconds / 2, () => {
      rules.openPort(TCP, added);
      rules.apply();
    }, () => {
      rules.closePort(TCP, added);
      rules.tidy();
    }),
    connection: alternate(
      milliseconds / 2,
      () => filter.addConnection(TCP, local, remote),
      () => filter.removeConnection(TCP, local, remote),
    ),
  };
}

/** Times two operations in turn; the clock is too coarse for a single one. */
function alternate(
  milliseconds: number,
  add: () => void,
  remove: () => void,
): Change {
  const both: number[] = [];
  const adding: number[] = [];
  const deadline = performance.now() + milliseconds;
  do {
    const start = performance.now();
    for (let i = 0; i < BATCH; i++) {
      add();
      remove();
    }
    both.push((performance.now() - start) / BATCH);
    let sum = 0;
    for (let i = 0; i < BATCH; i++) {
      const before = performance.now();
      add();
      sum += performance.now() - before;
      remove();
    }
    adding.push(sum / BATCH);
  } while (performance.now() < deadline);
  const added = 1000 * median(adding);
  return { added, removed: Math.max(0, 1000 * median(both) - added) };
}

async function changeClassic(
  ports: readonly number[],
  more: readonly number[],
  rounds: number,
): Promise<Change> {
  using socket = openPacketSocket();
  const rules = new ClassicRules(socket.number, 0);
  for (const port of ports) rules.openPort(TCP, port);
  rules.apply();
  const microseconds = (change: () => void): number => {
    const start = performance.now();
    change();
    return 1000 * (performance.now() - start);
  };
  const added = more.map((port) => {
    const taken = microseconds(() => {
      rules.openPort(TCP, port);
      rules.apply();
    });
    rules.closePort(TCP, port);
    return taken;
  });
  const removed: number[] = [];
  for (let i = 0; i < rounds; i++) {
    rules.openPort(TCP, more[i % more.length]!);
    rules.apply();
    await new Promise((resolve) => setTimeout(resolve, CLASSIC_TIDY));
    removed.push(microseconds(() => {
      rules.closePort(TCP, more[i % more.length]!);
      rules.tidy();
    }));
  }
  return {
    added: median(added.slice(CLASSIC_ADDITIONS.warmUp)),
    removed: median(removed),
  };
}

async function benchPackets(workspace: Workspace): Promise<Table> {
  const udp = await workspace.compile("bench_udp");
  const sink = workspace.start([udp, "sink"], { stdin: "piped" });
  const sinkPort = Number((await sink.seen("stdout", /ready (\d+)/))[1]);
  const send = (): Promise<number> => sendTime(workspace, udp, sinkPort);
  const rows: Cell[][] = [];
  for (const count of RULES) {
    workspace.progress(`rules, ${count} applied to packets`);
    const ports = somePorts(count, sinkPort);
    using filter = new KernelFilter();
    filter.open();
    for (const port of ports) {
      filter.setPort(UDP, port);
      filter.addConnection(UDP, end(1, port), end(2, 53));
    }
    const program = compileClassic(ports);
    const attachments: ((fd: number) => void)[] = [
      (fd) => attachClassic(fd, DROP_ALL),
      (fd) => attachBpf(fd, filter.program.fd),
      (fd) => attachClassic(fd, program),
    ];
    const shortest = attachments.map(() => Infinity);
    for (let round = 0; round < workspace.options.rounds; round++) {
      for (const [at, attach] of attachments.entries()) {
        const time = await new Taps(attach).during(send);
        shortest[at] = Math.min(shortest[at]!, time);
      }
    }
    const [nothing, map, classic] = shortest;
    const testRun = (port: number): number =>
      filter.program.testRun(packet(port), { repeat: TEST_RUNS }).duration;
    rows.push([
      count.toLocaleString("en-US"),
      testRun(ports[0]!),
      testRun(sinkPort),
      (map! - nothing!) / RUNS_PER_PACKET,
      (classic! - nothing!) / RUNS_PER_PACKET,
      program.length,
    ]);
  }
  await workspace.kill(sink);
  return {
    title: "Rules: nanoseconds to apply all to a packet",
    columns: [
      { heading: "rules" },
      { heading: "map, test run, taken", unit: "ns" },
      { heading: "map, test run, not taken", unit: "ns" },
      { heading: "map, loopback", unit: "ns" },
      { heading: "classic, loopback", unit: "ns" },
      { heading: "classic instructions" },
    ],
    rows,
    notes: [
      "test run: BPF_PROG_TEST_RUN, which classic programs do not have.",
      `loopback: ${TAPS} packet sockets on real packets that no rule wants, ` +
      "over a filter that takes nothing; shortest of the rounds.",
      "Each rule of the map filter is a port and a connection. Classic " +
      "programs stop growing at 4,096 instructions and take more than wanted.",
    ],
  };
}

/** Nanoseconds of sending a packet; the sender is new: so is its port. */
async function sendTime(
  workspace: Workspace,
  udp: string,
  port: number,
): Promise<number> {
  const sender = workspace.start([udp, String(port)], { stdin: "piped" });
  await sender.writeLine(`64 ${workspace.milliseconds / 3} 1000000000`);
  await sender.closeInput();
  await workspace.finish(sender);
  const [, sent, nanoseconds] = sender.stdout.match(/sent (\d+) (\d+)/)!;
  return Number(nanoseconds) / Number(sent);
}

/** Packet sockets on loopback that all run one filter. */
class Taps {
  readonly #sockets: Fd[] = [];

  constructor(attach: (fd: number) => void) {
    const loopback = interfaceIndex("lo");
    for (let i = 0; i < TAPS; i++) {
      const socket = openPacketSocket();
      this.#sockets.push(socket);
      attach(socket.number);
      bindPacketSocket(socket, loopback);
    }
  }

  /** Measures something while the taps exist, and closes them. */
  async during(measure: () => Promise<number>): Promise<number> {
    try {
      return await measure();
    } finally {
      for (const socket of this.#sockets) socket.close();
    }
  }
}

/** Compiles the largest program that the kernel accepts. */
function compileClassic(ports: readonly number[]): readonly Instruction[] {
  using socket = openPacketSocket();
  const udpPorts = ports.toSorted((a, b) => a - b);
  for (const maxInstructions of CLASSIC_SIZES) {
    const program = compileCaptureFilter(
      { tcpPorts: [], udpPorts, remotes: [] },
      { snaplen: 0, maxInstructions },
    );
    const errno = attachFilter(socket.number, assembleClassic(program));
    if (errno === 0) return program;
    if (errno !== ENOMEM) throw new Error(`SO_ATTACH_FILTER failed: ${errno}`);
  }
  throw new Error("The kernel takes no filter at all");
}

function attachClassic(fd: number, program: readonly Instruction[]): void {
  const errno = attachFilter(fd, assembleClassic(program));
  if (errno !== 0) throw new Error(`SO_ATTACH_FILTER failed: ${errno}`);
}

/** Different ports of users in a fixed order that looks random. */
export function somePorts(count: number, without = 0): number[] {
  const ports: number[] = [];
  // 65,537 is prime and 3 generates all of its units: each port comes once.
  for (let port = 3; ports.length < count; port = port * 3 % 65_537) {
    if (port === 1) throw new RangeError(`There are no ${count} ports`);
    if (port >= 1024 && port < 65_536 && port !== without) ports.push(port);
  }
  return ports;
}

function end(
  last: number,
  port: number,
): { address: Uint8Array; port: number } {
  const address = new Uint8Array(16);
  address.set([0xff, 0xff, 10, 0, 0, last], 10);
  return { address, port };
}

/** A received Ethernet frame with a UDP datagram for a local port. */
function packet(port: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...new Array(12).fill(0),
    ...[0x08, 0x00],
    ...[0x45, 0, 0, 36, 0, 0, 0x40, 0, 64, UDP, 0, 0],
    ...[10, 0, 0, 2, 10, 0, 0, 1],
    ...[0, 54, port >> 8, port & 255, 0, 16, 0, 0],
    ...new Array(8).fill(0),
  ]);
}
