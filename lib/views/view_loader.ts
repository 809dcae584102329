/**
 * Loading the programs of a view in the best form that kernel and rights
 * permit.
 *
 * @module
 */
import type { KernelTypes } from "../../bpf/programs/kernel_types.ts";
import type { Program } from "../../bpf/programs/program.ts";
import { attemptPrograms } from "../../bpf/programs/views/attempts.ts";
import {
  acceptProgram,
  callProgram,
  watchesCalls,
} from "../../bpf/programs/views/calls.ts";
import {
  type AcceptHook,
  tracksAttempts,
  tracksSessions,
  VIEW_ABILITIES,
  type ViewFeatures,
} from "../../bpf/programs/views/features.ts";
import type { ViewKernel } from "../../bpf/programs/views/reading.ts";
import { retransmitProgram } from "../../bpf/programs/views/retransmits.ts";
import { socketIterator } from "../../bpf/programs/views/socket_iterator.ts";
import { stateProgram } from "../../bpf/programs/views/socket_states.ts";
import { watchedPrograms } from "../../bpf/programs/views/targets.ts";
import { openCgroupRoot } from "../../ffi/bpf_cgroup.ts";
import type { BpfLink } from "../../ffi/bpf_link.ts";
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
  readonly #links: BpfLink[] = [];
  #kernel: ViewKernel | undefined;

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
    const kernel = this.#kernel = this.#choose();
    if (features.filtered) {
      for (const program of watchedPrograms(kernel)) {
        this.#attach(program, this.#owned);
      }
    }
    if (features.retransmits === true) {
      this.#attach(retransmitProgram(kernel, features), this.#owned);
    }
    const forms: readonly ViewFeatures[] = features.attempts === true
      ? [features, { ...features, hookless: true, datagrams: false }]
      : [features];
    firstOf(forms, (form) => {
      const attach = (): void => this.#attachForm(kernel, form);
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
    const kernel = this.#kernel;
    if (kernel === undefined || !tracksSessions(this.#features)) {
      return undefined;
    }
    // Iterators are typed by nature.
    const abilities = { ...kernel.abilities, typed: true };
    try {
      this.#noting("iterator", () => {
        this.#owned.use(
          this.#iterator = loadProgram(
            socketIterator({ ...kernel, abilities }, this.#features),
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

  /** How programs at tracepoints get at sockets. */
  #choose(): ViewKernel {
    const types = this.#types;
    // The form that does everything, also what hooks do where there are some.
    const hookless = tracksAttempts(this.#features);
    const features = { ...this.#features, hookless };
    const attempt = (kernel: ViewKernel): void =>
      loadProgram(stateProgram(kernel, features), this.#descriptors).close();
    let chosen: ViewKernel | undefined;
    const noTypes = this.#without.includes("tp_btf");
    firstOf(VIEW_ABILITIES, (abilities) => {
      const kernel = { types, abilities };
      const load = (): void => attempt(kernel);
      if (!abilities.typed) load();
      else {this.#noting(
          abilities.slots && !noTypes ? "slots" : "tp_btf",
          load,
        );}
      chosen = kernel;
    });
    return chosen!;
  }

  /** All programs that belong together, or none of them. */
  #attachForm(kernel: ViewKernel, features: ViewFeatures): void {
    using trial = new DisposableStack();
    this.#attachEnds(kernel, features, trial);
    this.#attach(stateProgram(kernel, features), trial);
    // Last: what they begin, the others must be there to end.
    if (tracksAttempts(features) && features.hookless !== true) {
      using cgroup = openCgroupRoot();
      for (const program of attemptPrograms(features, kernel.abilities)) {
        this.#attach(program, trial, cgroup);
      }
    }
    this.#owned.use(trial.move());
  }

  /** Who accepts, and which attempts fail at once. */
  #attachEnds(
    kernel: ViewKernel,
    features: ViewFeatures,
    owner: DisposableStack,
  ): void {
    const { types, abilities } = kernel;
    const watchCalls = (from: ViewKernel, hook: AcceptHook): void => {
      if (!watchesCalls(features, hook)) return;
      this.#attach(callProgram(from, features, hook), owner);
    };
    const blind = { types, abilities: { ...abilities, probe: false } };
    let hook: AcceptHook = "call";
    if (tracksSessions(features)) {
      try {
        this.#noting(
          "fentry",
          () => this.#attach(acceptProgram(kernel, features), owner),
        );
        hook = "function";
      } catch (error) {
        if (!(error instanceof Error)) throw error;
      }
    }
    if (!watchesCalls(features, hook)) return;
    firstOf([
      () => this.#noting("probe", () => watchCalls(kernel, hook)),
      () => watchCalls(blind, hook === "call" ? "none" : hook),
    ], (choice) => choice());
  }

  #attach(program: Program, owner: DisposableStack, cgroup?: Fd): void {
    const link = owner.use(attachProgram(program, this.#descriptors, cgroup));
    this.#links.push(link);
    owner.defer(() => this.#links.splice(this.#links.indexOf(link), 1));
  }

  /** Runs of programs that the kernel left out. */
  missedRuns(): number {
    let sum = 0;
    for (const link of this.#links) sum += link.missedRuns();
    return sum;
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
