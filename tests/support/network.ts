/**
 * Network namespaces of tests: a loopback interface and, if wanted, an
 * Ethernet one whose other end is in a second namespace.
 *
 * @module
 */

import assert from "node:assert/strict";

/** Name of the Ethernet interface between two namespaces, at either end. */
export const ETHERNET_DEVICE = "wire0";
/** Addresses of the Ethernet interface of the namespace itself. */
export const NEAR = {
  ipv4: "10.99.0.1",
  ipv6: "fd00:99::1",
  hardware: "02:00:00:00:00:01",
} as const;
/** Addresses of the Ethernet interface of the second namespace. */
export const FAR = {
  ipv4: "10.99.0.2",
  ipv6: "fd00:99::2",
  hardware: "02:00:00:00:00:02",
} as const;

let serial = 0;

/** A network namespace that ends with the test. */
export class PrivateNetwork implements AsyncDisposable {
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
  }

  /** Makes a namespace whose loopback interface is up. */
  static async create(): Promise<PrivateNetwork> {
    const name = `tracedump-test-${Deno.pid}-${serial++}`;
    await run(["ip", "netns", "add", name]);
    const network = new PrivateNetwork(name);
    await run(["ip", "-n", name, "link", "set", "lo", "up"]);
    return network;
  }

  /** Where the namespace can be opened. */
  get path(): string {
    return `/run/netns/${this.#name}`;
  }

  /** Arguments that start a program inside. */
  get prefix(): string[] {
    return ["nsenter", `--net=${this.path}`];
  }

  /** Connects two namespaces by a pair of Ethernet interfaces. */
  async connect(far: PrivateNetwork): Promise<void> {
    const device = ETHERNET_DEVICE;
    await this.#pair(device, far, device);
    await configure(this, NEAR, FAR);
    await configure(far, FAR, NEAR);
  }

  /**
   * Connects two namespaces by Ethernet interfaces that end in a third one,
   * where a program carries the frames from one to the other.
   *
   * @returns names of the interfaces in the third namespace
   */
  async connectThrough(
    middle: PrivateNetwork,
    far: PrivateNetwork,
  ): Promise<readonly [string, string]> {
    const ends = ["near0", "far0"] as const;
    await this.#pair(ETHERNET_DEVICE, middle, ends[0]);
    await far.#pair(ETHERNET_DEVICE, middle, ends[1]);
    await configure(this, NEAR, FAR);
    await configure(far, FAR, NEAR);
    for (const end of ends) {
      await middle.run("ip", "link", "set", end, "up");
    }
    return ends;
  }

  async #pair(
    device: string,
    other: PrivateNetwork,
    otherDevice: string,
  ): Promise<void> {
    await this.run(
      ...["ip", "link", "add", device, "type", "veth"],
      ...["peer", "name", otherDevice, "netns", other.#name],
    );
  }

  /** Runs a program inside to its successful end. */
  async run(...argv: string[]): Promise<void> {
    await run([...this.prefix, ...argv]);
  }

  /** Removes the namespace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run(["ip", "netns", "del", this.#name]);
  }
}

/** Gives the Ethernet interface of a namespace its addresses. */
async function configure(
  network: PrivateNetwork,
  at: typeof NEAR | typeof FAR,
  peer: typeof NEAR | typeof FAR,
): Promise<void> {
  const device = ETHERNET_DEVICE;
  const ip = (...args: string[]): Promise<void> =>
    network.run("ip", ...args, "dev", device);
  await ip("address", "add", `${at.ipv4}/24`);
  await ip("address", "add", `${at.ipv6}/64`, "nodad");
  await network.run("ip", "link", "set", device, "address", at.hardware);
  await network.run("ip", "link", "set", device, "up");
  // The first solicitations get lost, which would cost a second.
  await ip("neighbor", "add", peer.ipv6, "lladdr", peer.hardware);
}

async function run(argv: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    stdin: "null",
  }).output();
  assert.ok(success, `${argv.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
