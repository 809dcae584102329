/**
 * The way of an interface's packets: from the ring into a stream. Runs in a
 * thread of its own and waits for nothing but the ring.
 *
 * @module
 */
import { errnoText } from "../../ffi/errno.ts";
import { readStatistics, type RingOptions } from "../../ffi/packet.ts";
import { takeSocketError } from "../../ffi/socket.ts";
import { PacketRing } from "../capture/packet_ring.ts";
import { Control, SnifferCommand } from "./control.ts";
import { COOKED, COOKED_ROOM, cookPacket } from "./cooked_packet.ts";
import { FRAMED, retagFrame } from "./framed_packet.ts";
import { NO_OWNER } from "./stream/batch.ts";
import {
  type SendBatch,
  type StreamSetup,
  StreamSink,
} from "./stream/stream_sink.ts";

/** What the thread needs to know; plain data. */
export interface InterfaceSetup {
  /** Descriptor of the packet socket, with ring and filter. */
  readonly socket: number;
  readonly ring: RingOptions;
  /** Descriptor of an eventfd that wakes the thread. */
  readonly wake: number;
  /** See {@linkcode Control}. */
  readonly control: SharedArrayBuffer;
  readonly stream: StreamSetup;
  /** Whether packets begin with their link header. */
  readonly raw: boolean;
}

/** Room behind the ring to put one packet together. */
const PACKET_ROOM = 1 << 19;
/** How long to sleep when nothing happens, milliseconds. */
const IDLE = 200;

/** One interface: owns the mapped ring, borrows the descriptors. */
export class InterfaceSniffer implements Disposable {
  readonly #setup: InterfaceSetup;
  readonly #control: Control;
  readonly #ring: PacketRing;
  readonly #sink: StreamSink;
  #drops = 0;

  /** @throws {SyscallError} when the ring cannot be mapped */
  constructor(setup: InterfaceSetup, send: SendBatch) {
    this.#setup = setup;
    this.#control = new Control(setup.control);
    const { socket, wake, ring, raw } = setup;
    this.#ring = new PacketRing(socket, wake, ring, PACKET_ROOM);
    this.#sink = new StreamSink(setup.stream, raw ? FRAMED : COOKED, send);
  }

  /**
   * Runs until told to end.
   *
   * @returns what ended it otherwise, for people
   */
  run(): string | undefined {
    const ring = this.#ring;
    while (this.#control.command === SnifferCommand.RUN) {
      if (ring.ready) {
        this.#takeBlock();
        continue;
      }
      this.#sink.flush();
      this.#publish();
      const errno = takeSocketError(this.#setup.socket);
      if (errno !== 0) return errnoText(errno);
      ring.wait(IDLE);
    }
    this.#sink.finish();
    this.#publish();
    return undefined;
  }

  #takeBlock(): void {
    const ring = this.#ring;
    ring.openBlock();
    while (ring.nextPacket()) this.#takePacket();
    ring.closeBlock();
    this.#publish();
  }

  #takePacket(): void {
    const ring = this.#ring;
    const { capturedLength } = ring;
    let start: number;
    let end: number;
    if (!this.#setup.raw) {
      start = this.#sink.place(ring);
      const most = Math.min(capturedLength, PACKET_ROOM - COOKED_ROOM);
      end = cookPacket(ring, start, most);
    } else if (ring.vlanProtocol !== 0) {
      start = this.#sink.place(ring);
      end = retagFrame(ring, start);
    } else {
      start = ring.frameAt;
      end = start + capturedLength;
    }
    this.#sink.take(ring, start, end, NO_OWNER);
  }

  #publish(): void {
    this.#drops += readStatistics(this.#setup.socket).drops;
    this.#control.publish(0, 0, this.#drops);
  }

  /** Unmaps the ring. */
  [Symbol.dispose](): void {
    this.#ring[Symbol.dispose]();
  }
}
