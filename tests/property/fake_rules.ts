/**
 * A kernel filter that is as lazy, or as eager, as {@linkcode KernelRules}
 * allows.
 *
 * @module
 */

import assert from "node:assert/strict";
import { formatAddress, isIpv4Mapped } from "../../lib/packet/address.ts";
import type { KernelRules } from "../../lib/sockets/kernel_rules.ts";

/** Records calls, counts what is open, and knows what is in force. */
export class FakeRules implements KernelRules {
  /** What was called since this was emptied last. */
  calls: string[] = [];
  readonly #open = new Map<string, number>();
  readonly #inForce = new Set<string>();
  readonly #wanted = new Set<string>();
  readonly #isEager: boolean;

  /** @param isEager whether each change is in force at once */
  constructor(isEager = false) {
    this.#isEager = isEager;
  }

  openPort(protocol: number, port: number): void {
    const key = portKey(protocol, port);
    this.calls.push(`open ${key}`);
    this.#add(key);
    this.#wanted.add(key);
  }

  openCoveredPort(protocol: number, port: number): void {
    const key = portKey(protocol, port);
    this.calls.push(`cover ${key}`);
    // In force at the next `tidy`; until then a remote endpoint has to do.
    this.#add(key);
  }

  closePort(protocol: number, port: number): void {
    const key = portKey(protocol, port);
    this.calls.push(`close ${key}`);
    this.#remove(key);
  }

  openRemote(protocol: number, address: Uint8Array, port: number): void {
    const key = remoteKey(protocol, address, port);
    this.calls.push(`open ${key}`);
    this.#add(key);
    this.#wanted.add(key);
  }

  closeRemote(protocol: number, address: Uint8Array, port: number): void {
    const key = remoteKey(protocol, address, port);
    this.calls.push(`close ${key}`);
    this.#remove(key);
  }

  apply(): void {
    this.calls.push("apply");
    for (const key of this.#wanted) this.#inForce.add(key);
    this.#wanted.clear();
  }

  /** Some time later: exactly what is open is in force. */
  tidy(): void {
    this.#inForce.clear();
    this.#wanted.clear();
    for (const key of this.#open.keys()) this.#inForce.add(key);
  }

  /** Whether a packet gets through. */
  passes(
    protocol: number,
    localPort: number,
    remote: { readonly address: Uint8Array; readonly port: number },
  ): boolean {
    return this.#inForce.has(portKey(protocol, localPort)) ||
      this.#inForce.has(remoteKey(protocol, remote.address, remote.port));
  }

  /** What is open, in order. */
  get open(): string[] {
    return [...this.#open].map(([key, count]) => `${count} * ${key}`).sort();
  }

  #add(key: string): void {
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    if (this.#isEager) this.#inForce.add(key);
  }

  #remove(key: string): void {
    const count = this.#open.get(key);
    assert.ok(count !== undefined, `${key} is closed more often than opened`);
    if (count > 1) this.#open.set(key, count - 1);
    else {
      this.#open.delete(key);
      if (this.#isEager) this.#inForce.delete(key);
    }
  }
}

function portKey(protocol: number, port: number): string {
  assert.ok(port > 0 && port < 65536, `port ${port}`);
  return `${nameOf(protocol)} port ${port}`;
}

function remoteKey(
  protocol: number,
  address: Uint8Array,
  port: number,
): string {
  const text = isIpv4Mapped(address)
    ? formatAddress(address.subarray(12))
    : `[${formatAddress(address)}]`;
  return `${nameOf(protocol)} remote ${text}:${port}`;
}

function nameOf(protocol: number): string {
  assert.ok(protocol === 6 || protocol === 17, `protocol ${protocol}`);
  return protocol === 6 ? "tcp" : "udp";
}
