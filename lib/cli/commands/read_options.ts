/**
 * The options of reading capture files.
 *
 * @module
 */

import { FILTER_OPTIONS } from "../filter_options.ts";
import type { OptionTable } from "../options.ts";
import { nonEmpty, oneOf, wholeNumber } from "../values.ts";

const SELECTION = "Which packets";
const PRINTING = "How to print";
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
  numeric: {
    kind: "flag",
    long: "numeric",
    short: "n",
    section: PRINTING,
    help: "numbers instead of names of hosts and ports",
    detail: "Names of hosts are only those in the file itself; nobody is" +
      " asked for them.",
  },
  linkHeader: {
    kind: "flag",
    long: "link-header",
    short: "e",
    section: PRINTING,
    help: "the link-layer header, too",
  },
  quick: {
    kind: "flag",
    long: "quick",
    short: "q",
    section: PRINTING,
    help: "shorter lines",
  },
  verbose: {
    kind: "flag",
    long: "verbose",
    short: "v",
    counted: true,
    section: PRINTING,
    help: "more about each packet; `-vv` and `-vvv` yet more",
  },
  time: {
    kind: "flag",
    long: "time",
    short: "t",
    counted: true,
    section: PRINTING,
    help: "time: none, `-tt` seconds, `-ttt` since the last packet," +
      " `-tttt` with date, `-ttttt` since the first packet",
  },
  nano: {
    kind: "flag",
    long: "nano",
    section: PRINTING,
    help: "time in nanoseconds; in a pcap output, too",
  },
  text: {
    kind: "flag",
    long: "ascii",
    short: "A",
    counted: true,
    section: PRINTING,
    help: "the payload as text, `-AA` with all headers",
  },
  hex: {
    kind: "flag",
    long: "hex",
    short: "x",
    counted: true,
    section: PRINTING,
    help: "the packet in hexadecimal, `-xx` with its link header",
  },
  hexText: {
    kind: "flag",
    long: "hex-ascii",
    short: "X",
    counted: true,
    section: PRINTING,
    help: "in hexadecimal and as text, `-XX` with its link header",
  },
  absolute: {
    kind: "flag",
    long: "absolute-sequence",
    short: "S",
    section: PRINTING,
    help: "TCP sequence numbers as they are, not from 0 on",
  },
  number: {
    kind: "flag",
    long: "number",
    short: "#",
    section: PRINTING,
    help: "the number of each packet",
  },
  color: {
    kind: "value",
    long: "color",
    section: PRINTING,
    metavar: "WHEN",
    defaultText: "auto",
    parse: oneOf(["auto", "always", "never"]),
    help: "color: auto, always or never",
    detail: "`auto` is on a terminal, unless the variable NO_COLOR is set.",
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
