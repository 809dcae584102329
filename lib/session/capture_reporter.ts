/**
 * What a capture tells people while it goes on.
 *
 * @module
 */
import { readRights } from "../proc/rights.ts";
import type { Variant } from "../trace/ebpf_loader.ts";
import {
  ebpfFailure,
  type Probe,
  probeLines,
  trackerNotice,
} from "./ebpf_report.ts";
import type { CapturedProcess } from "./messages.ts";
import type { CaptureObserver, TrackerChoice } from "./types.ts";

/** Processes that are named at the beginning. */
const MOST_NAMES = 4;

/** See the module's text. */
export class CaptureReporter {
  readonly #observer: CaptureObserver;

  /** Tells an observer. */
  constructor(observer: CaptureObserver) {
    this.#observer = observer;
  }

  /**
   * What follows the sockets and why.
   *
   * @param variant the eBPF hooks that do, if they do
   * @throws {CaptureError} when what was asked for cannot
   */
  tracker(
    asked: TrackerChoice,
    variant: Variant | undefined,
    probes: readonly Probe[],
  ): void {
    for (const text of probeLines(probes)) {
      this.#observer.notice?.({ severity: "debug", level: 1, text });
    }
    if (asked === "ptrace") return;
    const rights = readRights();
    if (asked === "auto") {
      this.#observer.notice?.(trackerNotice(variant, probes, rights));
    } else if (variant === undefined) {
      const hooks = asked === "ebpf" ? undefined : asked;
      throw ebpfFailure(hooks, probes, rights);
    }
  }

  /** Whose packets are captured, and where they go. */
  beginning(
    processes: readonly CapturedProcess[],
    output: string | undefined,
  ): void {
    const names = processes.map(({ pid, comm }) => `${pid} (${comm})`);
    const shown = names.slice(0, MOST_NAMES).join(", ");
    const more = names.length > MOST_NAMES
      ? ` and ${names.length - MOST_NAMES} more`
      : "";
    const into = output === undefined
      ? ""
      : ` into ${output === "-" ? "standard output" : output}`;
    this.#info(
      `capturing process${names.length > 1 ? "es" : ""} ${shown}${more}${into}`,
    );
  }

  /** A limit was reached before the command's end. */
  complete(): void {
    this.#info("the capture is complete; the command goes on until it ends");
  }

  /** The command has ended, processes of it have not. */
  others(count: number): void {
    if (count === 0) return;
    this.#info(
      `the command ended, ${count} of its processes go on (Ctrl-C ends them)`,
    );
  }

  /** Packets that are not in the output although they may belong there. */
  undecided(count: number): void {
    if (count === 0) return;
    this.#observer.notice?.({
      severity: "warning",
      text: `${count} packets were left out: their owner could not be told ` +
        "in time",
    });
  }

  #info(text: string): void {
    this.#observer.notice?.({ severity: "info", text });
  }
}
