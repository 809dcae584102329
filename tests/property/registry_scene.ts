/**
 * A socket registry between a real table with its matcher and a lazy kernel
 * filter, in a time of its own.
 *
 * @module
 */

import { emptySocketState, type SocketState } from "../../ffi/socket.ts";
import { AF_INET, AF_INET6 } from "../../ffi/sockaddr.ts";
import type { CallUnderWay } from "../../lib/sockets/pending_calls.ts";
import {
  type RegistryOptions,
  SocketRegistry,
} from "../../lib/sockets/registry.ts";
import { Matcher } from "../../lib/sockets/matcher.ts";
import { createTable } from "../../lib/sockets/table.ts";
import {
  type Moment,
  SocketTableWriter,
} from "../../lib/sockets/table_writer.ts";
import { FakeRules } from "./fake_rules.ts";
import { endpoint, fieldsOf, type FlowText } from "./flows.ts";

/** What a test says about a socket. */
export interface StateText {
  readonly cookie: bigint;
  readonly protocol: number;
  /** `0.0.0.0:0` by default. */
  readonly local?: string;
  readonly remote?: string;
  readonly listening?: boolean;
  readonly v6Only?: boolean;
}

const HOST = 0;
const OUTGOING = 4;

/** Replaces performance.now() until disposed of. */
class FakePerformance implements Disposable {
  readonly #real = performance.now;
  now = 1000;

  constructor() {
    performance.now = (): number => this.now;
  }

  [Symbol.dispose](): void {
    performance.now = this.#real;
  }
}

/** A registry and everything around it. */
export class RegistryScene implements Disposable {
  readonly rules: FakeRules;
  readonly writer: SocketTableWriter;
  readonly matcher: Matcher;
  readonly registry: SocketRegistry;
  readonly #performance = new FakePerformance();
  /** One object for all moments, as the tracker has. */
  readonly #now = { seconds: 1000, nanoseconds: 0 };
  /** One object for all states. */
  readonly #state = emptySocketState();

  /** With `isEager`, the kernel filter obeys at once. */
  constructor(options: RegistryOptions & { readonly isEager?: boolean } = {}) {
    const memory = createTable(256);
    this.rules = new FakeRules(options.isEager);
    this.writer = new SocketTableWriter(memory);
    this.matcher = new Matcher(memory);
    this.registry = new SocketRegistry(this.writer, this.rules, options);
  }

  /** A moment later than all before. */
  tick(): Moment {
    this.#now.nanoseconds++;
    return this.#now;
  }

  /** The last moment. */
  get now(): Moment {
    return { ...this.#now };
  }

  /**
   * Lets seconds go by, with the regular work.
   *
   * @param progress up to when the sniffer has dealt with all packets
   */
  wait(seconds: number, progress?: number): void {
    const nanoseconds = this.#now.nanoseconds + Math.round(seconds * 1e9);
    this.#now.seconds += Math.floor(nanoseconds / 1e9);
    this.#now.nanoseconds = nanoseconds % 1e9;
    this.#performance.now += seconds * 1000;
    this.matcher.table.beginRound(progress ?? this.#now.seconds);
    this.registry.closePorts();
    this.writer.collect(this.#now.seconds);
    this.rules.tidy();
  }

  /** A state; valid until the next. */
  state(text: StateText): SocketState {
    const state = this.#state;
    const local = text.local ?? "0.0.0.0:0";
    state.cookie = text.cookie;
    state.protocol = text.protocol;
    state.family = local.startsWith("[") ? AF_INET6 : AF_INET;
    state.v6Only = text.v6Only ?? false;
    state.listening = text.listening ?? false;
    for (
      const [target, name] of [[state.local, local], [
        state.remote,
        text.remote,
      ]] as const
    ) {
      target.family = state.family;
      target.port = name === undefined ? 0 : endpoint(name).port;
      if (name === undefined) target.address.fill(0);
      else target.address.set(endpoint(name).address);
    }
    return state;
  }

  /** A call is about to send. */
  begin(
    text: StateText,
    remotes: readonly string[],
    owner = 1,
  ): CallUnderWay | undefined {
    const ends = remotes.map(endpoint);
    return this.registry.beginSending(
      this.state(text),
      ends,
      owner,
      this.tick(),
    );
  }

  /** A call is about to bind or listen. */
  beginLocal(protocol: number, port: number, owner = 1): CallUnderWay {
    return this.registry.beginLocal(
      { protocol, netns: 0n },
      port,
      owner,
      this.tick(),
    );
  }

  /** The outcome of a call, as the tracker tells it. */
  settle(
    call: CallUnderWay | undefined,
    text: StateText | undefined,
    failed = false,
  ): void {
    if (call === undefined) return;
    const state = text === undefined ? undefined : this.state(text);
    this.registry.settle(call, state, failed, this.tick());
    this.registry.apply();
  }

  /** A socket as it is now, found by the tracker. */
  observe(text: StateText, owner = 1): void {
    const now = this.tick();
    this.registry.observe(this.state(text), owner, now, now);
    this.registry.apply();
  }

  /** Looks a packet up that the program's side sent, at this moment. */
  sent(flow: FlowText, at: Moment = this.tick()): number {
    return this.#match(flow, OUTGOING, at);
  }

  /** Looks a packet up that came in, at this moment. */
  received(flow: FlowText, at: Moment = this.tick()): number {
    return this.#match(flow, HOST, at);
  }

  /** Whether the kernel lets a packet through, seen from the program's end. */
  passes(protocol: number, local: string, remote: string): boolean {
    return this.rules.passes(protocol, endpoint(local).port, endpoint(remote));
  }

  #match(flow: FlowText, type: number, at: Moment): number {
    const { seconds, nanoseconds } = at;
    return this.matcher.match(
      fieldsOf(flow),
      type,
      false,
      seconds,
      nanoseconds,
    );
  }

  [Symbol.dispose](): void {
    this.#performance[Symbol.dispose]();
  }
}
