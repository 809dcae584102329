/**
 * What the scripts have in common: command line, help, and exit status.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";

/** The command line is wrong. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

/**
 * Reads arguments as node:util does.
 *
 * @throws {OptionError}
 */
export function parseWords<const T extends ParseArgsConfig>(
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new OptionError(error.message);
  }
}

/**
 * Reads a number from 1 to 9,999,999.
 *
 * @throws {OptionError}
 */
export function wholeNumber(
  option: string,
  text: string | undefined,
  otherwise: number,
): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new OptionError(
      `${option} is "${text}", not a number from 1 to 9999999`,
    );
  }
  return Number(text);
}

/** A script. */
export interface Script<T> {
  readonly name: string;
  /** Text of `--help`. */
  readonly help: string;
  /** Reads the command line; undefined when help is wanted. */
  readonly parse: (args: readonly string[]) => T | undefined;
  /** Whether it has to be root. */
  readonly needsRoot: (options: T) => boolean;
  /** Returns the exit status. */
  readonly run: (options: T) => Promise<number>;
}

/** Runs a script with the arguments of this process; gives its exit status. */
export async function runScript<T>(script: Script<T>): Promise<number> {
  const { name, help, parse, needsRoot, run } = script;
  let options: T | undefined;
  try {
    options = parse(Deno.args);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    say(Deno.stderr, `${name}: ${error.message}\n`);
    return 2;
  }
  if (options === undefined) {
    say(Deno.stdout, help);
    return 0;
  }
  if (needsRoot(options) && Deno.uid() !== 0) {
    say(Deno.stderr, `${name}: Cannot run without the rights of root\n`);
    return 1;
  }
  return await run(options);
}

/** Writes a text, all of it. */
export function say(
  stream: { writeSync(bytes: Uint8Array): number },
  text: string,
): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
