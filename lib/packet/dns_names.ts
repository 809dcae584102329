import { decodeDnsMessage, type DnsMessage } from "./app/dns.ts";
import { DnsResponseCode } from "./app/dns_constants.ts";
import type { DnsRecord } from "./app/dns_records.ts";

/** How many addresses are remembered by default. */
export const DEFAULT_NAME_CAPACITY = 10_000;

const MAPPED_PREFIX = "::ffff:";

/**
 * Names of addresses, learned from the DNS answers that a program got.
 *
 * The name that is kept is the one that was asked for, not the last one of a
 * CNAME chain. The latest answer for an address counts.
 */
export class DnsNames {
  readonly #names = new Map<string, string>();
  readonly #capacity: number;

  /**
   * Begins without any names.
   *
   * @param capacity How many addresses to remember; beyond, the one learned
   *   longest ago is forgotten.
   */
  constructor(capacity: number = DEFAULT_NAME_CAPACITY) {
    this.#capacity = capacity;
  }

  /** How many addresses have a name. */
  get size(): number {
    return this.#names.size;
  }

  /** Names by address, as text. */
  get all(): ReadonlyMap<string, string> {
    return this.#names;
  }

  /**
   * Learns from a DNS message. Anything else is ignored.
   *
   * @param message The payload of a datagram, or a message over TCP without
   *   its length.
   */
  learn(message: Uint8Array): void {
    const result = decodeDnsMessage(message);
    if (result !== undefined) this.learnMessage(result.message);
  }

  /**
   * Learns from a decoded DNS message.
   *
   * @param message Only responses without error say anything.
   */
  learnMessage(message: DnsMessage): void {
    const { isResponse, responseCode, answers } = message;
    if (!isResponse || responseCode !== DnsResponseCode.NOERROR) return;
    const asked = new Map<string, string>();
    for (const { name } of message.questions) {
      asked.set(name.toLowerCase(), name);
    }
    const owners = aliasOwners(answers);
    for (const { name, data } of answers) {
      if (data.kind !== "address") continue;
      const first = firstName(name, owners);
      this.#remember(data.address, asked.get(first.toLowerCase()) ?? first);
    }
  }

  /**
   * The name that an address was found under.
   *
   * @param address Text as the decoders give it (RFC 5952 for IPv6). An
   *   IPv4-mapped IPv6 address means the IPv4 address.
   * @returns `undefined` when no answer named the address.
   */
  nameOf(address: string): string | undefined {
    return this.#names.get(
      address.startsWith(MAPPED_PREFIX) && address.includes(".")
        ? address.slice(MAPPED_PREFIX.length)
        : address,
    );
  }

  #remember(address: string, name: string): void {
    // A map keeps the order of insertion, so the oldest comes first.
    this.#names.delete(address);
    this.#names.set(address, name);
    if (this.#names.size <= this.#capacity) return;
    for (const oldest of this.#names.keys()) {
      this.#names.delete(oldest);
      break;
    }
  }
}

/** For each target of an alias, in lower case, the name that leads there. */
function aliasOwners(answers: readonly DnsRecord[]): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { name, data } of answers) {
    if (data.kind === "name") owners.set(data.name.toLowerCase(), name);
  }
  return owners;
}

function firstName(name: string, owners: ReadonlyMap<string, string>): string {
  let first = name;
  // As many steps as there are aliases, so that a circle ends too.
  for (let steps = owners.size; steps > 0; steps--) {
    const owner = owners.get(first.toLowerCase());
    if (owner === undefined) break;
    first = owner;
  }
  return first;
}
