/**
 * Writes the files that are made from the option tables: the manual page and
 * the shell completions.
 *
 *     deno run -A scripts/generate.ts            write them
 *     deno run -A scripts/generate.ts --check    say which ones are outdated
 *
 * @module
 */

import {
  formatBashCompletion,
  formatFishCompletion,
  formatZshCompletion,
} from "../lib/cli/completions.ts";
import { formatManualPage, manualPageName } from "../lib/cli/man.ts";
import { loadCommands } from "../lib/cli/run.ts";
import { VERSION } from "../lib/cli/version.ts";

/** Generated files by their path in the repository. */
export async function generatedFiles(): Promise<
  Readonly<Record<string, string>>
> {
  const commands = await loadCommands();
  const pages = commands.map((command) => [
    `man/${manualPageName(command)}.8`,
    formatManualPage(
      command,
      VERSION,
      commands.filter((other) => other !== command),
    ),
  ]);
  return {
    ...Object.fromEntries(pages),
    "completions/tracedump.bash": formatBashCompletion(commands),
    "completions/_tracedump": formatZshCompletion(commands),
    "completions/tracedump.fish": formatFishCompletion(commands),
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
  for (const [path, text] of Object.entries(await generatedFiles())) {
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
