/**
 * From the options that all views share to what a watch is asked for.
 *
 * @module
 */
import type { RowFilter, WatchScope } from "../../views/watch.ts";
import type { OptionValues } from "../options.ts";
import type { Host } from "../host.ts";
import { PROGRAM } from "../help.ts";
import { SIGNAL_NUMBERS } from "../signals.ts";
import { UsageError } from "../usage_error.ts";
import type { END_OPTIONS, SCOPE_OPTIONS } from "./view_options.ts";
import type { CommandTarget, ViewPlan } from "./view_runner.ts";

/** Values of the options that every view has. */
export type CommonValues =
  & OptionValues<typeof SCOPE_OPTIONS>
  & OptionValues<typeof END_OPTIONS>;

/** What follows from them. */
export interface CommonPlan extends
  Pick<
    ViewPlan<unknown>,
    "command" | "duration" | "rows" | "quiet" | "debug"
  > {
  readonly scope: WatchScope;
  readonly filter: RowFilter;
}

/**
 * Checks what only makes sense together.
 *
 * @param name Name of the view's command, for hints.
 * @throws {UsageError} when the command line makes no sense
 */
export function planView(
  name: string,
  given: CommonValues,
  operands: readonly string[],
  rest: readonly string[] | undefined,
  host: Host,
): CommonPlan {
  const [operand] = operands;
  if (operand !== undefined) {
    throw new UsageError(
      `Cannot use "${operand}": ${name} takes options only`,
      /^\d+$/.test(operand)
        ? `Name a process with -p: ${PROGRAM} ${name} -p ${operand}`
        : `A command goes after "--": ${PROGRAM} ${name} -- ${operand}`,
    );
  }
  if (given.ipv4 && given.ipv6) {
    throw new UsageError("Cannot combine -4 and -6: no socket is both");
  }
  const command = commandOf(given.user, rest, host);
  return {
    scope: scopeOf(given, command),
    filter: {
      ...given.ipv4 ? { family: 4 } : given.ipv6 ? { family: 6 } : {},
      ...given.cgroup === undefined ? {} : { cgroup: given.cgroup },
    },
    ...command === undefined ? {} : { command },
    ...given.duration === undefined ? {} : { duration: given.duration },
    ...given.rows === undefined ? {} : { rows: given.rows },
    quiet: given.quiet,
    debug: given.debug,
  };
}

function scopeOf(
  { pid, pidTree }: CommonValues,
  command: CommandTarget | undefined,
): WatchScope {
  if (pid.length > 0 && pidTree.length > 0) {
    throw new UsageError("Cannot combine --pid and --pid-tree");
  }
  const pids = [...new Set([...pid, ...pidTree])];
  if (command !== undefined) {
    if (pids.length > 0) {
      throw new UsageError(
        "Cannot watch both running processes and a command",
      );
    }
    return { kind: "children" };
  }
  return pids.length === 0
    ? { kind: "all" }
    : { kind: "processes", pids, tree: pidTree.length > 0 };
}

function commandOf(
  user: string | undefined,
  rest: readonly string[] | undefined,
  host: Host,
): CommandTarget | undefined {
  if (rest === undefined) {
    if (user === undefined) return undefined;
    throw new UsageError(
      "Option --user needs a command",
      'Put the command after "--"',
    );
  }
  const [command, ...args] = rest;
  if (command === undefined) throw new UsageError('No command follows "--"');
  return {
    kind: "command",
    command,
    args,
    ...user === undefined ? {} : { user },
    ignoredSignals: [...host.ignoredSignals].map((each) =>
      SIGNAL_NUMBERS[each]
    ),
  };
}
