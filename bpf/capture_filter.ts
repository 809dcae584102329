/**
 * The kernel-side filter of a capture: takes every packet that the rules want
 * and as few others as the length of a classic program allows.
 *
 * @module
 */
import {
  type CaptureRules,
  dropAddresses,
  planCapture,
  type ProtocolPlan,
  takeAll,
} from "./capture_plan.ts";
import { emitCapture } from "./capture_program.ts";
import { type Instruction, statement } from "./classic/instruction.ts";
import { BPF_K, BPF_MAXINSNS, BPF_RET } from "./classic/opcodes.ts";
import { DEFAULT_LEAF_SIZE } from "./decision_tree.ts";
import { fillGaps, type SetSize, sizeOf } from "./port_set.ts";
import { remoteTreeSize } from "./remote_tree.ts";

export type { CaptureRules, RemoteEndpoint } from "./capture_plan.ts";

/** Settings of {@linkcode compileCaptureFilter}. */
export interface CaptureFilterOptions {
  /**
   * Bytes kept of a packet, counted from the network header; 0 keeps all.
   * Must be given, as it is the verdict of the program.
   */
  readonly snaplen: number;
  /**
   * Most instructions; 4096, the kernel's limit, if left out. At least 100.
   *
   * Kernels also limit the memory (net.core.optmem_max) of a socket's filter,
   * counted after translation, and of the old and the new one together while
   * one replaces the other; SO_ATTACH_FILTER then fails with ENOMEM.
   */
  readonly maxInstructions?: number;
}

/** Accepts nothing. See {@linkcode compileCaptureFilter}. */
export const DROP_ALL: readonly Instruction[] = [statement(BPF_RET | BPF_K, 0)];

/**
 * Fewest instructions that `maxInstructions` may ask for.
 * See {@linkcode compileCaptureFilter}.
 */
export const MIN_INSTRUCTIONS = 100;

/** Verdict that keeps a packet of any length. */
const WHOLE_PACKET = 0x7fffffff;

/** Extension headers that a packet has at most if RFC 8200 is followed. */
const MAX_EXTENSION_HEADERS = 6;

/** Shapes for programs that take nothing but what is wanted, fastest first. */
const EXACT_SHAPES = [
  { leafSize: DEFAULT_LEAF_SIZE, headerDepth: MAX_EXTENSION_HEADERS },
  { leafSize: 8, headerDepth: MAX_EXTENSION_HEADERS },
  { leafSize: 16, headerDepth: MAX_EXTENSION_HEADERS },
  { leafSize: 16, headerDepth: 1 },
];
/** Shape that has the most room for ports. */
const DENSE_SHAPE = { leafSize: 16, headerDepth: 1 };
/** Shape without any port. */
const SMALLEST_SHAPE = { leafSize: 1, headerDepth: 0 };

/** How often to try to fill the room for instructions. */
const MAX_ATTEMPTS = 5;
/** Share of the instructions that may stay unused. */
const TOLERATED_SLACK = 0.02;

/**
 * Compiles rules to a filter for a packet socket of type SOCK_DGRAM.
 *
 * A packet is taken when it is of ICMP and that is wanted, or when it is TCP or
 * UDP over IPv4 or IPv6 and
 * - its local port is in the rules. The local side of a packet that is sent
 *   is its source, of one that is received its destination; packets for
 *   other hosts are dropped; or
 * - its remote address and port are in the rules; or
 * - it may be wanted, but that cannot be told: it is a fragment (the first
 *   one has the ports, but must be seen with the others, which come in any
 *   order), or has more than six IPv6 extension headers.
 *
 * When the rules do not fit `maxInstructions`, more is taken: packets with
 * more than one IPv6 extension header; then, where remote endpoints need half
 * of the room, those with another address but the same port; then, as few as
 * needed, ports in the smallest gaps between wanted ones. When not even the
 * simplest port tree fits, all packets of a wanted protocol are taken.
 *
 * @example Packets of a web server
 * ```ts
 * import { compileCaptureFilter } from "./capture_filter.ts";
 * import { validateClassic } from "./classic/validate.ts";
 *
 * const program = compileCaptureFilter(
 *   { tcpPorts: [80, 443], udpPorts: [443], remotes: [] },
 *   { snaplen: 0 },
 * );
 * validateClassic(program);
 * ```
 *
 * @throws {RangeError} when a port, `snaplen` or `maxInstructions` is out of
 * range.
 * @throws {TypeError} when an address has neither 4 nor 16 bytes.
 */
export function compileCaptureFilter(
  rules: CaptureRules,
  options: CaptureFilterOptions,
): Instruction[] {
  const { snaplen, maxInstructions = BPF_MAXINSNS } = options;
  checkWhole("snaplen", snaplen, 0, WHOLE_PACKET);
  checkWhole(
    "maxInstructions",
    maxInstructions,
    MIN_INSTRUCTIONS,
    BPF_MAXINSNS,
  );
  const plans = planCapture(rules);
  if (plans.length === 0) return [...DROP_ALL];
  const verdict = snaplen === 0 ? WHOLE_PACKET : snaplen;
  return compileExact(plans, verdict, maxInstructions) ??
    compileSuperset(plans, verdict, maxInstructions);
}

function checkWhole(
  name: string,
  value: number,
  min: number,
  max: number,
): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `Cannot compile filter: ${name} is ${value}, ` +
        `not a whole number from ${min} to ${max}`,
    );
  }
}

/** The program that tests just the rules, when there is room for it. */
function compileExact(
  plans: readonly ProtocolPlan[],
  verdict: number,
  limit: number,
): Instruction[] | undefined {
  const { tests, intervals } = sizeOf(plans.map(({ ports }) => ports));
  for (const shape of EXACT_SHAPES) {
    if (tests + intervals / shape.leafSize > limit) continue;
    const program = emitCapture(plans, { verdict, ...shape });
    if (program.length <= limit) return program;
  }
  return undefined;
}

/** A program that takes more than the rules want. */
function compileSuperset(
  plans: readonly ProtocolPlan[],
  verdict: number,
  limit: number,
): Instruction[] {
  const shape = { verdict, ...DENSE_SHAPE };
  const room = limit - emitCapture(plans.map(thinOut), shape).length;
  const lean = remotesSize(plans) > room / 2 ? plans.map(dropAddresses) : plans;
  // The size is only estimated: see how far off it was and try again.
  let best: Instruction[] | undefined;
  let target = room;
  for (let attempt = 0; attempt < MAX_ATTEMPTS && target > 0; attempt++) {
    const program = emitCapture(shrink(lean, target), shape);
    const unused = limit - program.length;
    if (unused >= 0) best = program;
    if (unused >= 0 && unused <= limit * TOLERATED_SLACK) break;
    target += unused - limit * TOLERATED_SLACK / 2;
  }
  return best ??
    emitCapture(plans.map(takeAll), { verdict, ...SMALLEST_SHAPE });
}

/** The plan with no more than one rule of each kind. */
function thinOut(plan: ProtocolPlan): ProtocolPlan {
  return {
    ...plan,
    ports: plan.ports.slice(0, 1),
    remotes: plan.remotes.slice(0, 1),
    remoteKeys: plan.remoteKeys.slice(0, 1),
  };
}

function remotesSize(plans: readonly ProtocolPlan[]): number {
  return plans.reduce((sum, { remotes }) => sum + remoteTreeSize(remotes), 0);
}

/** Fills gaps until the tests take no more than about `target` instructions. */
function shrink(
  plans: readonly ProtocolPlan[],
  target: number,
): ProtocolPlan[] {
  const room = target - remotesSize(plans);
  const filled = fillGaps(
    plans.flatMap(({ ports, remoteKeys }) => [ports, remoteKeys]),
    (size) => treeSize(size) <= room,
  );
  return plans.map((plan, index) => ({
    ...plan,
    ports: filled[2 * index]!,
    remoteKeys: filled[2 * index + 1]!,
  }));
}

/** Instructions of trees over so many intervals, nearly. */
function treeSize({ intervals, tests }: SetSize): number {
  // For every 255 instructions there are copies of both verdicts, and a few
  // steps for long jumps.
  return (tests + intervals / DENSE_SHAPE.leafSize) * (1 + 4 / 255);
}
