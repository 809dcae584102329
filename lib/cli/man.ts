/**
 * The manual page in the man macros of roff (groff_man(7)), made from a
 * command's declaration.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { EXIT_STATUS_ROWS } from "./exit_code.ts";
import { invocation, optionHelp, PROGRAM } from "./help.ts";
import { type Option, optionNames, optionSections } from "./options.ts";

/** Section 8 of the manual: commands that need rights. */
const SECTION = 8;

/** Returns the name of a command's manual page. */
export function manualPageName(command: Command): string {
  return invocation(command).replace(" ", "-");
}

/**
 * Returns the source of a command's manual page.
 *
 * @param others Further commands, whose pages it refers to.
 */
export function formatManualPage(
  command: Command,
  version: string,
  others: readonly Command[] = [],
): string {
  const { manual, options } = command;
  const page = manualPageName(command);
  const out: string[] = [
    `.\\" Generated from the option tables; edit those instead.`,
    `.TH ${page.toUpperCase()} ${SECTION} "" "${PROGRAM} ${version}"`,
    `.SH NAME`,
    `${escape(page)} \\- ${escape(manual.summary)}`,
    `.SH SYNOPSIS`,
  ];
  for (const [at, form] of manual.synopsis.entries()) {
    if (at > 0) out.push(".br");
    out.push(`.B ${invocation(command)}`, synopsis(form));
  }
  out.push(".SH DESCRIPTION", text(manual.description));
  for (const part of manual.details) out.push(".PP", text(part));
  out.push(".SH OPTIONS");
  for (const [title, members] of optionSections(options)) {
    out.push(`.SS ${escape(title)}`);
    for (const option of members) {
      out.push(".TP", label(option), text(sentence(optionHelp(option))));
      if (option.detail !== undefined) out.push(text(option.detail));
    }
  }
  out.push(".SH EXIT STATUS");
  for (const [status, meaning] of manual.exitStatus ?? EXIT_STATUS_ROWS) {
    out.push(".TP", `.B ${escape(status)}`, text(sentence(meaning)));
  }
  for (const section of manual.sections) {
    out.push(`.SH ${escape(section.title)}`);
    for (const [at, part] of section.paragraphs.entries()) {
      if (at > 0) out.push(".PP");
      out.push(text(part));
    }
  }
  out.push(".SH EXAMPLES");
  for (const example of manual.examples) {
    out.push(".TP", `.B ${escape(example.command)}`);
    out.push(text(sentence(example.text)));
  }
  out.push(
    ".SH SEE ALSO",
    ...others.map((other) =>
      `.BR ${escape(manualPageName(other))} (${SECTION}),`
    ),
    ".BR tcpdump (8),",
    ".BR wireshark (1),",
    ".BR strace (1),",
    ".BR packet (7),",
    ".BR ptrace (2),",
    ".BR capabilities (7)",
  );
  return `${out.join("\n")}\n`;
}

/** Capital first and a period at the end. */
function sentence(phrase: string): string {
  const first = phrase.startsWith("`") ? "`" : phrase.charAt(0).toUpperCase();
  return `${first}${phrase.slice(1)}.`;
}

function label(option: Option): string {
  const names = optionNames(option).map((name) => `\\fB${escape(name)}\\fR`)
    .join(", ");
  return option.kind === "flag"
    ? names
    : `${names} \\fI${escape(option.metavar)}\\fR`;
}

/** Makes words in capitals variables, everything else literal. */
function synopsis(form: string): string {
  return escape(form).replace(
    /[A-Z]{3,}/g,
    (word) => word === "OPTIONS" ? word : `\\fI${word}\\fR`,
  );
}

/** Makes running text: backticks become bold. */
function text(source: string): string {
  const body = escape(source).replace(
    /`([^`]*)`/g,
    (_, literal: string) => `\\fB${literal}\\fR`,
  );
  // A period or quote that begins a line would be a request.
  return body.replace(/^(?=[.'])/gm, "\\&");
}

/** Escapes what roff would interpret; every "-" is one that can be typed. */
function escape(source: string): string {
  return source.replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replaceAll("…", "\\[u2026]").replaceAll("|", "\\(ba")
    .replaceAll("~", "\\(ti").replaceAll("^", "\\(ha");
}
