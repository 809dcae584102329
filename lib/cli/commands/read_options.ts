/**
 * The options of reading capture files.
 *
 * @module
 */

import { FILTER_OPTIONS } from "../filter_options.ts";
import type { OptionTable } from "../options.ts";
import { PRINT_OPTIONS, PRINT_SECTION } from "../print_options.ts";
import { nonEmpty, oneOf, wholeNumber } from "../values.ts";

const SELECTION = "Which packets";
const RESULT = "What to do with them";

/** Every option of `tracedump read`, in the order of `--help`. */
export const READ_OPTIONS = {
  filter: { ...FILTER_OPTIONS.filter, section: SELECTION },
  filterFile: { ...FILTER_OPTIONS.filterFile, section: SELECTION },
  dumpProgram: { ...FILTER_OPTIONS.dumpProgram, section: SELECTION },
  limit: {
    kind: "value",
    long: "limit",
    short: "c",
    section: SELECTION,
    metavar: "N",
    parse: wholeNumber(1),
    help: "only the first `N` packets that match",
  },
  count: {
    kind: "flag",
    long: "count",
    section: RESULT,
    help: "print only how many packets match",
  },
  output: {
    kind: "value",
    long: "output",
    short: "ow",
    section: RESULT,
    metavar: "FILE",
    completion: "file",
    parse: nonEmpty,
    help: "write them into this file instead; `-` is standard output",
    detail: "Several files become one, in the order of time. A single file" +
      " that keeps its format is copied byte for byte, without the packets" +
      " that are left out.",
  },
  format: {
    kind: "value",
    long: "format",
    section: RESULT,
    metavar: "KIND",
    parse: oneOf(["pcap", "pcapng"]),
    help: "format of the output: pcap or pcapng",
    detail: "By default the ending of its name decides: `.pcapng` and `.ntar`" +
      " are pcapng, everything else is pcap. Standard output has the format" +
      " of the first file.",
  },
  json: {
    kind: "flag",
    long: "json",
    section: RESULT,
    help: "print one JSON object a line",
  },
  ...PRINT_OPTIONS,
  numeric: {
    kind: "flag",
    long: "numeric",
    short: "n",
    section: PRINT_SECTION,
    help: "numbers instead of names of hosts and ports",
    detail: "Names of hosts are only those in the file itself; nobody is" +
      " asked for them.",
  },
  quick: {
    kind: "flag",
    long: "quick",
    short: "q",
    section: PRINT_SECTION,
    help: "shorter lines",
  },
  verbose: {
    kind: "flag",
    long: "verbose",
    short: "v",
    counted: true,
    section: PRINT_SECTION,
    help: "more about each packet; `-vv` and `-vvv` yet more",
  },
  nano: {
    kind: "flag",
    long: "nano",
    section: PRINT_SECTION,
    help: "time in nanoseconds; in a pcap output, too",
  },
  help: {
    kind: "flag",
    long: "help",
    short: "h",
    section: "Help",
    immediate: true,
    help: "show this help and exit",
  },
} as const satisfies OptionTable;
