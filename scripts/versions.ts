/**
 * When and with which versions something was measured.
 *
 * @module
 */

/**
 * Collects date, kernel, and the first lines that programs print about their
 * versions.
 *
 * @param programs Arguments that make each program tell its version.
 */
export async function versionFacts(
  programs: Readonly<Record<string, readonly string[]>>,
): Promise<Record<string, string>> {
  const facts: Record<string, string> = {
    date: new Date().toISOString().slice(0, 10),
    kernel: `Linux ${Deno.osRelease()} ${Deno.build.arch}`,
  };
  for (const [name, argv] of Object.entries(programs)) {
    facts[name] = await firstLine(argv);
  }
  return facts;
}

/** First line that a program prints. */
export async function firstLine(argv: readonly string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    stdin: "null",
    env: { DENO: Deno.execPath() },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  return text.trim().split("\n", 1)[0]!;
}
