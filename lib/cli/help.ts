/**
 * `--help`, made from a command's declaration.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { EXIT_STATUS_ROWS } from "./exit_code.ts";
import { type Option, optionNames, optionSections } from "./options.ts";
import { wrap } from "./text.ts";

/** Width of all help text. */
const WIDTH = 79;
/** Column where descriptions begin. */
const TEXT_COLUMN = 26;

/** Name that users type. */
export const PROGRAM = "tracedump";

/** Returns how a command is called: the program's name, then its own. */
export function invocation(command: Command): string {
  return command.isDefault ? PROGRAM : `${PROGRAM} ${command.name}`;
}

/** Returns the lines `Usage: …` of a command, each with its newline. */
export function formatUsage(command: Command): string {
  return command.manual.synopsis.map((form, at) =>
    `${at === 0 ? "Usage:" : "      "} ${invocation(command)} ${form}\n`
  ).join("");
}

/**
 * Returns the whole `--help` text of a command.
 *
 * @param others Further commands that the user should know of.
 */
export function formatHelp(
  command: Command,
  others: readonly Command[] = [],
): string {
  const { manual, options } = command;
  let help = `${formatUsage(command)}\n`;
  help += paragraph(manual.description);
  if (others.length > 0) {
    help += "\nOther commands, which have their own --help:\n";
  }
  for (const other of others) {
    help += row(invocation(other), other.manual.summary);
  }
  for (const [title, members] of optionSections(options)) {
    help += `\n${title}:\n`;
    for (const option of members) {
      help += row(optionLabel(option), optionHelp(option));
    }
  }
  help += "\nExit status:\n";
  for (const [status, meaning] of manual.exitStatus ?? EXIT_STATUS_ROWS) {
    help += row(status, meaning);
  }
  help += "\nExamples:\n";
  for (const example of manual.examples) {
    help += `  ${example.command}\n      ${plain(example.text)}\n`;
  }
  return help;
}

/** Returns an option's names and value: `-o, -w, --output FILE`. */
export function optionLabel(option: Option): string {
  const names = optionNames(option).join(", ");
  return option.kind === "flag" ? names : `${names} ${option.metavar}`;
}

/** Returns an option's short description with its default. */
export function optionHelp(option: Option): string {
  if (option.kind === "flag" || option.defaultText === undefined) {
    return option.help;
  }
  return `${option.help} (default ${option.defaultText})`;
}

/** Takes the marks of literals out of a text. */
export function plain(text: string): string {
  return text.replaceAll("`", "");
}

function paragraph(text: string): string {
  return wrap(plain(text), WIDTH).map((line) => `${line}\n`).join("");
}

function row(label: string, text: string): string {
  const indent = " ".repeat(TEXT_COLUMN);
  const lines = wrap(plain(text), WIDTH - TEXT_COLUMN);
  const fits = label.length + 4 <= TEXT_COLUMN;
  let result = fits
    ? `  ${label}`.padEnd(TEXT_COLUMN)
    : `  ${label}\n${indent}`;
  result += lines.join(`\n${indent}`);
  return `${result}\n`;
}
