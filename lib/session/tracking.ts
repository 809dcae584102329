/**
 * The tracer's thread: ptrace, the socket registry, the kernel filter and the
 * clean-up, which all change the same table and therefore live together.
 *
 * @module
 */
import { realTime, type Timestamp } from "../../ffi/clock.ts";
import { Errno, SyscallError } from "../../ffi/errno.ts";
import type { Fd } from "../../ffi/fd.ts";
import { signalEventFd } from "../../ffi/file.ts";
import { kill, raiseDescriptorLimit } from "../../ffi/process.ts";
import type { SocketState } from "../../ffi/socket.ts";
import type { WaitStatus } from "../../ffi/wait.ts";
import { readComm } from "../proc/comm.ts";
import type { InetDiagSocket } from "../sockets/inet_diag.ts";
import type { CallUnderWay } from "../sockets/pending_calls.ts";
import { SocketRegistry } from "../sockets/registry.ts";
import { SocketTableWriter } from "../sockets/table_writer.ts";
import { CallTracker } from "../trace/call_tracker.ts";
import { launchTraced } from "../trace/launcher.ts";
import { OwnerTable } from "../trace/owner_table.ts";
import { Owners } from "../trace/owners.ts";
import { Tracer } from "../trace/tracer.ts";
import { attachTo } from "./attach.ts";
import { Control } from "./control.ts";
import { CallEvents } from "./events/call_events.ts";
import { launchFailure } from "./failures.ts";
import type {
  CapturedProcess,
  TrackerMessage,
  TrackerSetup,
} from "./messages.ts";
import {
  namespacesOf,
  namespaceWarning,
  NetworkNamespaces,
} from "./network_namespaces.ts";
import { type OpenRules, openRules } from "./open_rules.ts";
import { SharedPorts } from "./shared_ports.ts";
import { SignalRelay } from "./signal_relay.ts";
import { mapped, remainsText, SocketCleanup } from "./socket_cleanup.ts";
import { StraySockets, strayWarning } from "./stray_sockets.ts";
import type { TapSource } from "./taps.ts";
import { TrackingReporter } from "./tracking_reporter.ts";
import type { ExitStatus } from "./types.ts";

/** How often ended sockets are looked for, ms. */
const CLEANUP_INTERVAL = 10;
/** Every how many times the rest is tidied up, too. */
const TIDY_EVERY = 20;
/** How long detaching may take until all threads have stopped, ms. */
const DETACH_PATIENCE = 500;
/** How long closed connections are remembered beyond `linger`, ms. */
const RECENT = 1000;

/** How long packets are held that cannot be judged, seconds. */
const HELD = 3;

const SIGKILL = 9;

/** Stop signals of the terminal: SIGTSTP, SIGTTIN, SIGTTOU. */
const TERMINAL_STOPS: ReadonlySet<number> = new Set([20, 21, 22]);

/** One capture's tracking. */
export class Tracking {
  readonly #setup: TrackerSetup;
  readonly #post: (message: TrackerMessage) => void;
  readonly #reporter: TrackingReporter;
  readonly #control: Control;
  readonly #table: SocketTableWriter;
  readonly #rules: OpenRules["rules"];
  readonly #filter: OpenRules["filter"];
  readonly #namespaces: NetworkNamespaces;
  readonly #registry: SocketRegistry;
  readonly #cleanup: SocketCleanup;
  readonly #strays: StraySockets;
  readonly #sharedPorts: SharedPorts;
  readonly #owners: Owners;
  readonly #tracer: Tracer<CallUnderWay>;
  readonly #calls: CallTracker<CallUnderWay>;
  readonly #events: CallEvents | undefined;
  readonly #signals = new SignalRelay((signal) => {
    if (this.#root > 0) kill(this.#root, signal);
  });
  #root = 0;
  #detached = false;
  #turn = 0;
  #ending = false;

  /** @param post sends a message to the main thread */
  constructor(setup: TrackerSetup, post: (message: TrackerMessage) => void) {
    this.#setup = setup;
    this.#post = post;
    this.#reporter = new TrackingReporter(
      setup.debug,
      (notice) => post({ type: "notice", notice }),
    );
    this.#control = new Control(setup.control);
    this.#owners = new Owners(new OwnerTable(setup.owners));
    this.#table = new SocketTableWriter(setup.table);
    const { rules, filter } = openRules(
      setup,
      (text) => this.#reporter.debug(1, text),
    );
    this.#rules = rules;
    this.#filter = filter;
    this.#namespaces = new NetworkNamespaces({
      ring: setup.ring,
      interfaces: setup.interfaces,
      isHurried: false,
      attachFilter: (socket) => this.#rules.attach(socket.number),
      opened: (socket, tap) => this.#openedTap(socket, tap),
      refused: (pid, reason) =>
        this.#reporter.warnOnce(`netns ${pid}`, namespaceWarning(pid, reason)),
    });
    this.#registry = new SocketRegistry(this.#table, this.#rules);
    const events = setup.sockets
      ? new CallEvents((event) => post({ type: "socket", event }))
      : undefined;
    this.#events = events;
    this.#cleanup = new SocketCleanup(
      this.#registry,
      events === undefined
        ? {}
        : { ended: (cookie) => events.closed(cookie, timeNow()) },
    );
    this.#sharedPorts = new SharedPorts(
      this.#registry,
      () => this.#cleanup.servers(),
      (text) => {
        this.#strays.reset();
        this.#reporter.warnOnce(text, text);
      },
      false,
    );
    const registry = this.#registry;
    this.#strays = new StraySockets({
      isKnown: (state) =>
        this.#registry.has(state.cookie) ||
        this.#registry.servers.isAccepted(state),
      found: (state, pid, socket) => this.#foundStray(state, pid, socket),
      get wantsAll(): boolean {
        return registry.servers.hasShared;
      },
      byInode: (inodes) => this.#cleanup.byInode(inodes),
    });
    this.#calls = new CallTracker(
      this.#registry,
      this.#owners,
      {
        ioUring: (pid) => this.#reporter.ioUring(pid),
        missed: (pid, protocol) => this.#reporter.missed(pid, protocol),
        isSeen: (netns, socket, pid) => this.#isSeen(netns, socket, pid),
        ...(events === undefined ? {} : {
          news: (news) => events.take(news),
          existing: (state, pid) => events.existing(state, pid, timeNow()),
        }),
        ...(this.#reporter.tellsCalls
          ? {
            call: (pid: number, tid: number, text: string) =>
              this.#reporter.call(pid, tid, text),
          }
          : {}),
      },
    );
    this.#tracer = new Tracer(
      setup.target.kind === "command" ? "seccomp" : "syscall",
      setup.follow,
      this.#calls,
      {
        processEnded: (pid, status) => this.#processEnded(pid, status),
        processStopped: (pid, signal) => {
          if (pid === this.#root && TERMINAL_STOPS.has(signal)) {
            this.#post({ type: "suspended", signal });
          }
        },
        signalDelivered: (pid, signal) => {
          if (pid === this.#root) this.#signals.delivered(signal);
        },
      },
    );
  }

  /**
   * Launches or attaches, and follows until every process has ended and its
   * last packets are out.
   *
   * @throws {CaptureError} when it cannot begin
   */
  async run(): Promise<void> {
    raiseDescriptorLimit();
    try {
      await this.#follow();
    } finally {
      this.#ending = true;
      this.#cleanup[Symbol.dispose]();
      this.#tracer[Symbol.dispose]();
      this.#filter?.close();
    }
    this.#post({ type: "done" });
  }

  async #follow(): Promise<void> {
    const { target } = this.#setup;
    const processes = target.kind === "command"
      ? this.#launch(target)
      : this.#attach(target.pids);
    this.#post({ type: "ready", processes });
    const timer = setInterval(() => this.#tend(), CLEANUP_INTERVAL);
    this.#retirePromptly();
    try {
      if (target.kind === "processes") this.#tracer.release();
      await this.#tracer.run();
      await this.#linger();
    } finally {
      clearInterval(timer);
      this.#tend();
      this.#tidy();
      this.#reporter.debug(
        1,
        remainsText(this.#registry.size, this.#table.used),
      );
    }
  }

  /** Passes a signal on unless the command has just got the same one. */
  forwardSignal(signal: number): Promise<void> {
    return this.#signals.forward(signal);
  }

  /** Lets go of the processes that were attached to; `run` ends. */
  detach(): void {
    if (this.#ending) return;
    this.#detached = true;
    this.#tracer.detachAll(DETACH_PATIENCE);
  }

  /** Ends the processes that it launched; `run` ends. */
  end(): void {
    this.#detached = true;
    for (const pid of this.#tracer.processIds) kill(pid, SIGKILL);
  }

  #launch(
    target: Extract<TrackerSetup["target"], { kind: "command" }>,
  ): CapturedProcess[] {
    let pid: number;
    try {
      pid = launchTraced({
        command: target.command,
        args: target.args,
        ignoredSignals: target.ignoredSignals ?? [],
        outputToStderr: target.outputToStderr,
        environment: target.environment,
        accepts: this.#setup.sockets,
        ...(target.user === undefined ? {} : { user: target.user }),
      });
    } catch (error) {
      throw launchFailure(target.command, error);
    }
    this.#root = pid;
    const tracee = this.#tracer.adopt(pid);
    // Sockets that the shell passed on.
    this.#calls.scan(tracee);
    this.#registry.apply();
    this.#tracer.start(tracee);
    return [{ pid, comm: readComm(pid) ?? target.command }];
  }

  #attach(pids: readonly number[]): CapturedProcess[] {
    return attachTo(pids, this.#setup.follow, {
      tracer: this.#tracer,
      calls: this.#calls,
      registry: this.#registry,
      cleanup: this.#cleanup,
    });
  }

  #isSeen(netns: bigint, socket: number, pid: number): boolean {
    return this.#namespaces.enter(netns, pid, namespacesOf(socket, pid));
  }

  /** A packet socket in another network namespace, which this thread is in. */
  #openedTap(socket: Fd, tap: TapSource): void {
    if (!this.#control.addTap(tap)) {
      socket.close();
      throw new SyscallError("socket", Errno.EMFILE);
    }
    this.#cleanup.watchNamespace();
    signalEventFd(this.#setup.wake);
    // The sniffer's from now on, to the end.
    socket.disown();
  }

  #foundStray(state: SocketState, pid: number, socket: Fd | undefined): void {
    if (
      socket !== undefined && !this.#isSeen(state.netns, socket.number, pid)
    ) {
      return;
    }
    const now = timeNow();
    const isAccepted = this.#registry.servers.isShared(state);
    // Its beginning is held by the sniffer.
    const from = isAccepted ? { ...now, seconds: now.seconds - HELD } : now;
    this.#registry.observe(state, this.#owners.numberOf(pid), from, now);
    this.#registry.apply();
    if (!isAccepted) {
      this.#reporter.warnOnce(`stray ${pid}`, strayWarning(pid, state));
    }
  }

  /** Regular work between events. */
  #tend(): void {
    this.#cleanup.run();
    this.#strays.look(() => this.#tracer.followedIds);
    this.#sharedPorts.look();
    this.#control.sockets = this.#registry.seen;
    if (this.#turn++ % TIDY_EVERY === 0) this.#tidy();
  }

  /** A port that is closed may be another program's in no time. */
  async #retirePromptly(): Promise<void> {
    while (!this.#ending) {
      await this.#cleanup.ended();
      if (!this.#ending) this.#cleanup.run();
    }
  }

  #tidy(): void {
    this.#registry.closePorts();
    this.#rules.tidy();
    this.#table.collect(Math.floor(Date.now() / 1000));
  }

  #processEnded(pid: number, status: WaitStatus): void {
    this.#reporter.processEnded(pid, status);
    this.#owners.exited(pid);
    // Its descriptors are closed by now.
    this.#cleanup.run();
    if (pid !== this.#root || status.kind === "stopped") return;
    this.#root = -1;
    const exit: ExitStatus = status;
    const others = this.#tracer.processIds.length;
    this.#post({ type: "exited", status: exit, others });
  }

  /** Waits until the connections of the program are over, within bounds. */
  async #linger(): Promise<void> {
    const { linger } = this.#setup;
    const deadline = performance.now() + linger;
    while (performance.now() < deadline && !this.#detached) {
      this.#cleanup.run();
      const now = timeNow();
      const open = this.#registry.size > 0 ||
        (this.#events?.open ?? 0) > 0 ||
        this.#registry.awaitsLast(linger, now) ||
        this.#cleanup.closing((socket) => this.#wasOurs(socket)) > 0;
      if (!open) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #wasOurs(socket: InetDiagSocket): boolean {
    return this.#registry.wasClosed(
      socket.localPort,
      socket.remotePort,
      mapped(socket.remoteAddress),
      (Date.now() - this.#setup.linger - RECENT) / 1000,
    );
  }
}

function timeNow(): Timestamp {
  return realTime({ seconds: 0, nanoseconds: 0 });
}
