/**
 * The options of capturing.
 *
 * @module
 */

import type { OptionTable } from "../options.ts";
import type { KernelFilterChoice, TrackerChoice } from "../../session/types.ts";
import { FILTER_OPTIONS } from "../filter_options.ts";
import { nonEmpty, oneOf, positiveTime, time, wholeNumber } from "../values.ts";

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
