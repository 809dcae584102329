/**
 * What procfs says about a process that was or is under the tool.
 *
 * @module
 */

import assert from "node:assert/strict";

/** Fields of `/proc/PID/status`, as text. */
export function statusOf(pid: number, tid: number = pid): Map<string, string> {
  const text = Deno.readTextFileSync(`/proc/${pid}/task/${tid}/status`);
  return new Map(
    text.trimEnd().split("\n").map((line) => {
      const [name, ...rest] = line.split(":\t");
      return [name!, rest.join(":\t")];
    }),
  );
}

/** Fails unless all threads run free of any tracer. */
export function assertFree(pid: number): void {
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    const status = statusOf(pid, Number(name));
    assert.equal(status.get("TracerPid"), "0", `thread ${name} is traced`);
    assert.doesNotMatch(status.get("State")!, /^[tT]/, `thread ${name}`);
  }
}
