/**
 * The engines as the command line calls them; they are loaded on first use.
 *
 * @module
 */

import type {
  Capture,
  CaptureObserver,
  CaptureOptions,
  CaptureTarget,
  ExitStatus,
} from "../session/types.ts";
import type { ConnectionWatchOptions } from "../views/connections.ts";
import type { RetransmitWatchOptions } from "../views/retransmits.ts";
import type {
  AcceptRow,
  ConnectionRow,
  RetransmitRow,
  SessionRow,
  StateRow,
  TrafficSample,
} from "../views/rows.ts";
import type { SessionWatchOptions } from "../views/sessions.ts";
import type { TrafficWatchOptions } from "../views/traffic.ts";
import type { Watch, WatchOptions } from "../views/watch.ts";

/**
 * Starts a capture; settles when the program is being watched.
 *
 * Rejects with {@linkcode CaptureError} when the capture cannot begin.
 */
export type StartCapture = (
  options: CaptureOptions,
  observer: CaptureObserver,
) => Promise<Capture>;

/** A command that was started. */
export interface RunningCommand {
  /**
   * Passes a signal on, unless the terminal has sent it to the command, too.
   *
   * @returns false when the command has ended
   */
  forwardSignal(signal: number): boolean;
}

/** What is told of a command that was started. */
export interface CommandObserver {
  /** A signal of the terminal stopped it. */
  suspended(): void;
  ended(status: ExitStatus): void;
}

/** What the commands of the views work with. */
export interface ViewEngine {
  watchConnections(options: ConnectionWatchOptions): Watch<ConnectionRow>;
  watchSessions(options: SessionWatchOptions): Watch<SessionRow>;
  watchAccepts(options: WatchOptions): Watch<AcceptRow>;
  watchRetransmits(options: RetransmitWatchOptions): Watch<RetransmitRow>;
  watchStates(options: WatchOptions): Watch<StateRow>;
  watchTraffic(options: TrafficWatchOptions): Watch<TrafficSample>;
  /**
   * Starts a command; what it writes to standard output goes to standard
   * error.
   *
   * @throws {CaptureError} when it cannot be started
   */
  launch(
    target: Extract<CaptureTarget, { kind: "command" }>,
    observer: CommandObserver,
  ): RunningCommand;
}

/** Loads the engine of the views. */
export type LoadViews = () => Promise<ViewEngine>;

/** Loads the real one. */
export async function loadViewEngine(): Promise<ViewEngine> {
  const { LaunchedCommand } = await import("../session/launched_command.ts");
  return {
    ...await import("../views/mod.ts"),
    launch: (target, observer) =>
      LaunchedCommand.launch(target, true, observer),
  };
}
