/**
 * Filters: expressions of pcap-filter(7) that can be run, printed and given to
 * the kernel.
 *
 * @module
 */
import type { Instruction } from "../classic/instruction.ts";
import { BPF_MAXINSNS } from "../classic/opcodes.ts";
import { validateClassic } from "../classic/validate.ts";
import { type FilterNode, formatFilter, type ProcessTerm } from "./ast.ts";
import { ALWAYS, type Condition, NEVER } from "./condition.ts";
import { emit } from "./emit.ts";
import { FilterSyntaxError } from "./errors.ts";
import { buildGraph, Graph } from "./graph.ts";
import { FilterLinkType, outerLayout, type Placement } from "./link.ts";
import { lowerFilter } from "./lower.ts";
import { makeMatcher, type Matcher } from "./matcher.ts";
import { BUILT_IN_NAMES, type NameResolver } from "./names.ts";
import { optimize } from "./optimize.ts";
import { parseFilter } from "./parser.ts";
import { CellError } from "./registers.ts";
import { Values } from "./value.ts";

/** Settings of {@linkcode compileFilter}. */
export interface FilterOptions {
  /**
   * Kind of packets, a LINKTYPE_* number: NULL 0, ETHERNET 1, RAW 101,
   * LOOP 108, LINUX_SLL 113, IPV4 228, IPV6 229 or LINUX_SLL2 276.
   */
  readonly linkType: number;
  /** Looks up names of ports, protocols and hosts; built-in tables if left out. */
  readonly resolve?: NameResolver;
  /**
   * `file` (the default): packets start with their link-layer header.
   * `socket`: for LINUX_SLL and LINUX_SLL2, the program runs in the kernel on
   * a packet socket of type SOCK_DGRAM, where packets start with the network
   * header.
   */
  readonly placement?: Placement;
  /** Verdict on packets that match: bytes to keep; 262144 if left out. */
  readonly snapLength?: number;
  /** IPv4 network mask for `ip broadcast`, 32 bits; 0 (not known) if left out. */
  readonly netmask?: number;
  /** Byte order of the headers of link type NULL; little endian if left out. */
  readonly isBigEndian?: boolean;
}

/**
 * What is known about a packet besides its bytes.
 * See {@linkcode compileFilter}.
 */
export interface PacketContext {
  /** Bytes on the wire; as many as there are if left out. */
  readonly wireLength?: number;
  /** The process that sent or got the packet, if known. */
  readonly process?: PacketProcess | undefined;
  /** Where the packet begins in the given bytes; at the first if left out. */
  readonly start?: number;
  /** Where it ends; with the last if left out. */
  readonly end?: number;
}

/** The process that a packet belongs to. See {@linkcode compileFilter}. */
export interface PacketProcess {
  /** Process number. */
  readonly pid: number;
  /** Name of the command, as in /proc/PID/comm. */
  readonly comm?: string;
  /** Whether the packet came to the process or was sent by it. */
  readonly direction?: "in" | "out";
}

/** Default verdict on packets that match, as in tcpdump. */
const DEFAULT_SNAP_LENGTH = 262144;
/** Longest command name that Linux keeps (TASK_COMM_LEN less the NUL). */
const MAX_COMM_LENGTH = 15;

/** A compiled filter. See {@linkcode compileFilter}. */
export interface Filter {
  /** The expression that it was made from. */
  readonly text: string;
  /** LINKTYPE_* number of the packets that it is for. */
  readonly linkType: number;
  /**
   * Classic BPF program. It accepts every packet that {@linkcode matches}
   * does; with process terms, which a program cannot see, it may accept more.
   */
  readonly program: readonly Instruction[];
  /** Whether there are terms about processes, so that `program` is not exact. */
  readonly usesProcess: boolean;
  /** Whether no packet can match. */
  readonly rejectsAll: boolean;
  /**
   * Tells whether a packet matches. It never does when the filter looks at
   * bytes that are not there.
   *
   * @param bytes Captured bytes, from where `placement` says they start.
   */
  matches(bytes: Uint8Array, context?: PacketContext): boolean;
  /** The expression with all qualifiers and parentheses written out. */
  toString(): string;
}

/**
 * Compiles a filter expression.
 *
 * @param text Expression of pcap-filter(7), with `pid N`, `comm NAME` and
 * `proc in|out` besides; an empty one matches all packets.
 * @throws {FilterSyntaxError} when the expression has a mistake.
 * @throws {RangeError} when the link type is not supported, or the program
 * would be larger than the kernel takes.
 *
 * @example Find DNS packets
 * ```ts
 * import { compileFilter } from "./compile.ts";
 * import assert from "node:assert/strict";
 *
 * const filter = compileFilter("udp port domain", { linkType: 101 });
 * const packet = new Uint8Array(28);
 * packet.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17]);
 * packet.set([0x30, 0x39, 0, 53], 20);
 * assert(filter.matches(packet));
 * assert(!filter.matches(packet.subarray(0, 20)));
 * ```
 */
export function compileFilter(text: string, options: FilterOptions): Filter {
  return new CompiledFilter(text, options);
}

/**
 * Host names in an expression, so that they can be looked up before it is
 * compiled.
 *
 * @throws {FilterSyntaxError} when the expression cannot be parsed.
 *
 * @example Find what has to be looked up
 * ```ts
 * import { findHostNames } from "./compile.ts";
 * import assert from "node:assert/strict";
 *
 * const text = "host www.example.org and port http or dst 10.0.0.1";
 * assert.deepEqual(findHostNames(text), ["www.example.org"]);
 * ```
 */
export function findHostNames(text: string): string[] {
  const names = new Set<string>();
  for (const { qualifiers, identifier } of namedMatches(text)) {
    const { type = "host", protocol } = qualifiers;
    const isHost = type === "gateway" ||
      (type === "host" && protocol !== "ether");
    if (isHost) names.add(identifier.name);
  }
  return [...names];
}

/**
 * Whether an expression names anything, so that what files of names
 * say can matter.
 *
 * @throws {FilterSyntaxError} when the expression cannot be parsed.
 */
export function usesNames(text: string): boolean {
  return !namedMatches(text).next().done;
}

type Match = Extract<FilterNode, { readonly kind: "match" }>;
type NamedMatch = Match & {
  readonly identifier: { readonly kind: "name"; readonly name: string };
};

function* namedMatches(text: string): Generator<NamedMatch, void> {
  const stack: FilterNode[] = [parseFilter(text)];
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (node.kind === "and" || node.kind === "or") {
      stack.push(node.right, node.left);
    } else if (node.kind === "not") stack.push(node.operand);
    else if (isNamed(node)) yield node;
  }
}

function isNamed(node: FilterNode): node is NamedMatch {
  return node.kind === "match" && node.identifier.kind === "name";
}

class CompiledFilter implements Filter {
  readonly text: string;
  readonly linkType: number;
  readonly program: readonly Instruction[];
  readonly usesProcess: boolean;
  readonly rejectsAll: boolean;
  readonly #tree: FilterNode;
  readonly #options: FilterOptions;
  /** Terms about processes; equal ones once. */
  readonly #terms: ProcessTerm[] = [];
  readonly #matcher: Matcher;
  /** Exact programs, by the outcomes of the terms. */
  readonly #exact = new Map<string, Matcher>();

  constructor(text: string, options: FilterOptions) {
    this.text = text;
    this.linkType = options.linkType;
    this.#options = options;
    outerLayout(options.linkType, options.placement ?? "file");
    this.#tree = parseFilter(text);
    this.program = this.#compile((term, positive) => {
      const format = formatFilter(term);
      if (!this.#terms.some((known) => formatFilter(known) === format)) {
        this.#terms.push(term);
      }
      return positive ? ALWAYS : NEVER;
    });
    this.usesProcess = this.#terms.length > 0;
    this.rejectsAll = this.program.length === 1 && this.program[0]!.k === 0;
    this.#matcher = makeMatcher(this.program);
  }

  matches(bytes: Uint8Array, context: PacketContext = {}): boolean {
    const { process, start = 0, end = bytes.length } = context;
    const { wireLength = end - start } = context;
    // A cut packet can match exactly what the program cannot look at.
    if (this.#matcher(bytes, wireLength, start, end) === 0) return false;
    if (!this.usesProcess) return true;
    const outcomes = this.#terms.map((term) => isTrue(term, process));
    const key = outcomes.join();
    let matcher = this.#exact.get(key);
    if (matcher === undefined) {
      const known = new Map(
        this.#terms.map((term, at) => [formatFilter(term), outcomes[at]]),
      );
      matcher = makeMatcher(
        this.#compile((term) => known.get(formatFilter(term)) ? ALWAYS : NEVER),
      );
      this.#exact.set(key, matcher);
    }
    return matcher(bytes, wireLength, start, end) !== 0;
  }

  toString(): string {
    return formatFilter(this.#tree);
  }

  #compile(
    processTerm: (term: ProcessTerm, positive: boolean) => Condition,
  ): Instruction[] {
    const { linkType, placement, resolve, netmask, isBigEndian } =
      this.#options;
    const condition = lowerFilter(this.#tree, new Values(), {
      linkType,
      placement: placement ?? "file",
      names: resolve ?? BUILT_IN_NAMES,
      netmask: netmask ?? 0,
      isBigEndian: isBigEndian ?? false,
      processTerm,
      fail: (at, reason, expected): never => {
        throw new FilterSyntaxError(this.text, at, reason, expected);
      },
    });
    const graph = new Graph();
    const root = optimize(graph, buildGraph(graph, condition));
    const program = this.#emit(root);
    if (program.length > BPF_MAXINSNS) {
      throw new RangeError(
        `Cannot compile filter: it takes ${program.length} instructions, ` +
          `the kernel takes ${BPF_MAXINSNS}`,
      );
    }
    validateClassic(program);
    return program;
  }

  #emit(root: Parameters<typeof emit>[0]): Instruction[] {
    try {
      return emit(root, this.#options.snapLength ?? DEFAULT_SNAP_LENGTH);
    } catch (error) {
      if (!(error instanceof CellError)) throw error;
      throw new RangeError(
        "Cannot compile filter: it needs more than 16 intermediate results",
      );
    }
  }
}

function isTrue(
  term: ProcessTerm,
  process: PacketProcess | undefined,
): boolean {
  if (process === undefined) return false;
  switch (term.kind) {
    case "pid":
      return process.pid === term.pid;
    case "comm":
      return process.comm?.slice(0, MAX_COMM_LENGTH) ===
        term.name.slice(0, MAX_COMM_LENGTH);
    case "proc":
      return process.direction === term.direction;
  }
}

export { FilterLinkType };
