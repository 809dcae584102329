/**
 * From the command line to what is to be read and what is to become of it.
 *
 * @module
 */

import type { PrintOptions } from "../../text/print_options.ts";
import { readExpression } from "../filter_expression.ts";
import { invocation } from "../help.ts";
import { FileError, type Host } from "../host.ts";
import type { OptionValues } from "../options.ts";
import type { ParsedArguments } from "../parse.ts";
import { printOptions } from "../print_options.ts";
import { UsageError } from "../usage_error.ts";
import { READ_COMMAND } from "./read.ts";
import type { READ_OPTIONS } from "./read_options.ts";

/** Formats of an output by the ending of its name. */
const FORMATS: Readonly<Record<string, "pcap" | "pcapng">> = {
  pcap: "pcap",
  cap: "pcap",
  dmp: "pcap",
  pcapng: "pcapng",
  ntar: "pcapng",
};

/** What becomes of the packets. */
export type ReadAction =
  | { readonly kind: "print" | "count" | "json" }
  | {
    readonly kind: "write";
    readonly output: string;
    /** That of the first file if left out. */
    readonly format?: "pcap" | "pcapng" | undefined;
    readonly nanoseconds: boolean;
  };

/** What a `read` command line asks for. */
export interface ReadPlan {
  readonly files: readonly string[];
  /** Expression of pcap-filter(7). */
  readonly expression: string | undefined;
  /** How often `-d` was given. */
  readonly dumpProgram: number;
  /** Most packets to take. */
  readonly limit: number;
  readonly action: ReadAction;
  readonly print: PrintOptions;
  /** Whether to print numbers only. */
  readonly numeric: boolean;
}

type ReadValues = OptionValues<typeof READ_OPTIONS>;

/**
 * Checks what only makes sense together and fills in the defaults.
 *
 * @throws {UsageError} when the command line makes no sense.
 * @throws {FileError} when what must be a file is none.
 */
export async function planRead(
  { options, operands, rest }: ParsedArguments<typeof READ_OPTIONS>,
  host: Host,
): Promise<ReadPlan> {
  const given = await readExpression(
    options,
    (path) => host.readTextFile(path),
  );
  const { files, expression } = divide(operands, rest, given, host);
  if (files.indexOf("-") !== files.lastIndexOf("-")) {
    throw new UsageError("Cannot read standard input twice");
  }
  const action = planAction(options, host);
  if (action.kind === "write") checkOutput(action.output, files, host);
  return {
    files,
    expression,
    dumpProgram: options.dumpProgram,
    limit: options.limit ?? Infinity,
    action,
    print: {
      ...printOptions(options, host),
      nanoseconds: options.nano,
      quiet: options.quick,
      verbosity: options.verbose,
    },
    numeric: options.numeric,
  };
}

/** Tells files from the words of the expression. */
function divide(
  operands: readonly string[],
  rest: readonly string[] | undefined,
  given: string | undefined,
  host: Host,
): Pick<ReadPlan, "files" | "expression"> {
  if (given !== undefined) {
    if (rest !== undefined) {
      throw new UsageError("Cannot use two filter expressions");
    }
    return { files: operands, expression: given };
  }
  if (rest !== undefined) {
    return { files: operands, expression: rest.join(" ") };
  }
  const words = operands.findIndex((operand, at) =>
    at > 0 && operand !== "-" && !host.files.exists(operand)
  );
  if (words < 0) return { files: operands, expression: undefined };
  const [first] = operands.slice(words);
  if (/\.(?:pcap|pcapng|cap)(?:\.gz|\.zst)?$/.test(first!)) {
    throw new FileError(`Cannot read ${first}: there is no such file`);
  }
  return {
    files: operands.slice(0, words),
    expression: operands.slice(words).join(" "),
  };
}

function planAction(options: ReadValues, host: Host): ReadAction {
  const { output, format, count, json, nano } = options;
  const wanted = [
    output === undefined ? "" : "--output",
    count ? "--count" : "",
    json ? "--json" : "",
  ].filter((name) => name !== "");
  if (wanted.length > 1) {
    throw new UsageError(`Cannot use both ${wanted[0]} and ${wanted[1]}`);
  }
  if (output === undefined) {
    if (format !== undefined) {
      throw new UsageError(
        "Cannot use --format without an output",
        "Name a file with -o, or - for standard output",
      );
    }
    return { kind: count ? "count" : json ? "json" : "print" };
  }
  if (output === "-" && host.stdout.isTerminal) {
    throw new UsageError(
      "Cannot write packets to a terminal",
      `Pipe them on: ${invocation(READ_COMMAND)} -o - … | tcpdump -nr -`,
    );
  }
  const ending = output.slice(output.lastIndexOf(".") + 1).toLowerCase();
  return {
    kind: "write",
    output,
    format: format ?? FORMATS[ending],
    nanoseconds: nano,
  };
}

function checkOutput(
  output: string,
  files: readonly string[],
  host: Host,
): void {
  if (output === "-") return;
  const same = files.find((file) => host.files.areSame(file, output));
  if (same !== undefined) {
    throw new UsageError(
      `Cannot write ${output}: it is one of the files to read`,
      "Choose another name for the output",
    );
  }
}
