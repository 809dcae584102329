/**
 * What the tests of the views share: a workload that says what it did, and
 * rows of its own processes.
 *
 * @module
 */
import type { ConnectionRow, SessionRow } from "../../lib/views/rows.ts";
import type { Watch, WatchScope } from "../../lib/views/watch.ts";
import { Child, until } from "../support/processes.ts";

/** Path of the workload. */
export const WORKLOAD: string =
  new URL("./workloads/views.py", import.meta.url).pathname;

/** Rows of what this process starts. */
export const CHILDREN: WatchScope = { kind: "children" };

/** The workload, which waits for a line when it has done everything. */
export class ViewWorkload implements AsyncDisposable {
  readonly child: Child;

  /** Starts one of its scenes, which may have an argument. */
  constructor(...scene: string[]) {
    this.child = new Child(["python3", WORKLOAD, ...scene], { stdin: "piped" });
  }

  /** What it says that it did, as far as it got. */
  facts<Fact>(): Fact[] {
    return this.child.stdout.split("\n").filter((line) =>
      line !== "" && !line.includes('"done"')
    ).map((line) => JSON.parse(line) as Fact);
  }

  /** Waits until it has done everything. */
  async done(): Promise<void> {
    await this.child.seen("stdout", /"done"/);
  }

  /** Lets it end. */
  async finish(): Promise<void> {
    await this.child.writeLine();
    await this.child.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }
}

/** Takes rows until there are so many, then a last time. */
export async function takeRows<Row>(
  watch: Watch<Row>,
  count: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  await until(() => {
    rows.push(...watch.take());
    return rows.length >= count ? true : undefined;
  }, `${count} rows`);
  rows.push(...watch.take());
  return rows;
}

/** Sorts texts, for comparisons of what has no order. */
export function sorted(texts: Iterable<string>): string[] {
  return [...texts].sort();
}

/** What the workload says of an attempt. */
export interface Attempt {
  readonly result: string;
  readonly port: number;
}

/** What it says of one end of a session. */
export interface Session {
  readonly local: number;
  readonly remote: number;
  readonly sent: number;
  readonly received: number;
  readonly closed: string;
}

/** What it says of the owner of one. */
export interface Owned {
  readonly local: number;
  readonly remote: number;
  readonly owner: number;
  readonly kind: string;
}

/** Programs at cgroup hooks take sockets as keys from kernel 5.12 on. */
export const HAS_HOOKS: boolean = isAtLeast(Deno.osRelease(), 5, 12);

function isAtLeast(release: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = release.split(".").map(parseFloat);
  return first > major || first === major && second >= minor;
}

/** Attempts that are told of: without hooks not those that fail at once. */
export function toldAttempts(
  facts: readonly Attempt[],
  hooked = HAS_HOOKS,
): Attempt[] {
  return facts.filter(({ result }) => hooked || result !== "ENETUNREACH");
}

/** For comparisons. */
export function attemptText({ result, port }: Attempt): string {
  return `${result} ${port}`;
}

/**
 * For comparisons. Refused attempts had a local port that nobody could ask for.
 */
export function sessionText(one: Session): string {
  const local = one.remote === 1 ? 0 : one.local;
  return `${local} ${one.remote} ${one.sent} ${one.received} ${one.closed}`;
}

/** What rows say of the same. */
export function sessionOf(row: SessionRow): Session {
  return {
    local: row.localPort,
    remote: row.remotePort,
    sent: row.bytesSent,
    received: row.bytesReceived,
    closed: row.closedBy,
  };
}

/** For comparisons. */
export function ownedText(one: Owned): string {
  return `${one.local} ${one.remote} ${one.owner} ${one.kind}`;
}

/** What rows tell of attempts, for comparisons. */
export function attemptsOf(rows: readonly ConnectionRow[]): string[] {
  return sorted(
    rows.map(({ result, remotePort: port }) => attemptText({ result, port })),
  );
}

/** Whose the ends at a local port are by rows, for comparisons. */
export function ownersOf(
  rows: readonly SessionRow[],
  localPort: number,
): string[] {
  const owned = rows.filter((row) => row.localPort === localPort);
  return sorted(owned.map((row) =>
    ownedText({
      local: row.localPort,
      remote: row.remotePort,
      owner: row.pid,
      kind: row.ownerFrom,
    })
  ));
}
