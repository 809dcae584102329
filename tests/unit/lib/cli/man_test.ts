import assert from "node:assert/strict";
import type { Command } from "../../../../lib/cli/command.ts";
import {
  formatBashCompletion,
  formatFishCompletion,
  formatZshCompletion,
} from "../../../../lib/cli/completions.ts";
import { formatHelp } from "../../../../lib/cli/help.ts";
import { formatManualPage } from "../../../../lib/cli/man.ts";
import { optionNames } from "../../../../lib/cli/options.ts";
import { loadCommands, run } from "../../../../lib/cli/run.ts";
import { FakeHost } from "./fake_host.ts";

const COMMAND: Command = {
  name: "sample",
  isDefault: true,
  operand: "process",
  options: {
    file: {
      kind: "value",
      long: "out-file",
      short: "o",
      section: "Output",
      metavar: "FILE",
      defaultText: "a.b",
      completion: "file",
      parse: (text: string): string => text,
      help: "it's `-` or [a:b]",
      detail: ".starts with a period.",
    },
    quiet: { kind: "flag", long: "quiet", section: "Other", help: "hush" },
  },
  manual: {
    summary: "sample things",
    synopsis: ["[OPTIONS] PID...", "-- COMMAND"],
    description: "Describes `it`.",
    details: ["'quoted' at first."],
    examples: [{ command: "tracedump a\\b ~ | c", text: "do it" }],
    sections: [{ title: "LIMITS", paragraphs: ["One.", "Two."] }],
  },
  run: () => Promise.reject(new Error("Unused")),
};

Deno.test("formatManualPage() escapes what roff would interpret", () => {
  assert.equal(
    formatManualPage(COMMAND, "1.2.3").split(".SH SEE ALSO")[0],
    String.raw`.\" Generated from the option tables; edit those instead.
.TH TRACEDUMP 8 "" "tracedump 1.2.3"
.SH NAME
tracedump \- sample things
.SH SYNOPSIS
.B tracedump
[OPTIONS] \fIPID\fR...
.br
.B tracedump
\-\- \fICOMMAND\fR
.SH DESCRIPTION
Describes \fBit\fR.
.PP
\&'quoted' at first.
.SH OPTIONS
.SS Output
.TP
\fB\-o\fR, \fB\-\-out\-file\fR \fIFILE\fR
It's \fB\-\fR or [a:b] (default a.b).
\&.starts with a period.
.SS Other
.TP
\fB\-\-quiet\fR
Hush.
.SH EXIT STATUS
` + exitStatus() + String.raw`.SH LIMITS
One.
.PP
Two.
.SH EXAMPLES
.TP
.B tracedump a\eb \(ti \(ba c
Do it.
`,
  );
});

/** The part that is the same for all commands. */
function exitStatus(): string {
  const page = formatManualPage(COMMAND, "");
  const start = page.indexOf(".SH EXIT STATUS\n") + ".SH EXIT STATUS\n".length;
  return page.slice(start, page.indexOf(".SH LIMITS"));
}

Deno.test("formatZshCompletion() escapes what zsh would interpret", () => {
  const text = formatZshCompletion([COMMAND]);
  assert.ok(
    text.includes(String.raw`'-o+[it'\''s - or \[a\:b\]]:FILE:_files'`),
    text,
  );
});

Deno.test("formatFishCompletion() escapes quotes", () => {
  const text = formatFishCompletion([COMMAND]);
  assert.ok(
    text.includes(String.raw`-s o -l out-file -r -F -d 'it\'s - or [a:b]'`),
    text,
  );
});

const commands = await loadCommands();

for (const command of commands) {
  Deno.test(`${command.name}: help fits a terminal`, () => {
    for (const line of formatHelp(command).split("\n")) {
      assert.ok([...line].length < 80, line);
    }
  });

  Deno.test(`${command.name}: everything names every option`, () => {
    const texts = [
      formatHelp(command),
      formatManualPage(command, "").replaceAll("\\-", "-"),
      formatBashCompletion(commands),
      formatZshCompletion(commands),
    ];
    for (const option of Object.values(command.options)) {
      for (const text of texts) {
        for (const name of optionNames(option)) {
          assert.ok(text.includes(name), name);
        }
      }
      assert.ok(formatFishCompletion(commands).includes(`-l ${option.long} `));
    }
  });

  Deno.test(`${command.name}: no two options share a name`, () => {
    const names = Object.values(command.options).flatMap(optionNames);
    assert.equal(new Set(names).size, names.length);
  });
}

Deno.test("commands are called by their names", async () => {
  for (const { name, isDefault } of commands) {
    const host = new FakeHost([...isDefault ? [] : [name], "--help"]);
    await run(host, () => assert.fail("started"));
    const usage = isDefault ? "tracedump" : `tracedump ${name}`;
    assert.match(host.written.stdout, new RegExp(`^Usage: ${usage} `, "m"));
  }
});
