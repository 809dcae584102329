import assert from "node:assert/strict";
import { startCapture } from "../../../lib/session/capture.ts";
import { compileWorkload } from "../../support/compile.ts";
import { Child } from "../../support/processes.ts";
import { libraryTest } from "./support.ts";

libraryTest(
  "startCapture() leaves nothing open of a program in vfork(2)",
  async () => {
    const program = new Child([await compileWorkload("vforker"), "200"], {
      stdin: "piped",
    });
    await program.seen("stdout", /ready/);
    const output = Deno.makeTempFileSync({ prefix: "tracedump-capture-" });
    const capture = await startCapture({
      target: { kind: "processes", pids: [program.pid] },
      tracker: "ptrace",
      output,
      snaplen: 0,
      nanoseconds: true,
      interfaces: [],
      follow: true,
      bufferSize: 1,
      linger: 0,
    });
    capture.stop();
    assert.equal((await capture.finished).reason, "stopped");
    Deno.removeSync(output);
    await program.writeLine();
    await program.closeInput();
    assert.equal((await program.ended()).code, 0);
  },
  "gcc",
);
