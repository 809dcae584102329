import assert from "node:assert/strict";
import { Console, formatStatus } from "../../../../lib/cli/console.ts";
import { FakeHost, STATUS } from "./fake_host.ts";

const ERASE = "\r\x1b[K";

Deno.test("Console.notice() shows by severity and level", () => {
  const cases = [
    { quiet: false, debug: 0, shown: ["i", "warning: w"] },
    { quiet: true, debug: 0, shown: ["warning: w"] },
    { quiet: false, debug: 3, shown: ["i", "warning: w", "debug: d3"] },
    { quiet: true, debug: 5, shown: ["warning: w", "debug: d3", "debug: d5"] },
  ];
  for (const { shown, ...verbosity } of cases) {
    const host = new FakeHost([]);
    const console = new Console(host.stderr, verbosity);
    console.notice({ severity: "info", text: "i" });
    console.notice({ severity: "warning", text: "w" });
    console.notice({ severity: "debug", level: 3, text: "d3" });
    console.notice({ severity: "debug", level: 5, text: "d5" });
    assert.equal(
      host.written.stderr,
      shown.map((line) => `tracedump: ${line}\n`).join(""),
    );
  }
});

Deno.test("Console.notice() lets no control characters through", () => {
  const host = new FakeHost([]);
  new Console(host.stderr).notice({ severity: "info", text: "a\x1b[2Jb\nc" });
  assert.equal(host.written.stderr, "tracedump: a?[2Jb?c\n");
});

Deno.test("Console.error() shows the hint on a line of its own", () => {
  const host = new FakeHost([]);
  new Console(host.stderr).error("Cannot do it", "Try harder");
  assert.equal(
    host.written.stderr,
    "tracedump: Cannot do it\ntracedump: hint: Try harder\n",
  );
});

Deno.test("Console.showStatus() rewrites one line and gives way to messages", () => {
  const host = new FakeHost([]);
  const console = new Console(host.stderr);
  const line = formatStatus(STATUS);
  console.showStatus(STATUS, 80);
  console.showStatus(STATUS, 80);
  console.notice({ severity: "info", text: "hello" });
  console.hideStatus();
  assert.equal(
    host.written.stderr,
    `${ERASE}${line}${ERASE}${line}${ERASE}tracedump: hello\n`,
  );
});

Deno.test("Console.showStatus() stays within the terminal", () => {
  const host = new FakeHost([]);
  new Console(host.stderr).showStatus(STATUS, 20);
  const shown = host.written.stderr.slice(ERASE.length);
  assert.equal([...shown].length, 19);
  assert.match(shown, /…$/);
});

Deno.test("formatStatus() tells time, packets, bytes, sockets and drops", () => {
  assert.equal(
    formatStatus({ ...STATUS, sockets: 1, drops: 2 }),
    "1:01  1,234 packets  1.2 MB  1 socket  2 drops",
  );
});
