/**
 * What the commands of all views do alike.
 *
 * @module
 */
import type { Command, Context, Example } from "../command.ts";
import { EXIT_CODE, exitWith, type Outcome } from "../exit_code.ts";
import { formatHelp } from "../help.ts";
import type { Host } from "../host.ts";
import type { OptionTable, OptionValues } from "../options.ts";
import { parseArguments } from "../parse.ts";
import { UsageError } from "../usage_error.ts";
import { VIEW_EXIT_STATUS, VIEW_SECTIONS } from "./view_manual.ts";
import type {
  END_OPTIONS,
  FORMAT_OPTIONS,
  SCOPE_OPTIONS,
} from "./view_options.ts";
import { type CommonPlan, planView } from "./view_plan.ts";
import { runView, type ViewPlan } from "./view_runner.ts";

/** Options that every view has. */
type CommonOptions =
  & Record<
    | keyof typeof SCOPE_OPTIONS
    | keyof typeof FORMAT_OPTIONS
    | keyof typeof END_OPTIONS,
    unknown
  >
  & OptionTable;

/** One view. */
export interface ViewDefinition<Options extends CommonOptions, Row> {
  readonly name: string;
  readonly options: Options;
  readonly summary: string;
  readonly description: string;
  /** Further paragraphs of the manual page. */
  readonly details: readonly string[];
  readonly examples: readonly Example[];
  /** Forms of the command line, where there are operands. */
  readonly synopsis?: readonly string[];
  /** Whether the plan looks at operands; else there may be none. */
  readonly takesOperands?: true;
  /** What to watch, and how to show it. */
  readonly plan: (
    given: OptionValues<Options>,
    common: CommonPlan,
    host: Host,
    operands: readonly string[],
  ) => Pick<ViewPlan<Row>, "open" | "printer"> & Partial<ViewPlan<Row>>;
}

const SYNOPSIS = ["[OPTIONS]", "[OPTIONS] -- COMMAND [ARG...]"];

const LAST_DETAILS = [
  "With `--`, a command is started, and only it and its descendants are " +
  "looked at; what it prints goes to standard error. Otherwise Ctrl-C " +
  "ends the view.",
];

/** Makes the command of a view. */
export function viewCommand<Options extends CommonOptions, Row>(
  view: ViewDefinition<Options, Row>,
): Command {
  const command: Command = {
    name: view.name,
    operand: "process",
    options: view.options,
    manual: {
      summary: view.summary,
      synopsis: view.synopsis ?? SYNOPSIS,
      description: view.description,
      details: [...view.details, ...LAST_DETAILS],
      examples: view.examples,
      sections: VIEW_SECTIONS,
      exitStatus: VIEW_EXIT_STATUS,
    },
    run: (args, context) => run(view, command, args, context),
  };
  return command;
}

async function run<Options extends CommonOptions, Row>(
  view: ViewDefinition<Options, Row>,
  command: Command,
  args: readonly string[],
  context: Context,
): Promise<Outcome> {
  const { host } = context;
  const { options, operands, rest } = parseArguments(view.options, args);
  // The type of a table that is a parameter is not looked into.
  const common = options as unknown as OptionValues<
    typeof SCOPE_OPTIONS & typeof FORMAT_OPTIONS & typeof END_OPTIONS
  >;
  if (common.help) {
    host.stdout.write(formatHelp(command));
    return exitWith(EXIT_CODE.OK);
  }
  if (common.csv && common.json) {
    throw new UsageError("Cannot combine --csv and --json");
  }
  const own = view.takesOperands === true ? [] : operands;
  const plan = planView(view.name, common, own, rest, host);
  return await runView(
    { ...plan, ...view.plan(options, plan, host, operands) },
    context,
  );
}
