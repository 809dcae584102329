import { deepEqual, ok } from "node:assert/strict";
import { formatProgram } from "../../bpf/extended/text.ts";
import { loadTracker } from "../../lib/trace/ebpf_loader.ts";
import { findProgram } from "../support/requires.ts";
import { ebpfTest, programIds } from "./ebpf_support.ts";

const bpftool = findProgram("bpftool");

/** What the tool prints, in lines. */
function dump(...args: string[]): string[] {
  const { stdout } = new Deno.Command(bpftool!, {
    args: ["prog", "dump", "xlated", ...args],
    stderr: "null",
  }).outputSync();
  return new TextDecoder().decode(stdout).split("\n");
}

/** Names of helpers and maps are the kernel's there, numbers here. */
function comparable(line: string): string {
  return line.replace(/call .*/, "call").replace(/map\[\w+:\d+\]/, "map[]");
}

if (bpftool === undefined) {
  Deno.test.ignore(
    "formatProgram() agrees with bpftool (skipped: needs program bpftool)",
    () => {},
  );
} else {
  ebpfTest("formatProgram() agrees with bpftool on every program", () => {
    const before = new Set(programIds());
    using _tracker = loadTracker();
    const file = Deno.makeTempFileSync();
    let instructions = 0;
    try {
      for (const id of programIds().filter((id) => !before.has(id))) {
        const expected = dump("id", `${id}`)
          .filter((line) => /^ *\d+: /.test(line))
          .map(comparable);
        dump("id", `${id}`, "file", file);
        const lines = formatProgram(Deno.readFileSync(file));
        deepEqual(lines.map(comparable), expected);
        instructions += lines.length;
      }
    } finally {
      Deno.removeSync(file);
    }
    ok(instructions > 1000);
  });
}
