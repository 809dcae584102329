/**
 * What workloads tell about themselves: sockets and events, one JSON object
 * per line (see `tests/integration/workloads/workload.h`).
 *
 * @module
 */

import { until } from "./processes.ts";

/** A socket that a program used. */
export interface LoggedSocket {
  readonly pid: number;
  readonly proto: "tcp" | "udp" | "udplite";
  /** `127.0.0.1:80`, `[::1]:80`; `0.0.0.0` and `[::]` mean any address. */
  readonly local: string;
  /** Like `local`, or `*` when it talked to anybody. */
  readonly remote: string;
}

/** Something that happened in a program. */
export interface LoggedEvent {
  readonly pid: number;
  readonly event: string;
  readonly value: string;
}

/** The log of one program or of several that belong together. */
export class WorkloadLog {
  readonly path: string;

  /** Makes an empty log which every user may write to. */
  constructor(path: string) {
    this.path = path;
    Deno.writeTextFileSync(path, "");
    Deno.chmodSync(path, 0o666);
  }

  /** Environment that makes a workload write here. */
  get environment(): Record<string, string> {
    return { WORKLOAD_LOG: this.path };
  }

  /** The sockets logged until now. */
  sockets(): LoggedSocket[] {
    return parseSockets(Deno.readTextFileSync(this.path));
  }

  /** The events of a name logged until now. */
  events(name: string): LoggedEvent[] {
    return parseLines(Deno.readTextFileSync(this.path))
      .filter((line) => "event" in line)
      .filter((line) => line.event === name);
  }

  /** Waits until an event was logged so many times, and gives the last. */
  async event(name: string, times = 1): Promise<LoggedEvent> {
    return await until(
      () => this.events(name)[times - 1],
      `event ${times} "${name}" in the workload's log`,
    );
  }
}

/** The sockets in the text of a log. */
export function parseSockets(text: string): LoggedSocket[] {
  return parseLines(text).filter((line) => "proto" in line).map((socket) => ({
    ...socket,
    local: withoutMapping(socket.local),
    remote: withoutMapping(socket.remote),
  }));
}

function parseLines(text: string): (LoggedSocket | LoggedEvent)[] {
  // What follows the last line end is still being written.
  return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** A v4-mapped address stands for an IPv4 packet. */
function withoutMapping(endpoint: string): string {
  return endpoint.replace(/^\[::ffff:(\d+\.\d+\.\d+\.\d+)\]/, "$1");
}
