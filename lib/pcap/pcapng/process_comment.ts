/**
 * Process information as a comment for people, in the form that ptcpdump
 * began:
 *
 * ```text
 * PID: 4242
 * Cmd: /usr/bin/curl
 * Args: curl -s http://localhost/
 * ```
 *
 * @module
 */

import type { PacketOwner } from "../capture_record.ts";

/** How such a comment begins, in ASCII. */
export const PROCESS_COMMENT_START = "PID: ";

const COMMENT_REGEXP =
  /^PID: (\d{1,10})(?:\r?\nCmd: ([^\r\n]*))?(?:\r?\nArgs: ([^\r\n]*))?/;
const LINE_BREAK_REGEXP = /[\r\n]+/g;
const MAX_PID = 0xffff_ffff;

/**
 * Reads a comment.
 *
 * @param comment Any comment of a packet.
 * @returns `undefined` when it is about something else.
 */
export function parseProcessComment(comment: string): PacketOwner | undefined {
  const [, pid, command, args] = COMMENT_REGEXP.exec(comment) ?? [];
  if (pid === undefined || Number(pid) > MAX_PID) return undefined;
  return {
    pid: Number(pid),
    ...command ? { comm: nameOf(command) } : {},
    ...args ? { args } : {},
  };
}

/**
 * Makes the comment about a process; the opposite of
 * {@linkcode parseProcessComment}.
 */
export function formatProcessComment(owner: PacketOwner): string {
  let text = `${PROCESS_COMMENT_START}${owner.pid}`;
  if (owner.comm) text += `\nCmd: ${oneLine(owner.comm)}`;
  if (owner.args) text += `\nArgs: ${oneLine(owner.args)}`;
  return text;
}

/** Other programs write the whole path. */
function nameOf(command: string): string {
  return command.startsWith("/")
    ? command.slice(command.lastIndexOf("/") + 1)
    : command;
}

function oneLine(text: string): string {
  return text.replace(LINE_BREAK_REGEXP, " ");
}
