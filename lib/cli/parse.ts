/**
 * The option parser: GNU style, but nothing after `--` is ever looked at.
 *
 * @module
 */

import {
  type Option,
  optionNames,
  type OptionTable,
  type OptionValues,
  ValueError,
} from "./options.ts";
import { nearest } from "./suggest.ts";
import { UsageError } from "./usage_error.ts";

/** A parsed command line. */
export interface ParsedArguments<T extends OptionTable> {
  readonly options: OptionValues<T>;
  /** Arguments that are no options, up to `--`. */
  readonly operands: readonly string[];
  /** Everything after `--`, verbatim; `undefined` without `--`. */
  readonly rest: readonly string[] | undefined;
}

/** An option of the table together with its key. */
interface Entry {
  readonly key: string;
  readonly option: Option;
}

/**
 * Parses arguments by a table of options.
 *
 * Options and operands may be mixed. Values follow as `--name VALUE`,
 * `--name=VALUE`, `-n VALUE` or `-nVALUE`; flags of one letter may be joined.
 * The last value wins unless the option is a list; counted flags add up.
 *
 * @param checkOperand Called for each operand, with all arguments that follow
 * it, before anything further is parsed; throws what is wrong with it.
 * @throws {UsageError} when an option is unknown or its value is wrong.
 */
export function parseArguments<T extends OptionTable>(
  table: T,
  args: readonly string[],
  checkOperand: (operand: string, following: readonly string[]) => void =
    (): void => {},
): ParsedArguments<T> {
  const names = new Map<string, Entry>();
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(table)) {
    for (const name of optionNames(option)) names.set(name, { key, option });
    if (option.kind === "flag") values[key] = option.counted ? 0 : false;
    else if (option.kind === "list") values[key] = [];
    else values[key] = undefined;
  }

  const end = args.indexOf("--");
  const own = end < 0 ? args : args.slice(0, end);
  const operands: string[] = [];
  let rest = end < 0 ? undefined : args.slice(end + 1);

  let index = 0;
  let done = false;

  function store(entry: Entry, name: string, text: string): void {
    const { key, option } = entry;
    if (option.kind === "flag") return;
    const value = readValue(option.parse, name, text);
    if (option.kind === "list") (values[key] as unknown[]).push(value);
    else values[key] = value;
  }

  function storeNext(entry: Entry, name: string): void {
    const text = own[index++];
    if (text === undefined) {
      const metavar = entry.option.kind === "flag" ? "" : entry.option.metavar;
      throw new UsageError(`Option "${name}" needs a value: ${metavar}`);
    }
    store(entry, name, text);
  }

  function setFlag({ key, option }: Entry): void {
    if (option.kind !== "flag") return;
    values[key] = option.counted ? (values[key] as number) + 1 : true;
    if (option.immediate) done = true;
  }

  function parseLong(arg: string): void {
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg : arg.slice(0, equals);
    const entry = names.get(name);
    if (entry === undefined) throw unknownOption(name, names);
    if (entry.option.kind !== "flag") {
      if (equals < 0) storeNext(entry, name);
      else store(entry, name, arg.slice(equals + 1));
    } else if (equals >= 0) {
      throw new UsageError(`Option "${name}" takes no value`);
    } else {
      setFlag(entry);
    }
  }

  function parseShort(arg: string): void {
    const letters = [...arg.slice(1)];
    for (const [at, letter] of letters.entries()) {
      const name = `-${letter}`;
      const entry = names.get(name);
      if (entry === undefined) throw unknownOption(name, names, arg);
      if (entry.option.kind !== "flag") {
        const joined = letters.slice(at + 1).join("");
        if (joined === "") storeNext(entry, name);
        else store(entry, name, joined);
        return;
      }
      setFlag(entry);
      if (done) return;
    }
  }

  while (index < own.length && !done) {
    const arg = own[index++]!;
    if (arg.startsWith("--")) parseLong(arg);
    else if (arg.startsWith("-") && arg !== "-") parseShort(arg);
    else {
      checkOperand(arg, args.slice(index));
      operands.push(arg);
    }
  }
  if (done) rest = undefined;
  return { options: values as OptionValues<T>, operands, rest };
}

function readValue(
  parse: (text: string) => unknown,
  name: string,
  text: string,
): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new UsageError(
      `Cannot use "${text}" for ${name}: expected ${error.expected}`,
    );
  }
}

/**
 * Makes the error for an option that is not in the table.
 *
 * @param arg The whole argument when `name` is one letter of it.
 */
function unknownOption(
  name: string,
  names: ReadonlyMap<string, unknown>,
  arg: string = name,
): UsageError {
  if (/^-\d/.test(name)) {
    return new UsageError(
      `Unknown option "${arg}"`,
      "Process ids are positive numbers",
    );
  }
  // "-output" is more likely a long name with a dash missing than six flags.
  const long = name.startsWith("--") ? name : `-${arg}`;
  const known = [...names.keys()].filter((key) => key.startsWith("--"));
  const suggestion = long.length > 4 ? nearest(long, known) : undefined;
  return new UsageError(
    `Unknown option "${arg}"`,
    suggestion === undefined ? undefined : `Did you mean "${suggestion}"?`,
  );
}
