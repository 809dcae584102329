/**
 * Network namespaces of tests: a loopback interface and nothing else.
 *
 * @module
 */

import assert from "node:assert/strict";

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
    await run([...network.prefix, "ip", "link", "set", "lo", "up"]);
    return network;
  }

  /** Arguments that start a program inside. */
  get prefix(): string[] {
    return ["nsenter", `--net=/run/netns/${this.#name}`];
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

async function run(argv: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    stdin: "null",
  }).output();
  assert.ok(success, `${argv.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
