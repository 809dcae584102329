/**
 * Loading the programs of a view in the best form that kernel and rights
 * permit.
 *
 * @module
 */
import type { KernelTypes } from "../../bpf/programs/kernel_types.ts";
import type { Program } from "../../bpf/programs/program.ts";
import { targetPrograms } from "../../bpf/programs/tracker_process.ts";
import { attemptPrograms } from "../../bpf/programs/views/attempts.ts";
import { callProgram, watchesCalls } from "../../bpf/programs/views/calls.ts";
import {
  tracksAttempts,
  tracksSessions,
  VIEW_ABILITIES,
  type ViewAbilities,
  type ViewFeatures,
} from "../../bpf/programs/views/features.ts";
import { retransmitProgram } from "../../bpf/programs/views/retransmits.ts";
import { socketIterator } from "../../bpf/programs/views/socket_iterator.ts";
import { stateProgram } from "../../bpf/programs/views/socket_states.ts";
import { openCgroupRoot } from "../../ffi/bpf_cgroup.ts";
import type { BpfProgram } from "../../ffi/bpf_program.ts";
import type { Fd } from "../../ffi/fd.ts";
import {
  attachProgram,
  type Descriptors,
  firstOf,
  loadProgram,
} from "../trace/ebpf_attach.ts";
import type { WatchFeature } from "./watch.ts";

/** Something that is not permitted, and that a view can do without. */
export interface Refusal {
  /** What is lost. */
  readonly loss: WatchFeature;
  /** What the kernel said. */
  readonly error: Error;
}

/** Holds the attached programs of a view. */
export class ViewLoader implements Disposable {
  /** What the kernel refused. */
  readonly refused: Refusal[] = [];
  readonly #types: KernelTypes;
  readonly #features: ViewFeatures;
  readonly #descriptors: Descriptors;
  readonly #without: readonly WatchFeature[];
  readonly #owned = new DisposableStack();

  /**
   * Nothing is loaded yet.
   *
   * @param without What is to be treated as if the kernel refused it.
   */
  constructor(
    types: KernelTypes,
    features: ViewFeatures,
    descriptors: Descriptors,
    without: readonly WatchFeature[],
  ) {
    this.#types = types;
    this.#features = features;
    this.#descriptors = descriptors;
    this.#without = without;
  }

  /**
   * Attaches what the features need.
   *
   * @throws {ProgramLoadError} when the kernel refuses what cannot be spared
   * @throws {SyscallError} alike
   */
  attach(): void {
    const features = this.#features;
    if (features.filtered) {
      for (const program of targetPrograms(this.#types)) {
        this.#attach(program, this.#owned);
      }
    }
    if (features.retransmits === true) {
      this.#attach(retransmitProgram(this.#types, features), this.#owned);
    }
    const forms: readonly ViewFeatures[] = features.attempts === true
      ? [features, { ...features, hookless: true, datagrams: false }]
      : [features];
    firstOf(forms, (form) => {
      const attach = (): void =>
        firstOf(
          VIEW_ABILITIES,
          (abilities) => this.#attachForm(form, abilities),
        );
      if (tracksAttempts(form) && form.hookless !== true) {
        this.#noting("cgroup", attach);
      } else attach();
    });
  }

  /**
   * Loads the program that finds what was open before; `undefined` where
   * that is not possible: before kernel 5.11.
   */
  loadIterator(): BpfProgram | undefined {
    if (!tracksSessions(this.#features)) return undefined;
    try {
      this.#noting("iterator", () => {
        this.#owned.use(
          this.#iterator = loadProgram(
            socketIterator(this.#types, this.#features),
            this.#descriptors,
          ),
        );
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
    return this.#iterator;
  }

  #iterator: BpfProgram | undefined;

  /** Detaches everything. */
  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  /** All programs that belong together, or none of them. */
  #attachForm(features: ViewFeatures, abilities: ViewAbilities): void {
    using trial = new DisposableStack();
    const watch = (): void => {
      if (watchesCalls(features, abilities)) {
        this.#attach(callProgram(this.#types, features, abilities), trial);
      }
    };
    if (abilities.probe) this.#noting("probe", watch);
    else watch();
    this.#attach(stateProgram(this.#types, features), trial);
    // Last: what they begin, the others must be there to end.
    if (tracksAttempts(features) && features.hookless !== true) {
      using cgroup = openCgroupRoot();
      for (const program of attemptPrograms(features)) {
        this.#attach(program, trial, cgroup);
      }
    }
    this.#owned.use(trial.move());
  }

  #attach(program: Program, owner: DisposableStack, cgroup?: Fd): void {
    owner.use(attachProgram(program, this.#descriptors, cgroup));
  }

  /** Runs what may be refused, and notes when it is. */
  #noting<T>(loss: WatchFeature, run: () => T): T {
    try {
      if (this.#without.includes(loss)) {
        throw new Error(`Cannot use ${loss}: it is switched off`);
      }
      return run();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!this.refused.some((refusal) => refusal.loss === loss)) {
        this.refused.push({ loss, error });
      }
      throw error;
    }
  }
}
