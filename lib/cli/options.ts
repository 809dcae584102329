/**
 * How command line options are declared. One table per command feeds the
 * parser, `--help`, the manual page and the shell completions.
 *
 * @module
 */

/** What a shell offers when it completes a value. */
export type Completion = "file" | "user" | "interface" | "process";

/** What every option has. */
export interface OptionBase {
  /** Long name without dashes. */
  readonly long: string;
  /** One-letter names without dash, the preferred one first. */
  readonly short?: string;
  /** Heading that `--help` lists the option under. */
  readonly section: string;
  /** One phrase for `--help` and the manual page; backticks mark literals. */
  readonly help: string;
  /** Further sentences for the manual page. */
  readonly detail?: string;
}

/** An option without a value. */
export interface FlagOption extends OptionBase {
  readonly kind: "flag";
  /** Ends parsing at once, like `--help` does. */
  readonly immediate?: true;
  /** May be given several times, and means more each time: `-ddd`. */
  readonly counted?: true;
}

/** An option with a value. */
export interface ValueOption<T> extends OptionBase {
  readonly kind: "value";
  /** Stands for the value in `--help`, in capitals. */
  readonly metavar: string;
  /** Shown as the default. */
  readonly defaultText?: string;
  readonly completion?: Completion;
  /** Reads the value. Throws {@linkcode ValueError}. */
  readonly parse: (text: string) => T;
}

/** An option that may be given several times. */
export interface ListOption<T> extends Omit<ValueOption<T>, "kind"> {
  readonly kind: "list";
}

/** Any option. */
export type Option<T = unknown> = FlagOption | ValueOption<T> | ListOption<T>;

/** The options of a command, in the order of `--help`. */
export type OptionTable = Readonly<Record<string, Option>>;

/** What the parser makes of an option. */
export type OptionValue<O> = O extends { readonly counted: true } ? number
  : O extends { readonly kind: "flag" } ? boolean
  : O extends ListOption<infer T> ? readonly T[]
  : O extends ValueOption<infer T> ? T | undefined
  : never;

/** What the parser makes of a table. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: OptionValue<T[K]>;
};

/** A value that an option cannot take; the parser names option and value. */
export class ValueError extends Error {
  override readonly name = "ValueError";
  /** Completes the sentence "expected …". */
  readonly expected: string;

  /** Makes the error. */
  constructor(expected: string) {
    super(`Expected ${expected}`);
    this.expected = expected;
  }
}

/** Returns all names with their dashes: one-letter names first. */
export function optionNames(option: Option): readonly string[] {
  return [
    ...[...option.short ?? ""].map((letter) => `-${letter}`),
    `--${option.long}`,
  ];
}

/** Groups a table by section, in the order of first appearance. */
export function optionSections(
  table: OptionTable,
): ReadonlyMap<string, readonly Option[]> {
  const sections = new Map<string, Option[]>();
  for (const option of Object.values(table)) {
    const section = sections.get(option.section);
    if (section === undefined) sections.set(option.section, [option]);
    else section.push(option);
  }
  return sections;
}
