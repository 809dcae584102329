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
   * Most instructions; 4096, the kernel's limit, if left out. At least 512.
   *
   * Kernels also limit the memory (net.core.optmem_max) of a socket's filter,
   * counted after translation, and of the old and the new one together while
   * one replaces the other; SO_ATTACH_FILTER then fails with ENOMEM.
   */
  readonly maxInstructions?: number;
}

/** Accepts nothing. */
export const DROP_ALL: readonly Instruction[] = [statement(BPF_RET | BPF_K, 0)];

/** Fewest instructions that `maxInstructions` may ask for. */
export const MIN_INSTRUCTIONS = 512;

/** Verdict that keeps a packet of any length. */
const WHOLE_PACKET = 0x7fffffff;

/** Leaf sizes to try, the fastest first. */
const LEAF_SIZES = [DEFAULT_LEAF_SIZE, 8, 16];
const LARGEST_LEAF = 16;

/** How often to try to fill the room for instructions. */
const MAX_ATTEMPTS = 5;
/** Share of the instructions that may stay unused. */
const TOLERATED_SLACK = 0.02;

/**
 * Compiles rules to a filter for a packet socket of type SOCK_DGRAM.
 *
 * A packet is taken when it is TCP or UDP over IPv4 or IPv6 and
 * - its local port is in the rules. The local side of a packet that is sent
 *   is its source, of one that is received its destination; packets for
 *   other hosts are dropped; or
 * - its remote address and port are in the rules; or
 * - it is a fragment other than the first, or lies behind more than six IPv6
 *   extension headers, so that its ports cannot be told, and may be wanted.
 *
 * When the rules do not fit `maxInstructions`, more is taken: first remote
 * endpoints are told by their port only, then the smallest gaps between ports
 * are filled, as few as needed.
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
  const { tests } = sizeOf(plans.map(({ ports }) => ports));
  if (tests > limit) return undefined;
  for (const leafSize of LEAF_SIZES) {
    const program = emitCapture(plans, verdict, leafSize);
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
  const fixed = emitCapture(plans.map(thinOut), verdict, LARGEST_LEAF).length;
  const room = limit - fixed;
  const lean = remotesSize(plans) > room / 2 ? plans.map(dropAddresses) : plans;
  // The size is only estimated: see how far off it was and try again.
  let best: Instruction[] | undefined;
  let target = room;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const program = emitCapture(shrink(lean, target), verdict, LARGEST_LEAF);
    const unused = limit - program.length;
    if (unused >= 0) best = program;
    if (unused >= 0 && unused <= limit * TOLERATED_SLACK) break;
    target += unused - limit * TOLERATED_SLACK / 2;
  }
  return best ?? emitCapture(plans.map(takeAll), verdict, LARGEST_LEAF);
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
  return (tests + intervals / LARGEST_LEAF) * (1 + 4 / 255);
}
