/**
 * The independent judge: tcpdump.
 *
 * @module
 */

import assert from "node:assert/strict";
import { compileWorkload } from "./compile.ts";
import { parseCapture, type TestPacket } from "./packets.ts";
import { type Child, type StartOptions, until } from "./processes.ts";

/** A moment in the traffic: the packet that carries this text. */
export type Moment = string;

/** Starts a program in the network that is watched. */
export type Start = (argv: readonly string[], options?: StartOptions) => Child;

let serial = 0;

/** What is watched. */
export interface TruthOptions {
  /** The capture file that tcpdump writes. */
  readonly file: string;
  readonly device: string;
  /** Endpoint that marker packets are sent to through the device. */
  readonly markTo: string;
}

/** A running tcpdump that writes all packets of a device to a file. */
export class Truth {
  readonly #file: string;
  readonly #markTo: string;
  readonly #tcpdump: Child;
  readonly #start: Start;
  #searched = 0;

  private constructor(options: TruthOptions, tcpdump: Child, start: Start) {
    this.#file = options.file;
    this.#markTo = options.markTo;
    this.#tcpdump = tcpdump;
    this.#start = start;
  }

  /** Starts tcpdump and waits until it captures. */
  static async start(options: TruthOptions, start: Start): Promise<Truth> {
    // Without a snaplen each packet would take 256 KiB of tcpdump's buffer.
    const tcpdump = start([
      ...["tcpdump", "-i", options.device, "-n", "-U", "--immediate-mode"],
      ...["-B", "262144", "-s", "16000", "-Z", "root", "-w", options.file],
    ]);
    await tcpdump.seen("stderr", /listening on/);
    return new Truth(options, tcpdump, start);
  }

  /** Sends a packet of its own and waits until it was seen. */
  async mark(): Promise<Moment> {
    const moment = `moment ${Deno.pid} ${serial++} ${crypto.randomUUID()}`;
    const program = await compileWorkload("send_marker");
    const marker = this.#start([program, this.#markTo, moment]);
    const { code, stderr } = await marker.ended();
    assert.equal(code, 0, stderr);
    await until(() => this.#contains(moment), "the marker packet");
    return moment;
  }

  /** Ends tcpdump and gives all the packets, in order. */
  async stop(): Promise<readonly TestPacket[]> {
    this.#tcpdump.signal("SIGTERM");
    const { stderr } = await this.#tcpdump.ended();
    assert.match(stderr, /^0 packets dropped by kernel$/m);
    return parseCapture(await Deno.readFile(this.#file)).packets;
  }

  async #contains(text: string): Promise<true | undefined> {
    const bytes = await Deno.readFile(this.#file);
    // The text may lie across the end of what was searched before.
    const from = Math.max(0, this.#searched - text.length);
    this.#searched = bytes.length;
    const fresh = new TextDecoder("latin1").decode(bytes.subarray(from));
    return fresh.includes(text) || undefined;
  }
}

/** Index of the packet that marks a moment. */
export function indexOf(
  moment: Moment,
  packets: readonly TestPacket[],
): number {
  const index = packets.findIndex((packet) => packet.bytes.includes(moment));
  assert.notEqual(index, -1, "the moment's packet was captured");
  return index;
}
