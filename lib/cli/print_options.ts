/**
 * The options that say how packets are printed: the same in every command that
 * prints them.
 *
 * @module
 */

import {
  type PayloadFormat,
  type PrintOptions,
  TIME_FORMATS,
} from "../text/print_options.ts";
import type { Host } from "./host.ts";
import type { OptionTable, OptionValues } from "./options.ts";
import { oneOf } from "./values.ts";

/** Where `--help` lists them. */
export const PRINT_SECTION = "How to print";

/** To be spread into a command's table. */
export const PRINT_OPTIONS = {
  linkHeader: {
    kind: "flag",
    long: "link-header",
    short: "e",
    section: PRINT_SECTION,
    help: "the link-layer header, too",
  },
  time: {
    kind: "flag",
    long: "time",
    short: "t",
    counted: true,
    section: PRINT_SECTION,
    help: "time: none, `-tt` seconds, `-ttt` since the last packet," +
      " `-tttt` with date, `-ttttt` since the first packet",
  },
  text: {
    kind: "flag",
    long: "ascii",
    short: "A",
    counted: true,
    section: PRINT_SECTION,
    help: "the payload as text, `-AA` with all headers",
  },
  hex: {
    kind: "flag",
    long: "hex",
    short: "x",
    counted: true,
    section: PRINT_SECTION,
    help: "the packet in hexadecimal, `-xx` with its link header",
  },
  hexText: {
    kind: "flag",
    long: "hex-ascii",
    short: "X",
    counted: true,
    section: PRINT_SECTION,
    help: "in hexadecimal and as text, `-XX` with its link header",
  },
  absolute: {
    kind: "flag",
    long: "absolute-sequence",
    short: "S",
    section: PRINT_SECTION,
    help: "TCP sequence numbers as they are, not from 0 on",
  },
  number: {
    kind: "flag",
    long: "number",
    short: "#",
    section: PRINT_SECTION,
    help: "the number of each packet",
  },
  color: {
    kind: "value",
    long: "color",
    section: PRINT_SECTION,
    metavar: "WHEN",
    defaultText: "auto",
    parse: oneOf(["auto", "always", "never"]),
    help: "color: auto, always or never",
    detail: "`auto` is on a terminal, unless the variable NO_COLOR is set.",
  },
} as const satisfies OptionTable;

type PrintValues = OptionValues<typeof PRINT_OPTIONS>;

/** What the options ask of the printer. */
export function printOptions(options: PrintValues, host: Host): PrintOptions {
  const { color } = options;
  const isTerminal = host.stdout.isTerminal &&
    !host.environment("NO_COLOR");
  return {
    time: TIME_FORMATS[Math.min(options.time, TIME_FORMATS.length - 1)]!,
    timeZone: host.timeZone,
    linkHeader: options.linkHeader,
    absoluteSequence: options.absolute,
    numbered: options.number,
    payload: payloadFormat(options),
    color: color === "always" || (color !== "never" && isTerminal),
  };
}

function payloadFormat({ text, hex, hexText }: PrintValues): PayloadFormat {
  if (hexText > 0) return hexText > 1 ? "hex-text-frame" : "hex-text";
  if (hex > 0) return hex > 1 ? "hex-frame" : "hex";
  return text > 1 ? "text-frame" : text > 0 ? "text" : "none";
}
