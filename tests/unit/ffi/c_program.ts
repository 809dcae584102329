/**
 * C programs that tests write.
 *
 * @module
 */

import assert from "node:assert/strict";

/** A compiled program that is removed when it goes out of scope. */
export class CProgram implements AsyncDisposable {
  /** Path of the executable. */
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = `${folder}/program`;
  }

  /**
   * Compiles a program.
   *
   * @param source C, with GNU extensions.
   * @param flags For example `-m32`.
   */
  static async compile(
    source: string,
    flags: readonly string[] = [],
  ): Promise<CProgram> {
    const folder = await Deno.makeTempDir({ prefix: "tracedump-c-" });
    const program = new CProgram(folder);
    const gcc = new Deno.Command("gcc", {
      args: [...flags, "-w", "-x", "c", "-o", program.path, "-"],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const writer = gcc.stdin.getWriter();
    await writer.write(
      new TextEncoder().encode(`#define _GNU_SOURCE\n${source}`),
    );
    await writer.close();
    const { success, stderr } = await gcc.output();
    assert.ok(success, new TextDecoder().decode(stderr));
    return program;
  }

  /** Removes the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
