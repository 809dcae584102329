/**
 * What tests of the library with the kernel share: tests that leave nothing
 * open, and traffic whose every packet is known.
 *
 * @module
 */

import "../../support/open_libc.ts";
import assert from "node:assert/strict";
import type { Packet } from "../../../lib/session/trace/packet.ts";
import {
  isContinuousIntegration,
  missing,
  type Requirement,
} from "../../support/requires.ts";
import { PATIENCE, until, within } from "../../support/processes.ts";

// With its first child and thread the runtime opens something for good.
await new Deno.Command("true").output();
const thread = new Worker("data:text/javascript,postMessage(0)", {
  type: "module",
});
await new Promise((resolve) => thread.onmessage = resolve);
thread.terminate();

/** Registers a test that must close all that it opens. */
export function libraryTest(
  name: string,
  body: () => Promise<void>,
  ...needs: Requirement[]
): void {
  const reason = missing(["root", "program python3", ...needs]);
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined && !isContinuousIntegration(),
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      const before = openDescriptors();
      await within(body(), "the end of the test", 2 * PATIENCE);
      // The runtime takes its time to end threads.
      await until(
        () => openMore(before).length === 0 ? true : undefined,
        `${openMore(before)} to be closed`,
      );
    },
  });
}

/** What is open now and was not before. */
function openMore(before: readonly string[]): string[] {
  const left = [...before];
  return openDescriptors().filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** Names of what this process has open, without what the runtime keeps. */
function openDescriptors(): string[] {
  const names: string[] = [];
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      names.push(Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch {
      continue; // the one that lists them
    }
  }
  return names
    .filter((name) =>
      /^(?:socket:|pidfd:|anon_inode:(?:\[(?:eventfd|pidfd)\]|bpf))/.test(name)
    )
    .map((name) => name.replace(/\d+/, "N"))
    .sort();
}

/** Python that sends numbered datagrams to a port of this host. */
export function sendingScript(count: number, port: number, size = 8): string {
  return `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(${count}):
    s.sendto(b"%0${size}d" % i, ("127.0.0.1", ${port}))
`;
}

/** Sends numbered datagrams and waits until they are sent. */
export async function send(count: number, port: number): Promise<void> {
  const { success } = await new Deno.Command("python3", {
    args: ["-c", sendingScript(count, port)],
  }).output();
  assert(success);
}

/** Numbers of the datagrams in packets. */
export function numbersOf(packets: readonly Packet[]): number[] {
  return packets.map((packet) =>
    Number(new TextDecoder().decode(packet.payload))
  );
}

/** The numbers 0 to `count` - 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
