/**
 * The user's filter on the packets of a live capture: Linux cooked packets,
 * whose owner is known.
 *
 * @module
 */
import { compileFilter, type Filter } from "../../bpf/filter/compile.ts";
import { LinkType } from "../bytes/link_type.ts";
import type { OwnerTable } from "../trace/owner_table.ts";
import { type FilterSource, resolverOf } from "./filter_names.ts";

/**
 * Compiles an expression for cooked packets.
 *
 * @throws {FilterSyntaxError} when it has a mistake
 */
export function compileSource(source: FilterSource): Filter {
  return compileFilter(source.text, {
    linkType: LinkType.LINUX_SLL,
    resolve: resolverOf(source),
  });
}

/** Applies a filter to packets in place. */
export class LiveFilter {
  readonly #filter: Filter;
  readonly #owners: Pick<OwnerTable, "get">;
  /** One for all packets, so that none is made for each. */
  readonly #context: {
    wireLength: number;
    start: number;
    end: number;
    process: { pid: number; comm: string; direction: "in" | "out" } | undefined;
  } = { wireLength: 0, start: 0, end: 0, process: undefined };
  readonly #process = { pid: 0, comm: "", direction: "in" as "in" | "out" };

  /** @throws {FilterSyntaxError} when the expression has a mistake */
  constructor(source: FilterSource, owners: Pick<OwnerTable, "get">) {
    this.#filter = compileSource(source);
    this.#owners = owners;
  }

  /**
   * Whether a packet matches.
   *
   * @param start where the cooked packet begins in `bytes`
   * @param end where it ends
   * @param wireLength its length before it was cut
   * @param sent whether the owner sent it
   */
  matches(
    bytes: Uint8Array,
    start: number,
    end: number,
    wireLength: number,
    owner: number,
    sent: boolean,
  ): boolean {
    const context = this.#context;
    context.start = start;
    context.end = end;
    context.wireLength = wireLength;
    const known = this.#filter.usesProcess
      ? this.#owners.get(owner)
      : undefined;
    if (known === undefined) context.process = undefined;
    else {
      const process = this.#process;
      process.pid = known.pid;
      process.comm = known.comm;
      process.direction = sent ? "out" : "in";
      context.process = process;
    }
    return this.#filter.matches(bytes, context);
  }
}
