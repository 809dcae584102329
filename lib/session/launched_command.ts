/**
 * A command that runs as an ordinary child of this program: nobody traces it,
 * only its end and its stops are waited for.
 *
 * @module
 */
import { findUser, kill, type User } from "../../ffi/process.ts";
import { isForegroundJob } from "../../ffi/terminal.ts";
import {
  decodeWaitStatus,
  lastStatus,
  waitChildNow,
  waitReadable,
} from "../../ffi/wait.ts";
import { readComm } from "../proc/comm.ts";
import { launchFree } from "../trace/launcher.ts";
import { commandProblem, launchFailure } from "./failures.ts";
import { CaptureError, type CaptureTarget, type ExitStatus } from "./types.ts";

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
    environment: Readonly<Record<string, string>>,
    listener: CommandListener,
  ): LaunchedCommand {
    let pid: number;
    try {
      pid = launchFree({
        command: target.command,
        args: target.args,
        ignoredSignals: target.ignoredSignals ?? [],
        outputToStderr,
        environment,
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
   * Starts the command as the user that it names.
   *
   * @throws {CaptureError} when it cannot be started
   */
  static launch(
    target: Extract<CaptureTarget, { kind: "command" }>,
    outputToStderr: boolean,
    listener: CommandListener,
  ): LaunchedCommand {
    const user = checkCommand(target);
    return LaunchedCommand.start(target, user, outputToStderr, {}, listener);
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
      // Others may be children that nobody waits for, such as orphans of a
      // container whose first process this is: their ends would stay.
      await waitReadable(this.pid);
    }
  }
}

/**
 * Finds out whether a command can be started before anything is done for it.
 *
 * @returns the user that it is to run as, if one is named
 * @throws {CaptureError}
 */
export function checkCommand(
  target: Extract<CaptureTarget, { kind: "command" }>,
): User | undefined {
  const problem = commandProblem(target.command);
  if (problem !== undefined) throw problem;
  if (target.user === undefined) return undefined;
  const user = findUser(target.user);
  if (user === undefined) {
    throw new CaptureError("no-user", `No user ${JSON.stringify(target.user)}`);
  }
  return user;
}
