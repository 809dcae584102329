/**
 * The options that name a packet filter: the same in every command.
 *
 * @module
 */

import type { OptionTable } from "./options.ts";
import { nonEmpty } from "./values.ts";

/** To be spread into a command's table. */
export const FILTER_OPTIONS = {
  filter: {
    kind: "value",
    long: "filter",
    short: "f",
    section: "What to capture",
    metavar: "EXPR",
    parse: nonEmpty,
    help: "only packets that match this expression of pcap-filter(7)",
    detail: "Beside the primitives of pcap-filter(7) there are `pid N`," +
      " `comm NAME` and `proc in` or `proc out`. Host names are looked up" +
      " once.",
  },
  filterFile: {
    kind: "value",
    long: "filter-file",
    short: "F",
    section: "What to capture",
    metavar: "FILE",
    completion: "file",
    parse: nonEmpty,
    help: "the same, with the expression read from a file",
  },
  dumpProgram: {
    kind: "flag",
    long: "dump-program",
    short: "d",
    section: "What to capture",
    counted: true,
    help: "print the filter's program and exit",
    detail: "`-d` prints it for people, `-dd` as C, `-ddd` as numbers.",
  },
} as const satisfies OptionTable;
