/**
 * Shell completions, made from the declarations of commands.
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

/**
 * Returns the completion function for bash.
 *
 * @param commands All commands, the default one first.
 */
export function formatBashCompletion(commands: readonly Command[]): string {
  const cases = named(commands).map(({ name }) =>
    `      ${name})\n        _${PROGRAM}_${name}\n        return\n        ;;\n`
  ).join("");
  const select = cases === ""
    ? ""
    : `  if ((COMP_CWORD > 1)); then\n    case \${COMP_WORDS[1]} in\n` +
      `${cases}    esac\n  fi\n`;
  const words = named(commands).map(({ name }) => name).join(" ");
  const functions = commands.map((command) =>
    bashFunction(command, command.isDefault ? words : "")
  ).join("\n");
  return `${HEADER}${functions}
_${PROGRAM}() {
${select}  _${PROGRAM}_${commands[0]!.name}
}
complete -F _${PROGRAM} ${PROGRAM}
`;
}

/** Completes one command; `words` can stand first. */
function bashFunction(command: Command, words: string): string {
  const options = Object.values(command.options);
  const names = options.flatMap(optionNames).join(" ");
  const withValue = options.filter((option) => option.kind !== "flag");
  const kinds = new Set(withValue.map(({ completion }) => completion));
  const cases = [...kinds].map((kind) => {
    const names = withValue.filter(({ completion }) => completion === kind)
      .flatMap(optionNames).join(" | ");
    return `    ${names})\n${bashValue(kind)}      return\n      ;;\n`;
  }).join("");
  const first = words === "" ? "" : `    if ((COMP_CWORD == 1)); then\n` +
    `      mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "${words}" -- "$cur")\n` +
    `    fi\n`;
  return `_${PROGRAM}_${command.name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} i
  COMPREPLY=()
${command.isDefault ? BASH_REST : ""}  case $prev in
${cases}  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${names} --" -- "$cur")
  else
${bashValue(command.operand).replace(/^ {2}/, "")}${first}  fi
}
`;
}

/** What stands behind `--` is a command with its own completion. */
const BASH_REST = `  for ((i = 1; i < COMP_CWORD; i++)); do
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
`;

function bashValue(completion: Completion | undefined): string {
  switch (completion) {
    case "file":
      return bashReply("-f");
    case "user":
      return bashReply("-u");
    case "interface":
      return bashReply(`-W "$(${INTERFACES})"`);
    case "process":
      return bashReply(`-W "$(${PROCESSES})"`);
    default:
      return "";
  }
}

function bashReply(action: string): string {
  return `      mapfile -t COMPREPLY < <(compgen ${action} -- "$cur")\n`;
}

/**
 * Returns the completion function for zsh.
 *
 * @param commands All commands, the default one first.
 */
export function formatZshCompletion(commands: readonly Command[]): string {
  const selected = named(commands).map((command) =>
    `  ${command.name})
    if ((CURRENT > 2)); then
      shift words
      ((CURRENT--))
      ${zshArguments(command, "      ")}
      return
    fi
    ;;
`
  ).join("");
  const select = selected === "" ? "" : `case $words[2] in\n${selected}esac\n`;
  const words = named(commands).map(({ name }) => name).join(" ");
  const first = words === ""
    ? ""
    : `if ((CURRENT == 2)); then compadd ${words}; fi\n`;
  return `#compdef ${PROGRAM}
${HEADER}${select}local i
for ((i = 2; i < CURRENT; i++)); do
  if [[ $words[i] == -- ]]; then
    shift $i words
    ((CURRENT -= i))
    _normal
    return
  fi
done
${first}${zshArguments(commands[0]!, "")}
`;
}

function zshArguments(command: Command, indent: string): string {
  const specs = Object.values(command.options).flatMap(zshSpecs);
  const operand = zshAction(command.operand);
  return [
    "_arguments -s",
    ...specs,
    `'*:${command.operand}:${operand}'`,
  ].join(` \\\n${indent}  `);
}

function zshSpecs(option: Option): string[] {
  const text = plain(option.help).replace(/[[\]:]/g, "\\$&")
    .replaceAll("'", "'\\''");
  const action = option.kind === "flag"
    ? ""
    : `:${option.metavar}:${zshAction(option.completion)}`;
  const isRepeated = option.kind === "list" ||
    (option.kind === "flag" && option.counted);
  const star = isRepeated ? "*" : "";
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
    case "process":
      return "_pids";
    default:
      return " ";
  }
}

/**
 * Returns the completions for fish.
 *
 * @param commands All commands, the default one first.
 */
export function formatFishCompletion(commands: readonly Command[]): string {
  const words = named(commands).map(({ name }) => name);
  const isNamed = `__fish_seen_subcommand_from ${words.join(" ")}`;
  const notRest = "not contains -- -- (commandline -opc)";
  const byDefault = words.length === 0
    ? notRest
    : `${notRest}; and not ${isNamed}`;
  const lines = named(commands).map(({ name, manual }) =>
    `complete -c ${PROGRAM} -n '__fish_use_subcommand' -a ${name} ` +
    `-d '${fishText(manual.summary)}'`
  );
  for (const command of commands) {
    const before = command.isDefault
      ? byDefault
      : `__fish_seen_subcommand_from ${command.name}`;
    lines.push(
      `complete -c ${PROGRAM}${fishOperand(command.operand, before)}`,
    );
    for (const option of Object.values(command.options)) {
      const short = [...option.short ?? ""]
        .map((letter) => ` -s ${letter === "#" ? "'#'" : letter}`).join("");
      const value = option.kind === "flag" ? "" : fishValue(option.completion);
      lines.push(
        `complete -c ${PROGRAM} -n '${before}'${short} -l ${option.long}` +
          `${value} -d '${fishText(plain(option.help))}'`,
      );
    }
  }
  lines.push(
    `complete -c ${PROGRAM} -n 'contains -- -- (commandline -opc)` +
      `${words.length === 0 ? "" : `; and not ${isNamed}`}' ` +
      `-a '(__fish_complete_subcommand --commandline)'`,
  );
  return `${HEADER}${lines.join("\n")}\n`;
}

function fishText(text: string): string {
  return text.replace(/['\\]/g, "\\$&");
}

function fishOperand(completion: Completion, before: string): string {
  return completion === "file"
    ? ` -F -n '${before}'`
    : ` -f -n '${before}' -a '(__fish_complete_pids)'`;
}

function fishValue(completion: Completion | undefined): string {
  switch (completion) {
    case "file":
      return " -r -F";
    case "user":
      return " -x -a '(__fish_complete_users)'";
    case "interface":
      return " -x -a '(__fish_print_interfaces)'";
    case "process":
      return " -x -a '(__fish_complete_pids)'";
    default:
      return " -x";
  }
}

/** The commands that are selected by their name. */
function named(commands: readonly Command[]): readonly Command[] {
  return commands.filter(({ isDefault }) => !isDefault);
}
