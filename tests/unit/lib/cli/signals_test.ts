import assert from "node:assert/strict";
import {
  parseIgnoredSignals,
  SIGNAL_NUMBERS,
  signalName,
} from "../../../../lib/cli/signals.ts";

/** What some shells call signals. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  POLL: "IO",
  "16": "STKFLT",
};

Deno.test("signalName() is the inverse of the numbers", () => {
  for (const [name, number] of Object.entries(SIGNAL_NUMBERS)) {
    assert.equal(signalName(number), name);
  }
  assert.equal(signalName(0), undefined);
  assert.equal(signalName(34), undefined);
});

Deno.test("SIGNAL_NUMBERS are the ones of this kernel", () => {
  for (const [name, number] of Object.entries(SIGNAL_NUMBERS)) {
    const { stdout } = new Deno.Command("/bin/sh", {
      args: ["-c", `kill -l ${number}`],
    }).outputSync();
    const known = new TextDecoder().decode(stdout).trim();
    assert.equal(OTHER_NAMES[known] ?? known, name.slice(3));
  }
});

Deno.test("parseIgnoredSignals() reads the mask of proc_pid_status(5)", () => {
  const status = "Name:\tx\nSigBlk:\t0000000000010000\n" +
    "SigIgn:\t8000000000001003\nSigCgt:\t0000000180000440\n";
  assert.deepEqual(
    [...parseIgnoredSignals(status)],
    ["SIGHUP", "SIGINT", "SIGPIPE"],
  );
});

Deno.test("parseIgnoredSignals() finds none in other text", () => {
  assert.equal(parseIgnoredSignals("").size, 0);
  assert.equal(parseIgnoredSignals("SigIgn:\tnonsense\n").size, 0);
});
