import assert from "node:assert/strict";
import {
  decodeTcpOptions,
  formatTcpOption,
  type TcpOption,
} from "../../../../../lib/packet/transport/tcp_options.ts";
import { hex } from "../samples.ts";

const ROWS: [string, TcpOption, string][] = [
  ["01", { type: "nop" }, "nop"],
  ["00", { type: "end" }, "eol"],
  ["0204 05b4", { type: "mss", value: 1460 }, "mss 1460"],
  ["0303 0e", { type: "windowScale", shift: 14 }, "wscale 14"],
  ["0402", { type: "sackPermitted" }, "sackOK"],
  [
    "0512 00000001 00000002 fffffffe ffffffff",
    {
      type: "sack",
      blocks: [{ left: 1, right: 2 }, { left: 0xfffffffe, right: 0xffffffff }],
    },
    "sack 2 {1:2}{4294967294:4294967295}",
  ],
  [
    "080a ffffffff 00000002",
    { type: "timestamps", value: 0xffff_ffff, echoReply: 2 },
    "TS val 4294967295 ecr 2",
  ],
  [
    "2202",
    { type: "fastOpen", cookie: hex(""), isExperiment: false },
    "tfo cookiereq",
  ],
  [
    "220a 0102030405060708",
    { type: "fastOpen", cookie: hex("0102030405060708"), isExperiment: false },
    "tfo cookie 0102030405060708",
  ],
  [
    "fe04 f989",
    { type: "fastOpen", cookie: hex(""), isExperiment: true },
    "exp-tfo cookiereq",
  ],
  [
    "fe06 f989 abcd",
    { type: "fastOpen", cookie: hex("abcd"), isExperiment: true },
    "exp-tfo cookie abcd",
  ],
  [
    "fe04 0348",
    { type: "unknown", kind: 254, data: hex("0348") },
    "unknown-254 0x0348",
  ],
  ["1e02", { type: "unknown", kind: 30, data: hex("") }, "unknown-30"],
  // A known kind with a length that its RFC does not allow.
  ["0203 05", { type: "unknown", kind: 2, data: hex("05") }, "unknown-2 0x05"],
  ["0502", { type: "unknown", kind: 5, data: hex("") }, "unknown-5"],
  [
    "0503 01",
    { type: "unknown", kind: 5, data: hex("01") },
    "unknown-5 0x01",
  ],
  [
    "0804 0000",
    { type: "unknown", kind: 8, data: hex("0000") },
    "unknown-8 0x0000",
  ],
  // An option that does not fit.
  ["02", { type: "damaged", kind: 2 }, "damaged-2"],
  ["0204 05", { type: "damaged", kind: 2 }, "damaged-2"],
  ["0201", { type: "damaged", kind: 2 }, "damaged-2"],
  ["0200", { type: "damaged", kind: 2 }, "damaged-2"],
];

Deno.test("decodeTcpOptions() reads each kind", () => {
  for (const [bytes, option, text] of ROWS) {
    const data = hex(bytes);
    assert.deepEqual(decodeTcpOptions(data, 0, data.length), [option], bytes);
    assert.equal(formatTcpOption(option), text);
  }
});

Deno.test("decodeTcpOptions() reads options in their order", () => {
  const whole = ROWS.filter(([, { type }]) =>
    type !== "damaged" && type !== "end"
  );
  const data = hex(`eeee ${whole.map(([bytes]) => bytes).join("")} eeee`);
  assert.deepEqual(
    decodeTcpOptions(data, 2, data.length - 2),
    whole.map(([, option]) => option),
  );
});

Deno.test("decodeTcpOptions() ends at the mark and at damage", () => {
  assert.deepEqual(
    decodeTcpOptions(hex("01 00 0204 05b4"), 0, 6),
    [{ type: "nop" }, { type: "end" }],
  );
  assert.deepEqual(
    decodeTcpOptions(hex("01 0301 0204 05b4"), 0, 7),
    [{ type: "nop" }, { type: "damaged", kind: 3 }],
  );
});
