import assert from "node:assert/strict";
import { exitCodeOf, outcomeOf } from "../../../../lib/cli/exit_code.ts";

Deno.test("exitCodeOf() follows sh(1) for commands", () => {
  assert.equal(exitCodeOf("not-found"), 127);
  assert.equal(exitCodeOf("not-executable"), 126);
  assert.equal(exitCodeOf("permission"), 1);
});

Deno.test("outcomeOf() passes the command's end on", () => {
  const code = (code: number): unknown => ({ kind: "code", code });
  const exited = (code: number) => ({ kind: "exited", code } as const);
  const signaled = { kind: "signaled", signal: 15 } as const;
  assert.deepEqual(outcomeOf(undefined, false), code(0));
  assert.deepEqual(outcomeOf(undefined, true), code(1));
  assert.deepEqual(outcomeOf(exited(0), false), code(0));
  assert.deepEqual(outcomeOf(exited(0), true), code(1));
  assert.deepEqual(outcomeOf(exited(42), false), code(42));
  assert.deepEqual(outcomeOf(exited(42), true), code(42));
  const bySignal = { kind: "signal", signal: 15 };
  assert.deepEqual(outcomeOf(signaled, false), bySignal);
  assert.deepEqual(outcomeOf(signaled, true), bySignal);
});
