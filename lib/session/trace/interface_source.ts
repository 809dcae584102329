/**
 * Packets of a network interface, or of all of them.
 *
 * @module
 */
import { DROP_ALL } from "../../../bpf/capture_filter.ts";
import {
  assembleClassic,
  type Instruction,
} from "../../../bpf/classic/instruction.ts";
import { SyscallError } from "../../../ffi/errno.ts";
import type { Fd } from "../../../ffi/fd.ts";
import { openEventFd, signalEventFd } from "../../../ffi/file.ts";
import {
  ARPHRD_ETHER,
  ARPHRD_LOOPBACK,
  interfaceHardwareType,
  interfaceIndex,
  setPromiscuous,
} from "../../../ffi/packet.ts";
import { attachFilter } from "../../../ffi/socket.ts";
import { LinkType } from "../../bytes/link_type.ts";
import { openCaptureSocket, ringOptions } from "../../capture/packet_ring.ts";
import { Control, createControl, SnifferCommand } from "../control.ts";
import { interfaceProblem, packetSocketFailure } from "../failures.ts";
import { interfaceProgram } from "../interface_filter.ts";
import type { InterfaceSetup } from "../interface_sniffer.ts";
import type { InterfaceMessage } from "../interface_worker.ts";
import { PacketStream } from "../stream/packet_stream.ts";
import { TraceError } from "./errors.ts";
import type { Packet } from "./packet.ts";
import type { TraceSettings } from "./settings.ts";
import type { PacketSource, SourceCounts } from "./source.ts";

/** Names all interfaces together. */
export const ANY_INTERFACE = "any";

const MEBIBYTE = 1 << 20;
/** Interfaces whose packets begin with an Ethernet header. */
const ETHERNET_LIKE: ReadonlySet<number> = new Set([
  ARPHRD_ETHER,
  ARPHRD_LOOPBACK,
]);

/** What is open while a trace runs or is paused. */
interface Capture {
  readonly socket: Fd;
  readonly wake: Fd;
  readonly worker: Worker;
  /** Settles when the thread has nothing more to do. */
  readonly done: Promise<void>;
}

/** See the module's text. */
export class InterfaceSource implements PacketSource {
  readonly selectsByItself = true;
  readonly #name: string;
  readonly #uri: string;
  readonly #bufferSize: number;
  readonly #control = new Control(createControl());
  readonly #stream: PacketStream;
  #capture: Capture | undefined;
  #index = 0;
  #raw = false;
  #promiscuous = false;

  /**
   * Opens nothing yet.
   *
   * @param name interface name, or {@linkcode ANY_INTERFACE}
   * @param uri names the trace in messages
   * @param bufferSize MiB of packets that may wait, in the kernel and here
   */
  constructor(name: string, uri: string, bufferSize: number) {
    this.#name = name;
    this.#uri = uri;
    this.#bufferSize = bufferSize;
    this.#stream = new PacketStream(bufferSize * MEBIBYTE);
  }

  async start(settings: TraceSettings): Promise<void> {
    const { filter, snaplen, promiscuous } = settings;
    if (promiscuous && this.#name === ANY_INTERFACE) {
      throw new TraceError(
        "setting",
        `Cannot start ${this.#uri}: promiscuous mode needs one interface`,
      );
    }
    if (this.#capture === undefined) this.#find();
    const { ETHERNET, LINUX_SLL } = LinkType;
    const linkType = this.#raw ? ETHERNET : LINUX_SLL;
    const program = interfaceProgram(filter, linkType, snaplen);
    const capture = this.#capture ?? await this.#open();
    if (promiscuous !== this.#promiscuous) {
      setPromiscuous(capture.socket.number, this.#index, promiscuous);
      this.#promiscuous = promiscuous;
    }
    attach(capture.socket, program);
  }

  async pause(): Promise<void> {
    if (this.#capture !== undefined) attach(this.#capture.socket, DROP_ALL);
  }

  read(): Promise<readonly Packet[] | undefined> {
    return this.#stream.read();
  }

  async close(): Promise<void> {
    this.#stream.discard();
    const capture = this.#capture;
    if (capture === undefined) return;
    this.#control.command = SnifferCommand.ABORT;
    signalEventFd(capture.wake.number);
    await capture.done;
    capture.worker.terminate();
    capture.socket.close();
    capture.wake.close();
  }

  counts(): SourceCounts {
    const { captured, dropped } = this.#stream.counts();
    return { captured, dropped: dropped + this.#control.drops };
  }

  /** Looks the interface up. */
  #find(): void {
    if (this.#name === ANY_INTERFACE) return;
    this.#index = interfaceIndex(this.#name);
    if (this.#index === 0) throw interfaceProblem(this.#name);
    try {
      this.#raw = ETHERNET_LIKE.has(interfaceHardwareType(this.#index));
    } catch (error) {
      throw packetSocketFailure(error);
    }
  }

  async #open(): Promise<Capture> {
    const ring = ringOptions(this.#bufferSize);
    let socket: Fd;
    try {
      socket = openCaptureSocket(ring, (fd) => attach(fd, DROP_ALL), {
        raw: this.#raw,
        interfaceIndex: this.#index,
      });
    } catch (error) {
      throw packetSocketFailure(error);
    }
    const wake = openEventFd();
    const url = new URL("../interface_worker.ts", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    const ready = Promise.withResolvers<void>();
    const done = Promise.withResolvers<void>();
    const end = (error?: string): void => {
      const failure = error === undefined ? undefined : new TraceError(
        "io",
        `Cannot read from ${this.#uri}: ${error}`,
      );
      this.#stream.finish(failure);
      ready.reject(failure);
      done.resolve();
    };
    ready.promise.catch(() => {});
    worker.onmessage = ({ data }: MessageEvent<InterfaceMessage>) => {
      if (data.type === "packets") {
        this.#stream.push(data.bytes, data.interfaces);
      } else if (data.type === "ready") ready.resolve();
      else end(data.error);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(event.message);
    };
    const setup: InterfaceSetup = {
      socket: socket.number,
      ring,
      wake: wake.number,
      control: this.#control.memory,
      stream: this.#stream.setup,
      raw: this.#raw,
    };
    worker.postMessage(setup);
    this.#capture = { socket, wake, worker, done: done.promise };
    await ready.promise;
    return this.#capture;
  }
}

function attach(socket: Fd, program: readonly Instruction[]): void {
  const errno = attachFilter(socket.number, assembleClassic(program));
  if (errno !== 0) throw new SyscallError("SO_ATTACH_FILTER", errno);
}
