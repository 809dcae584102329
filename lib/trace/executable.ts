/**
 * Where a command may be found, as execvp(3) searches.
 *
 * @module
 */

/** The C library's search path where PATH is not set. */
const DEFAULT_PATH = "/bin:/usr/bin";

/** Paths to try in this order. */
export function executableCandidates(
  command: string,
  path: string = Deno.env.get("PATH") ?? DEFAULT_PATH,
): string[] {
  if (command === "") return [];
  if (command.includes("/")) return [command];
  // An empty entry is the current directory.
  return path.split(":").map((folder) =>
    folder === "" ? `./${command}` : `${folder}/${command}`
  );
}
