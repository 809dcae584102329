/**
 * Filters for packets of any link type.
 *
 * @module
 */
import type { Instruction } from "../../../bpf/classic/instruction.ts";
import {
  compileFilter as compileForLink,
  type Filter,
  FilterLinkType,
  type FilterOptions,
} from "../../../bpf/filter/compile.ts";
import { FilterSyntaxError } from "../../../bpf/filter/errors.ts";
import type { NameResolver } from "../../../bpf/filter/names.ts";
import type { Packet } from "./packet.ts";

/** Settings of {@linkcode compileFilter}. */
export interface PacketFilterOptions {
  /**
   * Link type that {@linkcode PacketFilter.program} is for, a LINKTYPE_
   * number. Default: Ethernet, or the first that has what the filter looks at.
   */
  readonly linkType?: number;
  /** Looks up names of ports, protocols and hosts; built-in tables by default. */
  readonly resolve?: NameResolver;
  /** IPv4 network mask for `ip broadcast`, 32 bits; not known by default. */
  readonly netmask?: number;
}

/**
 * A filter expression, compiled. Packets may be of different link types: the
 * expression is compiled for each when it comes up.
 *
 * @example Look at a filter
 * ```ts
 * import { PacketFilter } from "./filter.ts";
 * import assert from "node:assert/strict";
 *
 * const filter = new PacketFilter("port 80 or 443 and pid 42");
 * assert(filter.usesProcess);
 * assert.equal(filter.linkType, 1);
 * assert.equal(`${filter}`, "port 80 or port 443 and pid 42");
 * ```
 */
export class PacketFilter {
  /** The expression that it was made from. */
  readonly text: string;
  /** Link type that {@linkcode PacketFilter.program} is for. */
  readonly linkType: number;
  /** Whether it asks for the process: `pid`, `comm` or `proc`. */
  readonly usesProcess: boolean;
  readonly #options: PacketFilterOptions;
  readonly #filters = new Map<number, Filter>();

  /**
   * Compiles an expression; {@linkcode compileFilter} says how.
   *
   * @throws {FilterSyntaxError} when the expression has a mistake
   */
  constructor(text: string, options: PacketFilterOptions = {}) {
    this.text = text;
    this.#options = options;
    this.linkType = options.linkType ?? this.#fittingLinkType();
    this.usesProcess = this.forLinkType(this.linkType).usesProcess;
  }

  /** Classic BPF program for {@linkcode PacketFilter.linkType}. */
  get program(): readonly Instruction[] {
    return this.forLinkType(this.linkType).program;
  }

  /**
   * Tells whether a packet matches. It never does when the filter looks at
   * bytes that were not captured.
   *
   * @throws {FilterSyntaxError} when the packet's link type has not what the
   * filter looks at
   * @throws {RangeError} when filters do not know the packet's link type
   */
  matches(packet: Packet): boolean {
    const { process, direction } = packet;
    return this.forLinkType(packet.linkType).matches(packet.data, {
      wireLength: packet.wireLength,
      ...(process === undefined ? {} : {
        process: {
          pid: process.pid,
          ...(process.comm === undefined ? {} : { comm: process.comm }),
          ...(direction === "in" || direction === "out" ? { direction } : {}),
        },
      }),
    });
  }

  /**
   * The filter for packets of one link type.
   *
   * @param linkType a LINKTYPE_ number
   * @param kernel set to have it for a packet socket instead of a file; it is
   *   not kept
   * @throws {FilterSyntaxError} when the link type has not what it looks at
   * @throws {RangeError} when filters do not know the link type
   */
  forLinkType(
    linkType: number,
    kernel?: Pick<FilterOptions, "placement" | "snapLength">,
  ): Filter {
    if (kernel !== undefined) return this.#compile(linkType, kernel);
    let filter = this.#filters.get(linkType);
    if (filter === undefined) {
      filter = this.#compile(linkType);
      this.#filters.set(linkType, filter);
    }
    return filter;
  }

  /** The expression with all qualifiers and parentheses written out. */
  toString(): string {
    return this.forLinkType(this.linkType).toString();
  }

  #compile(linkType: number, more: Partial<FilterOptions> = {}): Filter {
    const { resolve, netmask } = this.#options;
    return compileForLink(this.text, {
      ...more,
      linkType,
      ...(resolve === undefined ? {} : { resolve }),
      ...(netmask === undefined ? {} : { netmask }),
    });
  }

  #fittingLinkType(): number {
    let mistake: unknown;
    const { ETHERNET } = FilterLinkType;
    for (const linkType of [ETHERNET, ...Object.values(FilterLinkType)]) {
      try {
        this.forLinkType(linkType);
        return linkType;
      } catch (error) {
        if (!(error instanceof FilterSyntaxError)) throw error;
        mistake ??= error;
      }
    }
    throw mistake;
  }
}

/**
 * Compiles a filter expression of pcap-filter(7), with `pid N`, `comm NAME` and
 * `proc in|out` besides; `docs/filter.md` has the language.
 *
 * @param text The expression; an empty one matches all packets.
 * @throws {FilterSyntaxError} when the expression has a mistake; it says where
 * @throws {RangeError} when the link type is not supported, or the program
 * would be larger than the kernel takes
 *
 * @example Find DNS packets
 * ```ts
 * import { compileFilter } from "./filter.ts";
 * import { Packet } from "./packet.ts";
 * import assert from "node:assert/strict";
 *
 * const filter = compileFilter("udp port domain");
 * const data = new Uint8Array(28);
 * data.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17]);
 * data.set([0x30, 0x39, 0, 53], 20);
 * assert(filter.matches(new Packet({ timestamp: 0n, linkType: 101, data })));
 * ```
 */
export function compileFilter(
  text: string,
  options: PacketFilterOptions = {},
): PacketFilter {
  return new PacketFilter(text, options);
}
