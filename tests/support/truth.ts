/**
 * The independent judge: tcpdump on the loopback interface.
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

/** A running tcpdump that writes all loopback packets to a file. */
export class Truth {
  readonly #file: string;
  readonly #tcpdump: Child;
  readonly #start: Start;
  #searched = 0;

  private constructor(file: string, tcpdump: Child, start: Start) {
    this.#file = file;
    this.#tcpdump = tcpdump;
    this.#start = start;
  }

  /** Starts tcpdump and waits until it captures. */
  static async start(file: string, start: Start): Promise<Truth> {
    // Without a snaplen each packet would take 256 KiB of tcpdump's buffer.
    const tcpdump = start([
      "tcpdump",
      ...[
        "-i",
        "lo",
        "-n",
        "-U",
        "--immediate-mode",
        "-B",
        "65536",
        "-s",
        "16000",
      ],
      ...["-Z", "root", "-w", file],
    ]);
    await tcpdump.seen("stderr", /listening on/);
    return new Truth(file, tcpdump, start);
  }

  /** Sends a packet of its own and waits until it was seen. */
  async mark(): Promise<Moment> {
    const moment = `moment ${Deno.pid} ${serial++} ${crypto.randomUUID()}`;
    const marker = this.#start([await compileWorkload("send_marker"), moment]);
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
    const { packets } = parseCapture(await Deno.readFile(this.#file));
    const isCut = packets.some((packet) => packet.bytes.length < packet.length);
    assert.ok(!isCut, "a packet was too long for the independent capture");
    return packets;
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
