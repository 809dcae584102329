/**
 * What the manual pages of all views say.
 *
 * @module
 */
import type { ManualSection } from "../command.ts";

/** Rows of the exit status of a view. */
export const VIEW_EXIT_STATUS: readonly (readonly [string, string])[] = [
  ["command", "the command's own exit status, when one was started"],
  ["0", "the view ended well, also by Ctrl-C"],
  ["1", "the view could not begin"],
  ["2", "the command line is wrong"],
  ["126", "the command cannot be executed"],
  ["127", "the command was not found"],
];

/** Sections that every view has. */
export const VIEW_SECTIONS: readonly ManualSection[] = [
  {
    title: "WHICH PROCESS",
    paragraphs: [
      "The process, its thread's name and its user are those that called " +
      "connect(2) or accept(2); they stay with the connection, whoever uses " +
      "or closes it. Of a connection that nobody accepted, the process that " +
      "listens is named; of one that was open before, the one that holds its " +
      "descriptor. Where nobody is known, the process id is 0.",
    ],
  },
  {
    title: "RIGHTS",
    paragraphs: [
      "CAP_BPF and CAP_PERFMON are needed, and CAP_NET_ADMIN for attempts to " +
      "connect, or CAP_SYS_ADMIN. Root has them all. Nothing else has to be " +
      "installed: no compiler, no kernel headers, no kprobes.",
    ],
  },
  {
    title: "COST",
    paragraphs: [
      "Three or four microseconds are added to each connection, and some tens " +
      "of nanoseconds to each system call of the machine; writing a row takes " +
      "the view itself a microsecond or two. Rows that the kernel had no room " +
      "for, and changes that it did not let the programs see, are counted and " +
      "told.",
    ],
  },
];
