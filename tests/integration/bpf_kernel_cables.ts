/**
 * A network in which frames of any content can be sent and watched.
 *
 * @module
 */
import { PrivateNetwork } from "../support/network.ts";
import {
  innerEthertype,
  type PacketDescription,
  startsWithTag,
  tagBytes,
  viewOf,
} from "../unit/bpf/packets.ts";
import { PacketSockets } from "./bpf_kernel_sockets.ts";

/**
 * Two interface pairs in a network of their own: what is sent on `near` is
 * received on `far`; what is sent on `out` is seen there as outgoing.
 */
export class Cables implements AsyncDisposable {
  readonly #network: PrivateNetwork;
  /** Opens sockets at the ends. */
  readonly sockets: PacketSockets;

  private constructor(network: PrivateNetwork) {
    this.#network = network;
    const path = network.prefix[1]!.replace("--net=", "");
    this.sockets = new PacketSockets(path);
  }

  /** Makes the network. */
  static async create(): Promise<Cables> {
    const network = await PrivateNetwork.create();
    // No addresses, no IPv6: the kernel says nothing by itself.
    await network.run(
      ...["sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"],
    );
    for (const [name, peer] of [["near", "far"], ["out", "away"]] as const) {
      await network.run(
        ...["ip", "link", "add", name, "address", mac(NEAR), "type", "veth"],
        ...["peer", "name", peer, "address", mac(FAR)],
      );
      await network.run("ip", "link", "set", name, "up");
      await network.run("ip", "link", "set", peer, "up");
    }
    return new Cables(network);
  }

  /** Removes the network. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network[Symbol.asyncDispose]();
  }
}

/** Link-layer address of `near` and `out`. */
export const NEAR = [0x02, 0, 0, 0, 0, 1];
/** Link-layer address of `far` and `away`. */
const FAR = [0x02, 0, 0, 0, 0, 2];

/** Destination of a frame, by the packet type that its receiver sees. */
export const DESTINATIONS: Readonly<Record<number, readonly number[]>> = {
  0: FAR,
  1: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  2: [0x01, 0, 0x5e, 0, 0, 1],
  3: [0x02, 0, 0, 0, 0, 3],
  4: FAR,
};

function mac(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** A 16-bit number in network order. */
export function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

/** The frame that is sent so that a packet socket sees the packet. */
export function frameOf(packet: PacketDescription): Uint8Array<ArrayBuffer> {
  const { bytes } = viewOf(packet);
  const addresses = [...DESTINATIONS[packet.packetType]!, ...NEAR];
  if (packet.tags.length === 0) {
    return Uint8Array.of(
      ...addresses,
      ...u16(innerEthertype(packet)),
      ...bytes,
    );
  }
  // The receiving kernel takes one more tag out.
  const first = startsWithTag(packet)
    ? [0x81, 0x00, 0x00, 0x05, ...u16(packet.tags[0]!)]
    : [...u16(packet.tags[0]!), ...tagBytes(packet)];
  return Uint8Array.of(...addresses, ...first, ...bytes);
}
