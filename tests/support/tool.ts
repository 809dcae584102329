/**
 * The program under test.
 *
 * `TRACEDUMP_UNDER_TEST` names another one than the sources of this folder,
 * with options that always go first: `./tracedump --debug 1`.
 * `TRACEDUMP_VARIANTS` makes every test run once per set of options, separated
 * by semicolons: `--tracker ptrace;--tracker ebpf`.
 *
 * @module
 */

/** Arguments that start the program under test. */
export const TOOL: readonly string[] = toolFromEnvironment();

/** Sets of options; every test runs once with each. */
export const VARIANTS: readonly (readonly string[])[] =
  (Deno.env.get("TRACEDUMP_VARIANTS") ?? "").split(";").map(words);

/** What the program says on standard error when nothing is missed any more. */
export const CAPTURING_REGEXP = /capturing/;

/** The tracker that a variant chooses. */
export function trackerOf(variant: readonly string[]): string {
  return optionOf(variant, "--tracker") ?? "auto";
}

/** Value of an option; the last one counts. */
export function optionOf(
  options: readonly string[],
  name: string,
): string | undefined {
  const at = options.lastIndexOf(name);
  return at < 0 ? undefined : options[at + 1];
}

function toolFromEnvironment(): string[] {
  const given = words(Deno.env.get("TRACEDUMP_UNDER_TEST") ?? "");
  if (given.length === 0) {
    const main = new URL("../../main.ts", import.meta.url).pathname;
    return [Deno.execPath(), "run", "-A", main];
  }
  // Tests run it in folders of their own.
  return given[0]!.includes("/")
    ? [Deno.realPathSync(given[0]!), ...given.slice(1)]
    : given;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
