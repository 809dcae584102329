/**
 * One test's surroundings: servers, neighbors, the independent capture, the
 * tool, and the final comparison.
 *
 * @module
 */

import assert from "node:assert/strict";
import { accuracyOf, keep, toldWords } from "./accuracy.ts";
import { compare, describe, isExact, type TruthPacket } from "./compare.ts";
import { compileWorkload } from "./compile.ts";
import { processTree } from "../../lib/proc/task.ts";
import { endAll, markOf } from "./leaks.ts";
import { ETHERNET_DEVICE, FAR, PrivateNetwork } from "./network.ts";
import { keyOf, ownersOf } from "./ownership.ts";
import { parseCapture, type TestPacket } from "./packets.ts";
import { Child, type StartOptions } from "./processes.ts";
import { type EchoServer, startEchoServer, startNeighbor } from "./servers.ts";
import { CAPTURING_REGEXP, TOOL, trackerOf } from "./tool.ts";
import { indexOf, type Moment, Truth } from "./truth.ts";
import { type LoggedSocket, WorkloadLog } from "./workload_log.ts";

/**
 * Where the test's traffic flows: over the host's loopback interface, over
 * that of a namespace, or over Ethernet to a second namespace, at once or with
 * round trips of {@linkcode SLOW_ROUND_TRIP}.
 */
export type Network = "host" | "private" | "ethernet" | "slow";

/** Milliseconds of a round trip over the slow network, after `scene`. */
export const SLOW_ROUND_TRIP = 200;

/** How the surroundings are made. */
export interface BenchOptions {
  readonly network?: Network;
  /** Name of the test, for the record of its comparison. */
  readonly name?: string;
  /** Options of the tool in this variant of the test. */
  readonly variant?: readonly string[];
}

/** How the servers behave. */
export interface SceneOptions {
  /** Milliseconds that the echo server waits before its FIN. */
  readonly serverLinger?: number;
}

/** How the tool is started. */
export interface ToolOptions extends StartOptions {
  /** Further options. */
  readonly options?: readonly string[];
  /** Programs in front of the tool, as `env` or `setpriv`. */
  readonly through?: readonly string[];
  /** Another program that captures, instead of the tool with its variant. */
  readonly program?: readonly string[];
}

/** What a capture is held against. */
export interface Expectation {
  /** Bytes kept of each packet; 0, the default, is all. */
  readonly snaplen?: number;
  /** The capture; default: the file `-o` of this bench. */
  readonly capture?: Uint8Array;
  /** Fewest sockets that the program must have logged. */
  readonly sockets?: number;
  /** Packets from here on have to be captured; default: all. */
  readonly from?: Moment;
  /** Packets from here on need not be captured any more. */
  readonly until?: Moment;
  /** Local ports that are not the program's any more from a moment on. */
  readonly retired?: readonly {
    readonly proto: LoggedSocket["proto"];
    readonly local: string;
    readonly moment: Moment;
  }[];
  /** Sockets that need not have had a packet. */
  readonly idle?: (socket: LoggedSocket) => boolean;
  /**
   * `"logged"`: packets of the sockets in the program's log; `"rest"`: all
   * that are not in the neighbors' log (in a private network); `"all"`: all.
   */
  readonly owned?: "logged" | "rest" | "all";
  /** What the capture is held against, instead of the scene's. */
  readonly truth?: Pick<Truth, "mark" | "stop">;
  /** Whether ICMP errors that quote the program's packets are its own. */
  readonly icmp?: boolean;
  /** Whether packets may be missing, as the tool tells. */
  readonly mayMiss?: boolean;
  /** Whether the tool finds sockets late, or strangers at the same port. */
  readonly mayWarn?: boolean;
  /** Which logged sockets are the program's; default: all. */
  readonly only?: (socket: LoggedSocket) => boolean;
}

/** Surroundings of one test. */
export class Bench implements AsyncDisposable {
  /** Id of the test, carried by all its processes. */
  readonly id: string = crypto.randomUUID();
  /** A folder for the test alone. */
  readonly folder: string;
  /** Where the capture goes. */
  readonly output: string;
  /** Log of the program under test. */
  readonly log: WorkloadLog;
  /** Log of all other programs. */
  readonly foreignLog: WorkloadLog;
  readonly #name: string;
  readonly #variant: readonly string[];
  readonly #network: PrivateNetwork | undefined;
  readonly #far: PrivateNetwork | undefined;
  #middle: PrivateNetwork | undefined;
  #wire: Child | undefined;
  readonly #children: Child[] = [];
  readonly #tools: Child[] = [];
  /** What tools were started with beside the variant. */
  readonly #options: string[] = [];
  #truth: Truth | undefined;

  private constructor(
    name: string,
    variant: readonly string[],
    network: PrivateNetwork | undefined,
    far: PrivateNetwork | undefined,
  ) {
    this.#name = name;
    this.#variant = variant;
    this.#network = network;
    this.#far = far;
    this.folder = Deno.makeTempDirSync({ prefix: "tracedump-test-" });
    Deno.chmodSync(this.folder, 0o755);
    this.output = `${this.folder}/capture.pcap`;
    this.log = new WorkloadLog(`${this.folder}/workload.log`);
    this.foreignLog = new WorkloadLog(`${this.folder}/foreign.log`);
  }

  /** Makes the surroundings. */
  static async create(options: BenchOptions): Promise<Bench> {
    const { name = "", variant = [], network: kind = "host" } = options;
    const near = kind === "host" ? undefined : await PrivateNetwork.create();
    const isWire = kind === "ethernet" || kind === "slow";
    const far = isWire ? await PrivateNetwork.create() : undefined;
    const bench = new Bench(name, variant, near, far);
    if (near === undefined || far === undefined) return bench;
    if (kind === "ethernet") await near.connect(far);
    else await bench.#connectSlowly(near, far);
    return bench;
  }

  async #connectSlowly(
    near: PrivateNetwork,
    far: PrivateNetwork,
  ): Promise<void> {
    const middle = await PrivateNetwork.create();
    this.#middle = middle;
    const ends = await near.connectThrough(middle, far);
    const program = await compileWorkload("slow_wire");
    const argv = [program, ...ends, `${SLOW_ROUND_TRIP / 2}`];
    this.#wire = this.#start(middle, argv, { stdin: "piped" });
    await this.#wire.seen("stdout", /ready/);
  }

  /** The network namespace of this test. */
  get network(): PrivateNetwork {
    assert.ok(this.#network !== undefined, "the network is the host's");
    return this.#network;
  }

  /** The namespace at the other end of the wire. */
  get far(): PrivateNetwork {
    assert.ok(this.#far !== undefined, "there is no other end");
    return this.#far;
  }

  /** Starts a program, whose log is that of the program under test. */
  start(argv: readonly string[], options: StartOptions = {}): Child {
    return this.#start(this.#network, argv, options);
  }

  /** Starts a program whose packets must not be captured. */
  startForeign(argv: readonly string[], options: StartOptions = {}): Child {
    const env = { ...this.foreignLog.environment, ...options.env };
    return this.start(argv, { ...options, env });
  }

  /** Starts a program at the other end of the wire, if there is one. */
  startFar(argv: readonly string[], options: StartOptions = {}): Child {
    const env = { ...this.foreignLog.environment, ...options.env };
    return this.#start(this.#far ?? this.#network, argv, { ...options, env });
  }

  #start(
    network: PrivateNetwork | undefined,
    argv: readonly string[],
    options: StartOptions,
  ): Child {
    const child = new Child([...(network?.prefix ?? []), ...argv], {
      cwd: this.folder,
      ...options,
      env: { ...markOf(this.id), ...this.log.environment, ...options.env },
    });
    this.#children.push(child);
    return child;
  }

  /** Starts the independent capture, the echo server, and its other client. */
  async scene(options: SceneOptions = {}): Promise<EchoServer> {
    const isLocal = this.#far === undefined;
    const foreign = this.startForeign.bind(this);
    const server = await startEchoServer(
      this.startFar.bind(this),
      isLocal ? { ipv4: "127.0.0.1", ipv6: "::1" } : FAR,
      options.serverLinger,
    );
    this.#truth = await Truth.start({
      file: `${this.folder}/truth.pcap`,
      device: isLocal ? "lo" : ETHERNET_DEVICE,
      markTo: isLocal ? "127.0.0.1:9" : `${FAR.ipv4}:9`,
    }, foreign);
    await startNeighbor(foreign, server);
    await this.#wire?.writeLine();
    await this.#wire?.seen("stdout", /slow/);
    return server;
  }

  /** Marks this moment in the traffic. */
  async mark(): Promise<Moment> {
    assert.ok(this.#truth !== undefined, "scene() comes first");
    return await this.#truth.mark();
  }

  /** Options that choose a tracker, unless the variant has chosen one. */
  trackerOptions(tracker: string): string[] {
    return trackerOf(this.#variant) === "auto" ? ["--tracker", tracker] : [];
  }

  /** Whether {@linkcode Bench.trackerOptions} lead to this tracker. */
  isTracker(tracker: string): boolean {
    return ["auto", tracker].includes(trackerOf(this.#variant));
  }

  /** Starts the tool with exactly these arguments after its variant's. */
  tool(args: readonly string[], options: ToolOptions = {}): Child {
    const { through = [], options: more = [], program, ...rest } = options;
    const tool = program ?? [...TOOL, ...this.#variant];
    const child = this.start([...through, ...tool, ...more, ...args], rest);
    this.#options.push(...more);
    this.#tools.push(child);
    return child;
  }

  /** Starts the tool on a command. */
  launch(command: readonly string[], options: ToolOptions = {}): Child {
    return this.tool(["-o", this.output, "--", ...command], options);
  }

  /** Starts the tool on processes and waits until it misses nothing more. */
  async attach(
    pids: readonly number[],
    options: ToolOptions = {},
  ): Promise<Child> {
    const child = this.tool(["-o", this.output, ...pids.map(String)], options);
    await child.seen("stderr", CAPTURING_REGEXP);
    return child;
  }

  /** Compares the capture with the truth; any difference is an error. */
  async verify(expectation: Expectation = {}): Promise<readonly TestPacket[]> {
    const judge = expectation.truth ?? this.#truth;
    assert.ok(judge !== undefined, "scene() comes first");
    const end = await judge.mark();
    const all = await judge.stop();
    const from = expectation.from === undefined
      ? 0
      : indexOf(expectation.from, all);
    const until = indexOf(expectation.until ?? end, all);
    const owned = this.#ownership(all, expectation);
    const truth: TruthPacket[] = all.map((packet, i) => ({
      ...packet,
      isOwned: owned[i]!,
      isRequired: i >= from && i < until,
    }));
    assert.ok(truth.some((p) => p.isOwned && p.isRequired), "no own traffic");
    // Those of others may be of any length, in the host's network.
    const isCut = truth.some((p) => p.isOwned && p.bytes.length < p.length);
    assert.ok(!isCut, "a packet was too long for the independent capture");
    assert.ok(
      expectation.owned === "all" ||
        truth.some((p) => !p.isOwned && p.isRequired && p.protocol === "tcp"),
      "no traffic of neighbors",
    );
    for (const tool of this.#tools) {
      assertNoCrash(tool.stderr);
      if (expectation.mayWarn) continue;
      assert.doesNotMatch(
        tool.stderr,
        /sockets from elsewhere|shared with other programs/,
      );
    }
    const { packets } = parseCapture(
      expectation.capture ?? await Deno.readFile(this.output),
    );
    const comparison = compare(packets, truth, expectation.snaplen);
    const variant = [...this.#variant, ...this.#options];
    const said = this.#tools.map((tool) => tool.stderr).join("\n");
    const test = { name: this.#name, variant };
    keep(accuracyOf(test, truth, comparison, said));
    const { missing } = comparison;
    const judged = expectation.mayMiss
      ? { ...comparison, missing: [] }
      : comparison;
    assert.ok(isExact(judged), describe(comparison));
    assert.ok(missing.length === 0 || toldWords(said).length > 0, "not told");
    return packets;
  }

  /** What the tools said, for the message of a failed test. */
  get toolOutput(): string {
    return this.#tools.map((tool) => tool.stderr.slice(-3000)).join("\n---\n");
  }

  /** Ends every process of the bench and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) {
      // Workers of a server do not end with it. What a tool leaves behind is
      // for the test to notice.
      const isTool = this.#tools.includes(child);
      const tree = isTool || child.isOver ? [] : processTree(child.pid);
      await child[Symbol.asyncDispose]();
      endAll(tree.slice(1));
    }
    await this.#network?.[Symbol.asyncDispose]();
    await this.#far?.[Symbol.asyncDispose]();
    await this.#middle?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  #ownership(
    all: readonly TestPacket[],
    expectation: Expectation,
  ): boolean[] {
    if (expectation.owned === "all") {
      return all.map(({ protocol, bytes }) =>
        protocol !== "other" && !bytes.includes("moment ")
      );
    }
    if (expectation.owned === "rest") {
      const owners = ownersOf(all, this.foreignLog.sockets());
      return all.map((packet, i) =>
        packet.protocol !== "other" && owners[i] === undefined &&
        !packet.bytes.includes("moment ")
      );
    }
    const sockets = this.log.sockets().filter(expectation.only ?? (() => true));
    const least = expectation.sockets ?? 1;
    assert.ok(
      sockets.length >= least,
      `${sockets.length} sockets were logged, not ${least}`,
    );
    const retired = (expectation.retired ?? []).map((port) => ({
      ...port,
      index: indexOf(port.moment, all),
    }));
    const owners = ownersOf(all, sockets, retired, expectation.icmp);
    const active = new Set(owners);
    for (const socket of sockets) {
      // Sockets of one port are told apart by their peers only.
      const isIdle = expectation.idle?.(socket) ?? false;
      const { proto, local, remote } = socket;
      assert.ok(
        isIdle || active.has(socket) || isRepeated(socket, sockets),
        `${keyOf(proto, local, remote)} has no packets in the truth`,
      );
    }
    return owners.map((owner) => owner !== undefined);
  }
}

/** Fails when a program's output looks like a crash of its runtime. */
export function assertNoCrash(text: string): void {
  assert.doesNotMatch(
    text,
    /Uncaught|Internal error|panicked|^\s+at .*\.ts:\d+|unhandled/m,
    "the tool crashed",
  );
}

function isRepeated(
  socket: LoggedSocket,
  sockets: readonly LoggedSocket[],
): boolean {
  return sockets.some((other) =>
    other !== socket && other.proto === socket.proto &&
    other.local === socket.local && other.remote === socket.remote
  );
}
