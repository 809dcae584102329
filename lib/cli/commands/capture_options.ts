/**
 * The options of capturing.
 *
 * @module
 */

import type { OptionTable } from "../options.ts";
import type {
  CaptureFormat,
  CommentChoice,
  KernelFilterChoice,
  TrackerChoice,
} from "../../session/types.ts";
import { FILTER_OPTIONS } from "../filter_options.ts";
import { PRINT_OPTIONS, PRINT_SECTION } from "../print_options.ts";
import {
  nonEmpty,
  oneOf,
  positiveTime,
  size,
  time,
  wholeNumber,
  wholeSeconds,
} from "../values.ts";

/** Default output file. */
export const DEFAULT_OUTPUT = "dump.pcap";
/** Default size of the kernel's packet buffer, in MiB. */
export const DEFAULT_BUFFER_SIZE = 16;
/** Default wait for the last packets, in milliseconds. */
export const DEFAULT_LINGER = 2000;
/** Debug level that `--verbose` stands for. */
export const VERBOSE_LEVEL = 5;

/** MAXIMUM_SNAPLEN of libpcap: readers refuse files that claim more. */
const MAX_SNAPLEN = 262_144;
/** Largest packet buffer, in MiB. */
export const MAX_BUFFER_SIZE = 1024;

const TRACKERS = [
  "auto",
  "ebpf",
  "ptrace",
  "cg",
  "fe",
  "tp",
] as const satisfies readonly TrackerChoice[];

const FORMATS = [
  "pcap",
  "pcapng",
] as const satisfies readonly CaptureFormat[];

const COMMENTS = [
  "first",
  "all",
  "none",
] as const satisfies readonly CommentChoice[];

const KERNEL_FILTERS = [
  "auto",
  "map",
  "classic",
] as const satisfies readonly KernelFilterChoice[];

/** Every option of `tracedump`, in the order of `--help`. */
export const CAPTURE_OPTIONS = {
  output: {
    kind: "value",
    long: "output",
    short: "ow",
    section: "Output",
    metavar: "FILE",
    defaultText: DEFAULT_OUTPUT,
    completion: "file",
    parse: nonEmpty,
    help: "output file; `-` is standard output",
    detail: "Standard output is flushed after every batch of packets, so that" +
      " a program that reads it through a pipe is live; what the command" +
      " prints then goes to standard error.",
  },
  snaplen: {
    kind: "value",
    long: "snaplen",
    short: "s",
    section: "Output",
    metavar: "N",
    defaultText: "0",
    parse: wholeNumber(0, MAX_SNAPLEN),
    help: "bytes kept of each IP packet; 0 keeps all",
  },
  nano: {
    kind: "flag",
    long: "nano",
    section: "Output",
    help: "time stamps in nanoseconds instead of microseconds",
    detail: "pcapng files have nanoseconds anyway.",
  },
  format: {
    kind: "value",
    long: "format",
    section: "Output",
    metavar: "FORMAT",
    parse: oneOf(FORMATS),
    help: "pcap or pcapng; by default what the file's ending says, else pcap",
    detail: "pcapng also tells the process of each packet, interfaces by" +
      " name, directions, what was dropped, and the names that the program" +
      " asked DNS for.",
  },
  comments: {
    kind: "value",
    long: "comments",
    section: "Output",
    metavar: "WHICH",
    defaultText: "first",
    parse: oneOf(COMMENTS),
    help: "pcapng: packets with a comment on their process: first (of each" +
      " connection), all or none",
  },
  processBlocks: {
    kind: "flag",
    long: "process-blocks",
    section: "Output",
    help: "pcapng: also write Wireshark 5's process blocks",
    detail: "Wireshark up to 4.6 counts such a block as a packet.",
  },
  tlsKeys: {
    kind: "flag",
    long: "tls-keys",
    section: "Output",
    help: "pcapng: put the command's TLS keys into the file",
    detail: "Sets SSLKEYLOGFILE for the command, so that Wireshark can" +
      " decrypt what programs say that know this variable: curl, Python," +
      " browsers; and NODE_OPTIONS for Node.js, which warns of it. Whoever" +
      " has the file can read it, too.",
  },
  rotateSize: {
    kind: "value",
    long: "rotate-size",
    short: "C",
    section: "Output",
    metavar: "SIZE",
    parse: size,
    help: "go on in a new file when this one is full: `500k`, `100M`, `1G`",
    detail: "A plain number means megabytes. The files are called" +
      " `dump-00001.pcap` and so on, unless FILE has conversions of" +
      " strftime(3), such as `dump-%H%M%S.pcap`.",
  },
  rotateSeconds: {
    kind: "value",
    long: "rotate-seconds",
    short: "G",
    section: "Output",
    metavar: "TIME",
    parse: wholeSeconds,
    help: "go on in a new file after this time: `60`, `10m`, `1h`",
  },
  files: {
    kind: "value",
    long: "files",
    short: "W",
    section: "Output",
    metavar: "N",
    parse: wholeNumber(1),
    help: "keep only the newest `N` files",
  },
  unbuffered: {
    kind: "flag",
    long: "packet-buffered",
    short: "U",
    section: "Output",
    help: "write each packet at once",
  },
  interfaces: {
    kind: "list",
    long: "interface",
    short: "i",
    section: "What to capture",
    metavar: "NAME",
    defaultText: "all",
    completion: "interface",
    parse: nonEmpty,
    help: "only this interface; may be repeated",
  },
  ...FILTER_OPTIONS,
  noFollow: {
    kind: "flag",
    long: "no-follow",
    section: "What to capture",
    help: "leave out child processes",
  },
  icmp: {
    kind: "flag",
    long: "icmp",
    section: "What to capture",
    help: "also ICMP errors about the program's packets",
  },
  user: {
    kind: "value",
    long: "user",
    short: "u",
    section: "What to capture",
    metavar: "NAME",
    completion: "user",
    parse: nonEmpty,
    help: "run the command as this user",
  },
  bufferSize: {
    kind: "value",
    long: "buffer-size",
    short: "B",
    section: "What to capture",
    metavar: "MIB",
    defaultText: String(DEFAULT_BUFFER_SIZE),
    parse: wholeNumber(1, MAX_BUFFER_SIZE),
    help: "size of the kernel's packet buffer",
    detail: "Make it larger when the summary counts packets that the kernel" +
      " dropped.",
  },
  print: {
    kind: "flag",
    long: "print",
    section: PRINT_SECTION,
    help: "print the packets as they come; written only with `--output`",
    detail: "Lines are those of `tracedump read -n`; what the command prints" +
      " goes to standard error. What cannot be printed in time is counted;" +
      " neither the program nor the file waits for it.",
  },
  ...PRINT_OPTIONS,
  tracker: {
    kind: "value",
    long: "tracker",
    section: "How to follow the program",
    metavar: "WAY",
    defaultText: "auto",
    parse: oneOf(TRACKERS),
    help: "auto, ebpf or ptrace",
    detail:
      "`auto` takes eBPF where the kernel and your rights permit it, and" +
      " says so when it has to take ptrace. `cg`, `fe` and `tp` ask for one" +
      " set of eBPF hooks: cgroups, fentry, tracepoints.",
  },
  kernelFilter: {
    kind: "value",
    long: "kernel-filter",
    section: "How to follow the program",
    metavar: "KIND",
    defaultText: "auto",
    parse: oneOf(KERNEL_FILTERS),
    help: "kernel filter: auto, map or classic",
    detail:
      "How the kernel selects packets: `map` is an eBPF program whose rules are map entries; `classic`" +
      " needs no right but CAP_NET_RAW.",
  },
  maxSize: {
    kind: "value",
    long: "max-size",
    section: "When to stop",
    metavar: "SIZE",
    parse: size,
    help: "stop before the files are larger than this together",
  },
  minFree: {
    kind: "value",
    long: "min-free",
    section: "When to stop",
    metavar: "SIZE",
    parse: size,
    help: "stop before less than this is free on the disk",
  },
  count: {
    kind: "value",
    long: "count",
    short: "c",
    section: "When to stop",
    metavar: "N",
    parse: wholeNumber(1),
    help: "stop after `N` packets",
  },
  duration: {
    kind: "value",
    long: "duration",
    section: "When to stop",
    metavar: "TIME",
    parse: positiveTime,
    help: "stop after this time: `500ms`, `10s`, `2m`, `1h30m`",
    detail: "A plain number means seconds.",
  },
  linger: {
    kind: "value",
    long: "linger",
    section: "When to stop",
    metavar: "TIME",
    defaultText: "2s",
    parse: time,
    help: "longest wait for the last packets",
    detail: "When the command has ended, the kernel still says good-bye for" +
      " it: `tracedump` waits until its connections have exchanged FINs," +
      " or until what was under way before a reset has arrived.",
  },
  quiet: {
    kind: "flag",
    long: "quiet",
    short: "q",
    section: "Messages",
    help: "only warnings and errors",
  },
  debug: {
    kind: "value",
    long: "debug",
    section: "Messages",
    metavar: "N",
    defaultText: "0",
    parse: wholeNumber(0, 9),
    help: "tell more, up to level 9",
  },
  verbose: {
    kind: "flag",
    long: "verbose",
    short: "V",
    section: "Messages",
    help: `the same as \`--debug ${VERBOSE_LEVEL}\``,
  },
  version: {
    kind: "flag",
    long: "version",
    short: "v",
    section: "Help",
    immediate: true,
    help: "show the version and exit",
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
