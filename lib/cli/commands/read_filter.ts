/**
 * The filter of `tracedump read`: packets of one reading may have several link
 * types.
 *
 * @module
 */

import type { Filter } from "../../../bpf/filter/compile.ts";
import type { NameResolver } from "../../../bpf/filter/names.ts";
import { makeMatcher, type Matcher } from "../../../bpf/filter/matcher.ts";
import { lookUpNames, resolverOf } from "../../session/filter_names.ts";
import { PacketFilter } from "../../session/trace/filter.ts";
import type {
  CaptureInterface,
  CaptureRecord,
  PacketTest,
} from "../../pcap/capture_stream.ts";

/** Tells whether packets match. */
export class ReadFilter {
  readonly #filter: PacketFilter;
  #from: CaptureInterface | undefined;
  #current: Filter | undefined;

  private constructor(filter: PacketFilter) {
    this.#filter = filter;
  }

  /**
   * Looks up the names in an expression and compiles it.
   *
   * @param linkType Link type of the first packets, if that is known: it need
   *   not be compiled for another one.
   * @throws {FilterSyntaxError} when it has a mistake
   */
  static async compile(text: string, linkType?: number): Promise<ReadFilter> {
    const resolve = resolverOf(await lookUpNames(text));
    return new ReadFilter(
      (linkType === undefined ? undefined : tryFor(linkType, text, resolve)) ??
        new PacketFilter(text, { resolve }),
    );
  }

  /** Whether it asks for the process, which only a whole record tells. */
  get usesProcess(): boolean {
    return this.#filter.usesProcess;
  }

  /**
   * The filter for one link type.
   *
   * @throws {FilterSyntaxError} when the link type has not what it looks at
   */
  forLinkType(linkType: number): Filter {
    return this.#filter.forLinkType(linkType);
  }

  /**
   * The filter as a test of bytes, to be used if it does not ask for the
   * process. It throws like {@linkcode ReadFilter.forLinkType}.
   */
  get test(): PacketTest {
    let last: CaptureInterface | undefined;
    let matcher: Matcher | undefined;
    return (chunk, start, end, originalLength, from) => {
      if (from !== last) {
        matcher = makeMatcher(this.#of(from).program);
        last = from;
      }
      return matcher!(chunk, originalLength, start, end) !== 0;
    };
  }

  /**
   * Tells whether a record matches.
   *
   * @throws {FilterSyntaxError} when its link type has not what it looks at
   */
  matches(record: CaptureRecord): boolean {
    const { process, direction } = record;
    return this.#of(record.interface).matches(record.data, {
      wireLength: record.originalLength,
      process: process === undefined
        ? undefined
        : direction === undefined
        ? process
        : { ...process, direction },
    });
  }

  /** Packets of one interface often follow each other. */
  #of(from: CaptureInterface): Filter {
    if (from !== this.#from) {
      this.#from = from;
      this.#current = this.forLinkType(from.linkType);
    }
    return this.#current!;
  }
}

/** Gives nothing where the expression fits other link types at best. */
function tryFor(
  linkType: number,
  text: string,
  resolve: NameResolver,
): PacketFilter | undefined {
  try {
    return new PacketFilter(text, { resolve, linkType });
  } catch {
    return undefined;
  }
}
