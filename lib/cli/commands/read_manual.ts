/**
 * What `--help` and the manual page say about reading capture files.
 *
 * @module
 */

import type { Manual } from "../command.ts";
import { EXIT_CODE } from "../exit_code.ts";

/** The manual of `tracedump read`. */
export const READ_MANUAL: Manual = {
  summary: "print, filter, convert and merge capture files",
  synopsis: [
    "[OPTIONS] FILE... [EXPRESSION]",
    "[OPTIONS] -o OUTPUT FILE... [EXPRESSION]",
  ],
  description:
    "Prints the packets of capture files, one line each, in the form of " +
    "tcpdump(8), with the process that each belongs to where the file tells " +
    "it; or writes them into another file. Reads pcap and pcapng, also " +
    "compressed by gzip or zstd; `-` is standard input.",
  details: [
    "The first argument is a file. Those that follow are files as long as " +
    "they exist; the rest is an expression of pcap-filter(7). After `--`, or " +
    "where `--filter` or `--filter-file` is given, there is no doubt: what " +
    "follows `--` is the expression, all other arguments are files.",
    "Packets of several files come in the order of their times.",
    "No rights are needed but that to read the files, and nothing is sent to " +
    "the network unless the expression has a name of a host.",
  ],
  examples: [
    { command: "tracedump read -n dump.pcap", text: "print every packet" },
    {
      command: "tracedump read -A dump.pcap tcp port 80",
      text: "what is said on a port",
    },
    {
      command: "tracedump read --count dump.pcapng 'comm curl and proc out'",
      text: "how many packets a program sent",
    },
    {
      command: "tracedump read -o all.pcapng one.pcap two.pcapng.gz",
      text: "merge files, in the order of time",
    },
    {
      command: "tracedump read --json dump.pcapng | jq .process",
      text: "for other programs",
    },
  ],
  sections: [
    {
      title: "DAMAGED FILES",
      paragraphs: [
        "Of a file that is damaged or ends too early, every packet before is " +
        "read; then one message tells where the damage is, and the exit " +
        "status is 1.",
      ],
    },
    {
      title: "CONVERTING",
      paragraphs: [
        "A pcap file has one link type and keeps nothing but time and data " +
        "of packets. pcapng also keeps interfaces, directions, comments and " +
        "the process of each packet. Where several files become one pcapng " +
        "file, equal interfaces become one, and blocks and options that are " +
        "not known are kept as they are; of the section headers, the first " +
        "is kept, and blocks that are not to be copied are left out.",
      ],
    },
    {
      title: "JSON",
      paragraphs: [
        "Each object has `number`, `time` (ISO 8601, nanoseconds), `linkType`, " +
        "`length`, `captured`, `layers` (each header with its fields) and " +
        "`info`, the line that is printed otherwise; where they are known " +
        "`interface`, `direction`, `process` (`pid`, `tid`, `comm`, `args`), " +
        "`comments`, `protocol`, `source`, `sourcePort`, `destination`, " +
        "`destinationPort`, and in hexadecimal the `payload`; and what was " +
        "wrong as `truncated` or `malformed`.",
      ],
    },
  ],
  exitStatus: [
    [String(EXIT_CODE.OK), "every packet was read"],
    [String(EXIT_CODE.FAILURE), "a file cannot be read or is damaged"],
    [String(EXIT_CODE.USAGE), "the command line or the expression is wrong"],
  ],
};
