/**
 * The filter expression that the user gave, and what is said of its mistakes.
 *
 * @module
 */

import { FilterSyntaxError } from "../../bpf/filter/errors.ts";
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

/** What is wrong with a filter expression, if that is what the error says. */
export function filterMistake(error: unknown): UsageError | undefined {
  return error instanceof FilterSyntaxError
    ? new UsageError(error.message, { excerpt: error.caret })
    : error instanceof RangeError
    ? new UsageError(error.message)
    : undefined;
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  return error instanceof Deno.errors.PermissionDenied
    ? "it may not be read"
    : String(error instanceof Error ? error.message : error);
}
