/**
 * Programs of filters. Loaded only where there is one: the compiler is a large
 * part of the program.
 *
 * @module
 */

import {
  formatC,
  formatDecimal,
  formatListing,
} from "../../bpf/classic/text.ts";
import { compileFilter, type Filter } from "../../bpf/filter/compile.ts";
import { lookUpNames, resolverOf } from "../session/filter_names.ts";
import { filterMistake } from "./filter_expression.ts";

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

/** The program of a filter in the form that one to three `-d` ask for. */
export function formatProgram({ program }: Filter, level: number): string {
  const format = level === 1
    ? formatListing
    : level === 2
    ? formatC
    : formatDecimal;
  return format(program);
}
