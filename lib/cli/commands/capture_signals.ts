/**
 * What signals do to a running capture.
 *
 * @module
 */

import type { Capture, CaptureTarget } from "../../session/types.ts";
import type { Host } from "../host.ts";
import { SIGNAL_NUMBERS, type SignalName } from "../signals.ts";

/** End the capture of running processes. */
const STOPPING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Passed on to a launched command. */
const FORWARDED = [
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
] as const;
/**
 * Stop a launched command, which gets them from the terminal itself. The tool
 * must run on until the command has stopped, then follows.
 */
const SUSPENDING = ["SIGTSTP", "SIGTTIN", "SIGTTOU"] as const;
/**
 * With any listener in place, newer runtimes also handle these three, which
 * would end the tool where its parent (nohup(1)) wanted them ignored.
 */
const KEPT_IGNORED = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** What signals are handed to. */
export type Stoppable = Pick<Capture, "stop" | "forwardSignal">;

/** Listens to signals on behalf of one capture. */
export class CaptureSignals {
  /** Settles with a signal number when the user will not wait any longer. */
  readonly impatient: Promise<number>;
  readonly #host: Host;
  readonly #removers: (() => void)[] = [];
  readonly #pending: number[] = [];
  readonly #launched: boolean;
  #resolveImpatient: (signal: number) => void = (): void => {};
  #capture: Stoppable | undefined;

  /** Begins to listen; signals wait until there is a capture. */
  constructor(host: Host, target: CaptureTarget) {
    this.#host = host;
    this.#launched = target.kind === "command";
    this.impatient = new Promise((resolve) => {
      this.#resolveImpatient = resolve;
    });
    if (this.#launched) {
      for (const name of FORWARDED) this.#listen(name, this.#deliver);
      for (const name of SUSPENDING) this.#listen(name, ignore);
    } else {
      for (const name of STOPPING) this.#listen(name, this.#deliver);
    }
    for (const name of KEPT_IGNORED) {
      if (this.#leavesIgnored(name)) {
        this.#removers.push(host.onSignal(name, ignore));
      }
    }
  }

  /** Hands over the capture and the signals that came before it. */
  connect(capture: Stoppable): void {
    this.#capture = capture;
    if (this.#launched) {
      for (const signal of this.#pending) capture.forwardSignal(signal);
    } else if (this.#pending.length > 0) {
      capture.stop();
    }
  }

  /** Listens no longer. */
  [Symbol.dispose](): void {
    for (const remove of this.#removers.splice(0)) remove();
  }

  #listen(name: SignalName, callback: (signal: number) => void): void {
    if (this.#leavesIgnored(name)) return;
    const number = SIGNAL_NUMBERS[name];
    this.#removers.push(
      this.#host.onSignal(name, () => callback.call(this, number)),
    );
  }

  /**
   * Whether a signal that was ignored from the beginning stays so. A command
   * inherits that; without one, SIGINT and SIGTERM are the way to end, also
   * for the background jobs of scripts, which ignore SIGINT.
   */
  #leavesIgnored(name: SignalName): boolean {
    return this.#host.ignoredSignals.has(name) &&
      (this.#launched || name === "SIGHUP");
  }

  #deliver(signal: number): void {
    if (this.#launched) {
      if (this.#capture === undefined) this.#pending.push(signal);
      else this.#capture.forwardSignal(signal);
      return;
    }
    this.#pending.push(signal);
    if (this.#pending.length > 1) this.#resolveImpatient(signal);
    else this.#capture?.stop();
  }
}

function ignore(): void {}
