/**
 * Writes the files that are made from the option tables: the manual page and
 * the shell completions.
 *
 *     deno run -A scripts/generate.ts            write them
 *     deno run -A scripts/generate.ts --check    say which ones are outdated
 *
 * @module
 */

import { CAPTURE_COMMAND } from "../lib/cli/commands/capture.ts";
import {
  formatBashCompletion,
  formatFishCompletion,
  formatZshCompletion,
} from "../lib/cli/completions.ts";
import { formatManualPage } from "../lib/cli/man.ts";
import { VERSION } from "../lib/cli/version.ts";

/** Generated files by their path in the repository. */
export function generatedFiles(): Readonly<Record<string, string>> {
  return {
    "man/tracedump.8": formatManualPage(CAPTURE_COMMAND, VERSION),
    "completions/tracedump.bash": formatBashCompletion(CAPTURE_COMMAND),
    "completions/_tracedump": formatZshCompletion(CAPTURE_COMMAND),
    "completions/tracedump.fish": formatFishCompletion(CAPTURE_COMMAND),
  };
}

async function readIfThere(file: URL): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  const root = new URL("../", import.meta.url);
  let outdated = 0;
  for (const [path, text] of Object.entries(generatedFiles())) {
    const file = new URL(path, root);
    if (await readIfThere(file) === text) continue;
    outdated++;
    if (!check) {
      await Deno.mkdir(new URL(".", file), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    await Deno.stderr.write(
      new TextEncoder().encode(`${check ? "outdated" : "written"}: ${path}\n`),
    );
  }
  if (check && outdated > 0) Deno.exit(1);
}
