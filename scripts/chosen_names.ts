/**
 * Options that take one of several names, or mean all of them.
 *
 * @module
 */
import { OptionError } from "./script.ts";

/** Ways to follow a program, in the order of tables. */
export const TRACKERS = ["ebpf", "ptrace"] as const;

/** Name of a tracker. */
export type TrackerName = typeof TRACKERS[number];

/** Line of `--help` for the choice of a tracker. */
export const TRACKER_HELP = `  --tracker NAME  only this tracker: ${
  TRACKERS.join(" or ")
}`;

/**
 * The names that an option chooses.
 *
 * @param what kind of the names, for the message
 * @param chosen value of the option; all names when unset
 * @throws {OptionError} when there is no such name
 */
export function chosenOf<Name extends string>(
  names: readonly Name[],
  what: string,
  chosen: string | undefined,
): readonly Name[] {
  if (chosen === undefined) return names;
  const found = names.filter((name) => name === chosen);
  if (found.length > 0) return found;
  throw new OptionError(
    `No ${what} "${chosen}": expected ${names.join(" or ")}`,
  );
}
