/**
 * Following a program with eBPF: hooks in the kernel keep the packet filter
 * and tell about sockets. The sniffer's thread reads what they tell before it
 * looks at packets, so that each socket is known before its first packet is
 * judged.
 *
 * @module
 */
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import { compileCaptureFilter } from "../../bpf/capture_filter.ts";
import { EVENT_TYPE, FILTER_FLAG } from "../../bpf/programs/layout.ts";
import { monotonicTime, realTime } from "../../ffi/clock.ts";
import { SyscallError } from "../../ffi/errno.ts";
import {
  attachBpf,
  attachFilter,
  emptySocketState,
  IPPROTO_TCP,
  type SocketState,
} from "../../ffi/socket.ts";
import { SocketRegistry } from "../sockets/registry.ts";
import { SocketTableWriter } from "../sockets/table_writer.ts";
import type { TrackerEvent } from "../trace/ebpf_events.ts";
import { loadTracker, type Variant, VARIANTS } from "../trace/ebpf_loader.ts";
import type { EbpfTracker } from "../trace/ebpf_tracker.ts";
import { OwnerTable } from "../trace/owner_table.ts";
import { Owners } from "../trace/owners.ts";
import type { Control } from "./control.ts";
import { probeOf } from "./ebpf_probes.ts";
import { EbpfProcesses } from "./ebpf_processes.ts";
import type { EbpfListener, EbpfSetup } from "./ebpf_setup.ts";
import type { Probe } from "./ebpf_report.ts";
import { EventNamespaces } from "./event_namespaces.ts";
import { LostEvents } from "./lost_events.ts";
import type { CapturedProcess, SharedMemory } from "./messages.ts";
import { namespaceWarning, NetworkNamespaces } from "./network_namespaces.ts";
import { NO_RULES } from "./no_rules.ts";
import { readRights } from "../proc/rights.ts";
import { PacketClock } from "./packet_clock.ts";
import { SharedPorts } from "./shared_ports.ts";
import { mapped, remainsText, SocketCleanup } from "./socket_cleanup.ts";
import { StraySockets } from "./stray_sockets.ts";

/**
 * Events carry the time of another clock than packets; they are compared with
 * this much tolerance, nanoseconds.
 */
const CLOCK_TOLERANCE = 100_000;
/** How long packets are held that cannot be judged, ns. */
const HELD = 2_000_000_000;
/** How often ended rules are collected, ms. */
const TIDY_INTERVAL = 500;

/** One capture's tracking, in the sniffer's thread. */
export class EbpfTracking implements Disposable {
  readonly #setup: EbpfSetup;
  readonly #control: Control;
  /** What ends with the tracking. */
  readonly #stack: DisposableStack;
  readonly #tracker: EbpfTracker;
  readonly #table: SocketTableWriter;
  readonly #registry: SocketRegistry;
  readonly #cleanup: SocketCleanup;
  readonly #strays: StraySockets;
  readonly #sharedPorts: SharedPorts;
  readonly #owners: Owners;
  readonly #listener: EbpfListener;
  readonly #namespaces: NetworkNamespaces;
  readonly #events: EventNamespaces;
  readonly #state: SocketState = emptySocketState();
  readonly #clock = new PacketClock();
  #tidyAt = 0;
  readonly #processes: EbpfProcesses;
  readonly #lostEvents: LostEvents;
  #ending = false;
  #deadline: number | undefined;
  #over = false;

  /**
   * Loads the programs and attaches the filter to a packet socket. No packet
   * passes before `begin`.
   *
   * @throws {TrackerLoadError} when the kernel or the rights do not permit it;
   *   `failedProbes` of `ebpf_probes.ts` tells more about all errors
   */
  constructor(
    setup: EbpfSetup,
    socket: number,
    memory: Pick<SharedMemory, "table" | "owners">,
    control: Control,
    listener: EbpfListener,
  ) {
    // Programs in the kernel see other process ids there.
    if (readRights().inPidNamespace) {
      throw new Error(
        "Cannot name processes to eBPF from within a PID namespace",
      );
    }
    this.#setup = setup;
    this.#control = control;
    this.#owners = new Owners(new OwnerTable(memory.owners));
    this.#listener = listener;
    using stack = new DisposableStack();
    this.#tracker = stack.use(loadTracker({
      variants: setup.variants.length > 0 ? setup.variants : VARIANTS,
      ringSize: setup.eventRing,
      callResults: setup.sockets,
    }));
    const { callResultsError } = this.#tracker;
    if (callResultsError !== undefined) {
      this.#warn(
        `calls that fail at once are not told of: ${callResultsError.message}`,
      );
    }
    this.#table = new SocketTableWriter(memory.table);
    this.#registry = new SocketRegistry(this.#table, NO_RULES, {
      sendsAnywhere: true,
    });
    this.#cleanup = stack.use(
      new SocketCleanup(this.#registry, { events: false }),
    );
    this.#sharedPorts = new SharedPorts(
      this.#registry,
      () => this.#cleanup.servers(),
      (text) => this.#warn(text),
      true,
      () => this.#readEvents(),
    );
    this.#strays = new StraySockets({
      isKnown: ({ cookie }) => this.#registry.has(cookie),
      found: (state, pid, socket) =>
        this.#processes.foundStray(state, pid, socket),
      wantsAll: false,
      // Hooks see what io_uring does.
      byInode: () => [],
    });
    this.#lostEvents = new LostEvents({
      tracker: this.#tracker,
      registry: this.#registry,
      owners: this.#owners,
      cleanup: this.#cleanup,
      scan: (from) => this.#processes.scanAgain(from),
      netnsOf: (told) => this.#namespaces.cookieOf(told),
      isSeen: (netns) => this.#namespaces.isSeen(netns),
      moment: (time, shift) => {
        this.#clock.read();
        return this.#clock.at(time, shift);
      },
      warn: (text) => this.#warn(text),
    });
    this.#attachFilter(socket);
    this.#tracker.filter.setFlags(FILTER_FLAG.ICMP, setup.icmp);
    this.#tracker.filter.open(setup.snaplen);
    this.#namespaces = new NetworkNamespaces({
      ring: setup.ring,
      interfaces: setup.interfaces,
      isHurried: true,
      attachFilter: (socket) => this.#attachFilter(socket.number),
      opened: (socket, source) => {
        listener.tap(source);
        this.#cleanup.watchNamespace();
        socket.disown();
      },
      refused: (pid, reason) => this.#warn(namespaceWarning(pid, reason)),
    });
    this.#tracker.filter.setNamespace(this.#namespaces.own);
    this.#events = new EventNamespaces(
      this.#namespaces,
      () => this.#tracker.targets(),
      (text) => this.#warn(text),
    );
    this.#processes = new EbpfProcesses({
      pids: setup.pids,
      follow: setup.follow,
      words: setup.words,
      tracker: this.#tracker,
      registry: this.#registry,
      owners: this.#owners,
      namespaces: this.#namespaces,
      warn: (text) => this.#warn(text),
    });
    this.#stack = stack.move();
  }

  #attachFilter(socket: number): void {
    const { filter, snaplen } = this.#setup;
    if (filter === "map") {
      attachBpf(socket, this.#tracker.filterProgram);
      return;
    }
    // A classic program cannot know the sockets in time: all packets with
    // ports pass, and the matcher picks.
    const program = compileCaptureFilter({
      tcpPorts: [],
      udpPorts: [],
      remotes: [],
      allTcp: true,
      allUdp: true,
      allUdpLite: true,
      icmp: this.#setup.icmp,
    }, { snaplen });
    const errno = attachFilter(socket, assembleClassic(program));
    if (errno !== 0) throw new SyscallError("SO_ATTACH_FILTER", errno);
  }

  #warn(text: string): void {
    this.#listener.notice({ severity: "warning", text });
  }

  /** Descriptor that becomes readable when an event must not wait. */
  get fd(): number {
    return this.#tracker.eventsFd;
  }

  /** The hooks that serve. */
  get variant(): Variant {
    return this.#tracker.variant;
  }

  /** How each set of hooks fared that was tried. */
  get probes(): Probe[] {
    return this.#tracker.probes.map(probeOf);
  }

  /**
   * Begins to follow: what is there, or what this program will launch.
   *
   * @throws {CaptureError} when a process may not be looked into
   */
  begin(): CapturedProcess[] {
    const processes = this.#processes.begin();
    this.#sharedPorts.expect();
    this.#sharedPorts.lookIfDue();
    return processes;
  }

  /** The command was launched: other children of ours are not its. */
  launched(command: number | undefined): void {
    this.#processes.launched(command);
  }

  /** Takes what the kernel told until now; call it before each block. */
  drain(): void {
    const now = performance.now();
    if (!this.#tracker.events.isEmpty) this.#readEvents();
    // A look reads events, too: one may have come due since the last events.
    this.#sharedPorts.lookIfDue();
    this.#lostEvents.check(now);
    this.#control.sockets = this.#registry.seen;
  }

  #readEvents(): void {
    this.#clock.read();
    this.#tracker.events.read((event) => this.#take(event));
  }

  /** Regular work; call it when there are no packets, and now and then. */
  tend(): void {
    this.drain();
    this.#lostEvents.tend(this.#ending);
    if (this.#control.launched || this.#setup.pids.length > 0) {
      this.#strays.look(() => this.#processes.list());
      this.#sharedPorts.look();
    }
    const now = performance.now();
    if (now > this.#tidyAt) {
      this.#tidyAt = now + TIDY_INTERVAL;
      this.#tidy();
    }
    if (!this.#ending || this.#over) return;
    // What the last process did, before it was seen to be gone.
    this.drain();
    this.#checkEnd(now);
  }

  /** Whether every process and every connection of the program is over. */
  get over(): boolean {
    return this.#over;
  }

  #tidy(): void {
    this.#registry.closePorts();
    this.#table.collect(Math.floor(Date.now() / 1000));
    this.#tracker.collect(monotonicTime());
    this.#tracker.countCalls();
    // Exit events may be lost when the ring is full.
    if (this.#control.launched || this.#setup.pids.length > 0) {
      this.#ending = this.#processes.reread().length === 0;
    }
  }

  /** Ends when the last process and its connections are gone. */
  #checkEnd(now: number): void {
    const { linger } = this.#setup;
    this.#deadline ??= now + linger;
    const moment = realTime({ seconds: 0, nanoseconds: 0 });
    const since = moment.seconds - linger / 1000 - 1;
    const closing = this.#registry.size > 0 ||
      this.#registry.awaitsLast(linger, moment) ||
      this.#cleanup.closing((socket) =>
          this.#registry.wasClosed(
            socket.localPort,
            socket.remotePort,
            mapped(socket.remoteAddress),
            since,
          )
        ) > 0;
    if (closing && now <= this.#deadline) return;
    this.#over = true;
    this.#tidy();
    if (this.#setup.debug === 0) return;
    this.#listener.notice({
      severity: "debug",
      level: 1,
      text: remainsText(this.#registry.size, this.#table.used),
    });
  }

  #take(event: TrackerEvent): void {
    if (this.#setup.sockets) this.#tell(event);
    switch (event.type) {
      case EVENT_TYPE.RIVAL:
        this.#takeRival(event);
        return;
      case EVENT_TYPE.LISTENING:
      case EVENT_TYPE.BOUND:
      case EVENT_TYPE.CONNECTED:
      case EVENT_TYPE.ACCEPTED:
        this.#observe(event);
        return;
      case EVENT_TYPE.RELEASED:
        // A connection goes on to its last segment.
        if (event.protocol !== IPPROTO_TCP || event.remotePort === 0) {
          this.#close(event);
        }
        return;
      case EVENT_TYPE.CLOSED:
        this.#close(event);
        return;
      case EVENT_TYPE.CREATED:
      case EVENT_TYPE.EXECUTED:
        this.#events.isSeen(event.netns, event);
        return;
      case EVENT_TYPE.ARGUMENTS:
        this.#owners.executed(event.tgid, event.arguments);
        return;
      case EVENT_TYPE.FORKED:
        this.#processes.changed();
        this.#owners.forked(event.tgid, event.extra);
        return;
      case EVENT_TYPE.EXITED:
        this.#processes.changed();
        this.#owners.exited(event.tgid);
        this.#tidyAt = 0;
        return;
      default:
        return;
    }
  }

  #takeRival(event: TrackerEvent): void {
    const { address } = this.#state.local;
    event.readLocal(address);
    const { cookie, protocol, localPort } = event;
    const netns = this.#namespaces.cookieOf(event.netns);
    this.#sharedPorts.rival(cookie, protocol, address, localPort, netns);
  }

  #tell(event: TrackerEvent): void {
    const { seconds, nanoseconds } = this.#clock.at(event.time, 0);
    this.#listener.socket(
      event,
      BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
    );
  }

  #observe(event: TrackerEvent): void {
    const netns = this.#namespaces.cookieOf(event.netns);
    if (!this.#events.isSeen(netns, event)) return;
    this.#events.tellIfLate(netns, event);
    const state = this.#state;
    const listens = event.listens(this.#tracker.tellsListening);
    if (listens) this.#sharedPorts.expect();
    event.readSocket(state, netns, listens);
    const owner = this.#owners.numberOf(event.tgid, event.tid, event.comm);
    // At a shared port the handshake is held until it is accepted.
    const isHeld = event.type === EVENT_TYPE.ACCEPTED &&
      this.#registry.servers.isShared(state);
    const from = this.#clock.at(event.time, isHeld ? -HELD : -CLOCK_TOLERANCE);
    const now = this.#clock.at(event.time, 0);
    // connect(2) after a failed one opens a new connection, maybe between the
    // same ends.
    const connects = event.type === EVENT_TYPE.CONNECTED &&
      event.protocol === IPPROTO_TCP;
    if (connects) this.#registry.closed(event.cookie, now);
    this.#registry.observe(state, owner, from, now, { whole: connects });
  }

  #close(event: TrackerEvent): void {
    this.#registry.closed(
      event.cookie,
      this.#clock.at(event.time, CLOCK_TOLERANCE),
    );
  }

  /** Tells what has to be told at the end. */
  report(): void {
    this.#lostEvents.report();
  }

  /** Detaches everything. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
