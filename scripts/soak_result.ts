/**
 * What a soak test found.
 *
 * @module
 */

/** What `soak_digest` says of a capture. */
export interface Digest {
  /** Packets of the program. */
  readonly own: number;
  /** Packets of others. */
  readonly others: number;
  /** Sum of the hashes of all packets. */
  readonly sum: string;
}

/** What tracedump has left at its end. */
export interface Remains {
  /** Sockets that it takes for open. */
  readonly sockets: number;
  /** Places in use in its table. */
  readonly places: number;
}

/** Everything that is judged. */
export interface SoakResult {
  /** Of tcpdump, which captured the program's packets alone. */
  readonly truth: Digest;
  readonly captured: Digest;
  readonly remains: Remains;
  /** What tracedump itself says that it may miss, without numbers. */
  readonly told: readonly string[];
  /** Anonymous memory in bytes, at each hundred thousand conversations. */
  readonly memory: readonly number[];
}

/**
 * Memory may grow so much in the second half, in bytes: before, tables fill up
 * that keep closed connections for a while.
 */
const GROWTH = 16 << 20;

/** Reads what `soak_digest` printed. */
export function parseDigest(text: string): Digest {
  const match = /^(\d+) (\d+) ([0-9a-f]{16})$/m.exec(text);
  if (match === null) throw new Error(`No digest: ${text}`);
  const [, own, others, sum] = match;
  return { own: Number(own), others: Number(others), sum: sum! };
}

/** Reads what tracedump said at its end with `--debug 1`. */
export function parseRemains(stderr: string): Remains {
  const match = /at the end (\d+) sockets? .*?(\d+) places?/.exec(stderr);
  if (match === null) throw new Error(`No end: ${stderr.slice(-2000)}`);
  return { sockets: Number(match[1]), places: Number(match[2]) };
}

/** Says in sentences what is wrong. */
export function judge(
  { truth, captured, remains, told, memory }: SoakResult,
): string[] {
  const problems: string[] = [];
  const missing = truth.own - captured.own;
  if (missing > 0) {
    const words = told.length === 0 ? "not told" : told.join("; ");
    problems.push(`${missing} packets are missing: ${words}`);
  }
  if (missing < 0) problems.push(`${-missing} packets are there twice`);
  if (captured.others > 0) {
    problems.push(`${captured.others} packets are foreign`);
  }
  if (problems.length === 0 && truth.sum !== captured.sum) {
    problems.push("Some packets differ");
  }
  if (remains.sockets > 0) {
    problems.push(`${remains.sockets} sockets are taken for open`);
  }
  if (remains.places > 0) {
    problems.push(`${remains.places} places of the socket table are in use`);
  }
  const half = memory[Math.floor(memory.length / 2)] ?? 0;
  const growth = (memory.at(-1) ?? 0) - half;
  if (growth > GROWTH) {
    problems.push(`Memory grew by ${Math.round(growth / 2 ** 20)} MiB`);
  }
  return problems;
}
