/**
 * What becomes of a filter that the user gave. Loaded only where there is one:
 * the compiler is a large part of the program.
 *
 * @module
 */

import {
  compileFilter,
  type Filter,
  FilterSyntaxError,
  formatC,
  formatDecimal,
  formatListing,
} from "../../bpf/mod.ts";
import { lookUpNames, resolverOf } from "../session/filter_names.ts";
import type { FILTER_OPTIONS } from "./filter_options.ts";
import type { OptionValues } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The expression that the options name.
 *
 * @returns `undefined` when they name none
 * @throws {UsageError} when there are two, or the file cannot be read
 */
export async function readExpression(
  { filter, filterFile }: OptionValues<typeof FILTER_OPTIONS>,
  readFile: (path: string) => Promise<string>,
): Promise<string | undefined> {
  if (filterFile === undefined) return filter;
  if (filter !== undefined) {
    throw new UsageError("Cannot use both --filter and --filter-file");
  }
  try {
    return await readFile(filterFile);
  } catch (error) {
    throw new UsageError(
      `Cannot read filter file ${filterFile}: ${reasonOf(error)}`,
    );
  }
}

/**
 * Looks up the names in an expression and compiles it.
 *
 * @throws {UsageError} when it has a mistake, which the error shows
 */
export async function compileExpression(
  text: string,
  linkType: number,
): Promise<Filter> {
  try {
    const source = await lookUpNames(text);
    return compileFilter(text, { linkType, resolve: resolverOf(source) });
  } catch (error) {
    throw filterMistake(error) ?? error;
  }
}

/** What is wrong with a filter expression, if that is what the error says. */
export function filterMistake(error: unknown): UsageError | undefined {
  return error instanceof FilterSyntaxError
    ? new UsageError(error.message, { excerpt: error.caret })
    : error instanceof RangeError
    ? new UsageError(error.message)
    : undefined;
}

/** The program of a filter in the form that one to three `-d` ask for. */
export function formatProgram({ program }: Filter, level: number): string {
  const format = level === 1
    ? formatListing
    : level === 2
    ? formatC
    : formatDecimal;
  return format(program);
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  return error instanceof Deno.errors.PermissionDenied
    ? "it may not be read"
    : String(error instanceof Error ? error.message : error);
}
