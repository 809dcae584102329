/**
 * A command that runs as an ordinary child of this program: nobody traces it,
 * only its end and its stops are waited for.
 *
 * @module
 */
import { kill, type User } from "../../ffi/process.ts";
import { isForegroundJob } from "../../ffi/terminal.ts";
import {
  decodeWaitStatus,
  lastStatus,
  waitChildNow,
  waitReadable,
} from "../../ffi/wait.ts";
import { readComm } from "../proc/comm.ts";
import { launchFree } from "../trace/launcher.ts";
import { launchFailure } from "./failures.ts";
import type { CaptureTarget, ExitStatus } from "./types.ts";

/** Stop signals of the terminal: SIGTSTP, SIGTTIN, SIGTTOU. */
const TERMINAL_STOPS: ReadonlySet<number> = new Set([20, 21, 22]);
/** Signals that the terminal sends to all of the foreground job. */
const TERMINAL_SIGNALS: ReadonlySet<number> = new Set([2, 3]);

/** Told what happens to the command. */
export interface CommandListener {
  suspended(signal: number): void;
  ended(status: ExitStatus): void;
}

/** A running command. */
export class LaunchedCommand {
  readonly pid: number;
  readonly comm: string;
  #ended = false;

  private constructor(pid: number, comm: string) {
    this.pid = pid;
    this.comm = comm;
  }

  /**
   * Starts the command.
   *
   * @throws {CaptureError} when it cannot be started
   */
  static start(
    target: Extract<CaptureTarget, { kind: "command" }>,
    user: User | undefined,
    outputToStderr: boolean,
    listener: CommandListener,
  ): LaunchedCommand {
    let pid: number;
    try {
      pid = launchFree({
        command: target.command,
        args: target.args,
        ignoredSignals: target.ignoredSignals ?? [],
        outputToStderr,
        ...(user === undefined ? {} : { user }),
      });
    } catch (error) {
      throw launchFailure(target.command, error);
    }
    const command = new LaunchedCommand(pid, readComm(pid) ?? target.command);
    command.#watch(listener);
    return command;
  }

  /**
   * Passes a signal on, unless the terminal has sent it to the command, too.
   *
   * @returns false when the command has ended
   */
  forwardSignal(signal: number): boolean {
    if (this.#ended) return false;
    if (!(TERMINAL_SIGNALS.has(signal) && isForegroundJob())) {
      kill(this.pid, signal);
    }
    return true;
  }

  async #watch(listener: CommandListener): Promise<void> {
    for (;;) {
      const pid = waitChildNow(this.pid);
      if (pid < 0) return;
      if (pid > 0) {
        const status = decodeWaitStatus(lastStatus());
        if (status.kind !== "stopped") {
          this.#ended = true;
          listener.ended(status);
          return;
        }
        if (TERMINAL_STOPS.has(status.signal)) {
          listener.suspended(status.signal);
        }
        continue;
      }
      await waitReadable();
    }
  }
}
