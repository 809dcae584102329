/**
 * What the C compiler says about structures and constants.
 *
 * @module
 */

import assert from "node:assert/strict";

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
    "#define _GNU_SOURCE",
    "#include <stddef.h>",
    "#include <stdio.h>",
    ...headers.map((header) => `#include <${header}>`),
    "int main(void) {",
    ...expressions.map((expression) =>
      `  printf("%lld\\n", (long long)(${expression}));`
    ),
    "}",
  ].join("\n");
  const folder = await Deno.makeTempDir({ prefix: "tracedump-c-" });
  try {
    const program = `${folder}/program`;
    const gcc = new Deno.Command("gcc", {
      args: [...(is32Bit ? ["-m32"] : []), "-w", "-x", "c", "-o", program, "-"],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const writer = gcc.stdin.getWriter();
    await writer.write(new TextEncoder().encode(source));
    await writer.close();
    const { success, stderr } = await gcc.output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const { stdout } = await new Deno.Command(program).output();
    const values = new TextDecoder().decode(stdout).trim().split("\n");
    assert.equal(values.length, expressions.length);
    return Object.fromEntries(
      expressions.map((
        expression,
        index,
      ) => [expression, Number(values[index])]),
    ) as Record<Expression, number>;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
