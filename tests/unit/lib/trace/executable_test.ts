import assert from "node:assert/strict";
import { executableCandidates } from "../../../../lib/trace/executable.ts";

Deno.test("executableCandidates() goes along PATH in its order", () => {
  assert.deepEqual(executableCandidates("ls", "/usr/local/bin:/usr/bin:/bin"), [
    "/usr/local/bin/ls",
    "/usr/bin/ls",
    "/bin/ls",
  ]);
});

Deno.test("executableCandidates() takes an empty entry for the current folder", () => {
  assert.deepEqual(executableCandidates("a", ":/bin"), ["./a", "/bin/a"]);
  assert.deepEqual(executableCandidates("a", "/bin:"), ["/bin/a", "./a"]);
  assert.deepEqual(executableCandidates("a", "/x::/y"), [
    "/x/a",
    "./a",
    "/y/a",
  ]);
  assert.deepEqual(executableCandidates("a", ""), ["./a"]);
});

Deno.test("executableCandidates() takes a name with a slash as it is", () => {
  for (const command of ["/bin/ls", "./ls", "bin/ls", "../x/ls"]) {
    assert.deepEqual(executableCandidates(command, "/usr/bin"), [command]);
  }
});

Deno.test("executableCandidates() finds nothing for an empty name", () => {
  assert.deepEqual(executableCandidates("", "/usr/bin"), []);
});

Deno.test("executableCandidates() takes PATH from the environment, or the C library's", () => {
  const path = Deno.env.get("PATH");
  try {
    Deno.env.set("PATH", "/opt/x");
    assert.deepEqual(executableCandidates("ls"), ["/opt/x/ls"]);
    Deno.env.delete("PATH");
    assert.deepEqual(executableCandidates("ls"), ["/bin/ls", "/usr/bin/ls"]);
  } finally {
    if (path !== undefined) Deno.env.set("PATH", path);
  }
});
