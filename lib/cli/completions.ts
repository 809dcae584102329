/**
 * Shell completions, made from a command's declaration.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { plain, PROGRAM } from "./help.ts";
import { type Completion, type Option, optionNames } from "./options.ts";

const HEADER = "# Generated from the option tables; edit those instead.\n";

/** Lists the interfaces of the machine. */
const INTERFACES = "command ls /sys/class/net 2>/dev/null";
/** Lists the ids of all processes. */
const PROCESSES = "cd /proc && command ls -d [0-9]*";

/** Returns the completion function for bash. */
export function formatBashCompletion(command: Command): string {
  const options = Object.values(command.options);
  const words = options.flatMap(optionNames).join(" ");
  const withValue = options.filter((option) => option.kind !== "flag");
  const kinds = new Set(withValue.map(({ completion }) => completion));
  const cases = [...kinds].map((kind) => {
    const names = withValue.filter(({ completion }) => completion === kind)
      .flatMap(optionNames).join(" | ");
    return `    ${names})\n${bashValue(kind)}      return\n      ;;\n`;
  }).join("");
  return `${HEADER}_${PROGRAM}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((COMP_CWORD == i + 1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      fi
      return
    fi
  done
  case $prev in
${cases}  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${words} --" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(${PROCESSES})" -- "$cur")
  fi
}
complete -F _${PROGRAM} ${PROGRAM}
`;
}

function bashValue(completion: Completion | undefined): string {
  switch (completion) {
    case "file":
      return bashReply("-f");
    case "user":
      return bashReply("-u");
    case "interface":
      return bashReply(`-W "$(${INTERFACES})"`);
    default:
      return "";
  }
}

function bashReply(action: string): string {
  return `      mapfile -t COMPREPLY < <(compgen ${action} -- "$cur")\n`;
}

/** Returns the completion function for zsh. */
export function formatZshCompletion(command: Command): string {
  const specs = Object.values(command.options).flatMap(zshSpecs);
  return `#compdef ${PROGRAM}
${HEADER}local i
for ((i = 2; i < CURRENT; i++)); do
  if [[ $words[i] == -- ]]; then
    shift $i words
    ((CURRENT -= i))
    _normal
    return
  fi
done
_arguments -s \\
${specs.map((spec) => `  ${spec} \\\n`).join("")}  '*:process:_pids'
`;
}

function zshSpecs(option: Option): string[] {
  const text = plain(option.help).replace(/[[\]:]/g, "\\$&")
    .replaceAll("'", "'\\''");
  const action = option.kind === "flag"
    ? ""
    : `:${option.metavar}:${zshAction(option.completion)}`;
  const star = option.kind === "list" ? "*" : "";
  return optionNames(option).map((name) => {
    const long = name.startsWith("--");
    const mark = option.kind === "flag" ? "" : long ? "=" : "+";
    return `'${star}${name}${mark}[${text}]${action}'`;
  });
}

function zshAction(completion: Completion | undefined): string {
  switch (completion) {
    case "file":
      return "_files";
    case "user":
      return "_users";
    case "interface":
      return "_net_interfaces";
    default:
      return " ";
  }
}

/** Returns the completions for fish. */
export function formatFishCompletion(command: Command): string {
  const before = "not contains -- -- (commandline -opc)";
  const lines = [
    `complete -c ${PROGRAM} -f -n '${before}' -a '(${PROCESSES_FISH})'`,
    `complete -c ${PROGRAM} -n 'contains -- -- (commandline -opc)' ` +
    `-a '(__fish_complete_subcommand --commandline)'`,
  ];
  for (const option of Object.values(command.options)) {
    const short = [...option.short ?? ""].map((letter) => ` -s ${letter}`)
      .join("");
    const text = plain(option.help).replace(/['\\]/g, "\\$&");
    const value = option.kind === "flag" ? "" : fishValue(option.completion);
    lines.push(
      `complete -c ${PROGRAM} -n '${before}'${short} -l ${option.long}` +
        `${value} -d '${text}'`,
    );
  }
  return `${HEADER}${lines.join("\n")}\n`;
}

const PROCESSES_FISH = "__fish_complete_pids";

function fishValue(completion: Completion | undefined): string {
  switch (completion) {
    case "file":
      return " -r -F";
    case "user":
      return " -x -a '(__fish_complete_users)'";
    case "interface":
      return " -x -a '(__fish_print_interfaces)'";
    default:
      return " -x";
  }
}
