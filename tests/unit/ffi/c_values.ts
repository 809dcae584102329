/**
 * What the C compiler says about structures and constants.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CProgram } from "./c_program.ts";

/** Which headers to ask, and for which machine. */
export interface Question {
  readonly headers: readonly string[];
  /** For the i386 instruction set. */
  readonly is32Bit?: boolean;
}

/**
 * Compiles and runs a program that prints integer expressions.
 *
 * @returns Their values by expression.
 */
export async function cValues<Expression extends string>(
  { headers, is32Bit = false }: Question,
  expressions: readonly Expression[],
): Promise<Readonly<Record<Expression, number>>> {
  const source = [
    "#include <stddef.h>",
    "#include <stdio.h>",
    ...headers.map((header) => `#include <${header}>`),
    "int main(void) {",
    ...expressions.map((expression) =>
      `  printf("%lld\\n", (long long)(${expression}));`
    ),
    "}",
  ].join("\n");
  await using program = await CProgram.compile(source, is32Bit ? ["-m32"] : []);
  const { stdout } = await new Deno.Command(program.path).output();
  const values = new TextDecoder().decode(stdout).trim().split("\n");
  assert.equal(values.length, expressions.length);
  return Object.fromEntries(
    expressions.map((expression, index) => [expression, Number(values[index])]),
  ) as Record<Expression, number>;
}
