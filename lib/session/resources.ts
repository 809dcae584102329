/**
 * What a live capture needs from the machine: descriptors and the file of the
 * command's keys, opened in the right order and closed together.
 *
 * @module
 */
import { DROP_ALL } from "../../bpf/capture_filter.ts";
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import { SyscallError } from "../../ffi/errno.ts";
import type { Fd } from "../../ffi/fd.ts";
import { openEventFd, sync } from "../../ffi/file.ts";
import type { User } from "../../ffi/process.ts";
import { attachFilter } from "../../ffi/socket.ts";
import { openCaptureSocket, ringOptions } from "../capture/packet_ring.ts";
import { packetSocketFailure } from "./failures.ts";
import type { FilterSource } from "./filter_names.ts";
import { KeyLogFile } from "./key_log.ts";
import { openOutput } from "./output.ts";
import { isRotated, OutputFiles } from "./output_files.ts";
import { CaptureError, type CaptureOptions } from "./types.ts";

/** What was found out before anything was opened. */
export interface Findings {
  /** Whom the command runs as. */
  readonly user: User | undefined;
  /** Which of its packets. */
  readonly filter: FilterSource | undefined;
  /** Interface indexes; empty for all. */
  readonly interfaces: readonly number[];
}

/** See the module's text. */
export class Resources implements Findings, Disposable {
  readonly user: User | undefined;
  readonly filter: FilterSource | undefined;
  readonly interfaces: readonly number[];
  /** Packet socket with ring, which passes nothing yet. */
  readonly socket: Fd;
  /** Unset when packets go into a stream only. */
  readonly output: Fd | undefined;
  /** When the output was named, in seconds since 1970. */
  readonly began: number = Date.now() / 1000;
  /** The command's TLS keys. */
  readonly keyLog: KeyLogFile | undefined;
  /** An eventfd that wakes the sniffer. */
  readonly wake: Fd;
  readonly #path: string | undefined;

  /**
   * Opens everything.
   *
   * @throws {CaptureError} when something cannot be had; nothing is left open
   */
  constructor(options: CaptureOptions, findings: Findings) {
    this.user = findings.user;
    this.filter = findings.filter;
    this.interfaces = findings.interfaces;
    const { output, rotation = {}, tlsKeys = false } = options;
    this.#path = output;
    using opened = new DisposableStack();
    this.socket = opened.use(openSocket(options.bufferSize));
    if (output !== undefined) {
      const path = isRotated(rotation)
        ? new OutputFiles(output, rotation).next(this.began).path
        : output;
      this.output = openOutput(path);
      opened.defer(() => this.#closeOutput());
      if (tlsKeys) this.keyLog = opened.use(new KeyLogFile(this.user));
    }
    this.wake = openEventFd();
    opened.move();
  }

  /**
   * Waits until the output is on the disk.
   *
   * @throws {CaptureError} `output`, when it does not get there
   */
  sync(): void {
    try {
      if (this.output !== undefined) sync(this.output.number);
    } catch (error) {
      throw new CaptureError(
        "output",
        `Cannot write ${this.#path}: ${
          error instanceof Error ? error.message : error
        }`,
      );
    }
  }

  /** Closes everything; standard output stays open. */
  [Symbol.dispose](): void {
    this.keyLog?.[Symbol.dispose]();
    this.socket.close();
    this.wake.close();
    this.#closeOutput();
  }

  #closeOutput(): void {
    const { output } = this;
    if (output === undefined || output.closed) return;
    if (this.#path === "-") output.disown();
    else output.close();
  }
}

/** The packet socket, which passes nothing yet. */
function openSocket(bufferSize: number): Fd {
  try {
    return openCaptureSocket(ringOptions(bufferSize), (fd) => {
      const errno = attachFilter(fd.number, assembleClassic(DROP_ALL));
      if (errno !== 0) throw new SyscallError("SO_ATTACH_FILTER", errno);
    });
  } catch (error) {
    throw packetSocketFailure(error);
  }
}
