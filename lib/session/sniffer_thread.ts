/**
 * The sniffer's thread as the main thread sees it: what it is told to do, and
 * what it says.
 *
 * @module
 */
import type { RawSocketEvent } from "./events/raw_event.ts";
import type { EbpfSetup } from "./ebpf_setup.ts";
import { packetSocketFailure } from "./failures.ts";
import type { SnifferCommandMessage, SnifferMessage } from "./messages.ts";
import type { SnifferResult, SnifferSetup } from "./sniffer.ts";
import { threadFailure } from "./thread_failure.ts";
import type { CaptureError, CaptureNotice } from "./types.ts";

/** What the sniffer says when it is ready to run. */
export type SnifferReady = Extract<SnifferMessage, { type: "ready" }>;

/** How long the sniffer may take to let go of what it prepared, ms. */
const RELEASE_PATIENCE = 2000;

/** Told what the sniffer says. */
export interface SnifferListener {
  /** Something for people. */
  notice(notice: CaptureNotice): void;
  /** What happened to a socket. */
  socket(event: RawSocketEvent): void;
  /** A batch of packets, and the names of interfaces that are new in it. */
  packets(bytes: ArrayBuffer, interfaces: readonly string[]): void;
  /** It has run to its end. */
  ended(result: SnifferResult): void;
  /** It failed; `ready` is rejected unless it has settled before. */
  failed(error: Error): void;
}

/** See the module's text. */
export class SnifferThread {
  readonly #worker: Worker;
  readonly #listener: SnifferListener;
  readonly #ready = Promise.withResolvers<SnifferReady>();
  readonly #released = Promise.withResolvers<void>();

  /** Listens to a thread, which is waiting for its setup. */
  constructor(worker: Worker, listener: SnifferListener) {
    this.#worker = worker;
    this.#listener = listener;
    worker.onmessage = (event: MessageEvent<SnifferMessage>) =>
      this.#take(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#released.resolve();
      this.#fail(`The sniffer failed: ${event.message}`);
    };
  }

  /** Settles when it is ready to run, or cannot be. */
  get ready(): Promise<SnifferReady> {
    return this.#ready.promise;
  }

  /**
   * Has it prepare everything.
   *
   * @param ebpf set to follow the program with eBPF, if that is possible
   */
  start(setup: SnifferSetup, ebpf: EbpfSetup | undefined): void {
    this.#post({ type: "start", setup, ebpf });
  }

  /**
   * Has it take packets.
   *
   * @param command process of the command where nobody traces it
   */
  run(command: number | undefined): void {
    this.#post({ type: "run", command });
  }

  /** Has it let go of what it prepared, and ends it. */
  async release(): Promise<void> {
    this.#post({ type: "release" });
    const timer = setTimeout(this.#released.resolve, RELEASE_PATIENCE);
    await this.#released.promise;
    clearTimeout(timer);
    this.terminate();
  }

  /** Ends the thread. */
  terminate(): void {
    this.#worker.terminate();
  }

  #post(message: SnifferCommandMessage): void {
    this.#worker.postMessage(message);
  }

  #take(message: SnifferMessage): void {
    switch (message.type) {
      case "socket":
        this.#listener.socket(message.event);
        return;
      case "released":
        this.#released.resolve();
        return;
      case "ready":
        this.#ready.resolve(message);
        return;
      case "notice":
        this.#listener.notice(message.notice);
        return;
      case "packets":
        this.#listener.packets(message.bytes, message.interfaces);
        return;
      case "done":
        this.#listener.ended(message.result);
        return;
      case "failed":
        this.#fail(
          message.message,
          message.code === undefined
            ? undefined
            : threadFailure(message, message.code),
        );
        return;
    }
  }

  #fail(message: string, error?: CaptureError): void {
    this.#ready.reject(error ?? packetSocketFailure(new Error(message)));
    this.#listener.failed(error ?? new Error(message));
  }
}
