/**
 * A test that fails when a program contacts a host that it should not.
 *
 * ```sh
 * sudo PROGRAM='curl -s http://localhost/' ALLOWED='127.0.0.1 ::1' \
 *   deno test -A examples/allowed_hosts_test.ts
 * ```
 *
 * @module
 */
import assert from "node:assert/strict";
import { openTrace } from "../mod.ts";

const PROGRAM = Deno.env.get("PROGRAM") ?? "curl -s http://localhost/";
const ALLOWED = (Deno.env.get("ALLOWED") ?? "127.0.0.1 ::1").split(" ");

Deno.test(`${PROGRAM} contacts only ${ALLOWED}`, async () => {
  const contacted = new Set<string>();
  const trace = openTrace(`cmd:${PROGRAM}`);
  for await (const { flow, direction } of trace) {
    if (direction === "out" && flow) contacted.add(flow.destination);
  }
  assert.equal(trace.stats().dropped, 0, "every packet was seen");
  const foreign = [...contacted].filter((host) => !ALLOWED.includes(host));
  assert.deepEqual(foreign, [], "no other host was contacted");
});
