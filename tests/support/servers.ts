/**
 * The servers and clients around the program under test.
 *
 * @module
 */

import { compileWorkload } from "./compile.ts";
import type { Child, StartOptions } from "./processes.ts";

/** Starts a program that is not traced. */
export type StartForeign = (
  argv: readonly string[],
  options?: StartOptions,
) => Child;

/** Where the echo server listens. */
export interface ServerAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Endpoints of the echo server, as text. */
export interface EchoServer {
  readonly tcp4: string;
  readonly tcp6: string;
  /** IPv4 address of a listener for both families. */
  readonly dual: string;
  /** A second listener. */
  readonly otherTcp4: string;
  /** Refuses connections. */
  readonly closed: string;
  readonly udp4: string;
  readonly udp6: string;
  /** IPv4 address of a UDP socket for both families. */
  readonly dualUdp: string;
  /** A second UDP socket. */
  readonly otherUdp4: string;
  /** Takes datagrams, never answers. */
  readonly mute: string;
}

/** Starts the echo server, which ends when the child is disposed of. */
export async function startEchoServer(
  start: StartForeign,
  { ipv4, ipv6 }: ServerAddresses,
  lingerMilliseconds = 0,
): Promise<EchoServer> {
  const program = await compileWorkload("echo_server");
  const argv = [program, ipv4, ipv6, `${lingerMilliseconds}`];
  const child = start(argv, { stdin: "piped" });
  const [line] = await child.seen("stdout", /\{.*\}/);
  const port: Record<string, number> = JSON.parse(line);
  return {
    tcp4: `${ipv4}:${port.tcp4}`,
    tcp6: `[${ipv6}]:${port.tcp6}`,
    dual: `${ipv4}:${port.dual}`,
    otherTcp4: `${ipv4}:${port.other4}`,
    closed: `${ipv4}:${port.closed}`,
    udp4: `${ipv4}:${port.udp4}`,
    udp6: `[${ipv6}]:${port.udp6}`,
    dualUdp: `${ipv4}:${port.dualudp}`,
    otherUdp4: `${ipv4}:${port.otherudp4}`,
    mute: `${ipv4}:${port.mute}`,
  };
}

/** Starts an unrelated client that talks to the same server all the time. */
export async function startNeighbor(
  start: StartForeign,
  server: EchoServer,
): Promise<Child> {
  const { tcp4, tcp6, closed, udp4, udp6, mute } = server;
  const program = await compileWorkload("neighbor");
  const argv = [program, tcp4, tcp6, closed, udp4, udp6, mute];
  const child = start(argv, { stdin: "piped" });
  await child.seen("stdout", /ready/);
  return child;
}

/** A port of 127.0.0.1 that nobody uses, below the ephemeral range. */
export function freePort(): number {
  for (;;) {
    const port = 31000 + Math.floor(Math.random() * 1700);
    try {
      Deno.listen({ hostname: "0.0.0.0", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
