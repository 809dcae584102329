import assert from "node:assert/strict";
import fc from "fast-check";
import {
  disassembleClassic,
  statement,
} from "../../../../bpf/classic/instruction.ts";
import {
  formatC,
  formatDecimal,
  formatInstruction,
  formatListing,
  parseDecimal,
} from "../../../../bpf/classic/text.ts";
import { JUMPS, RETURNS, STATEMENTS } from "./every_instruction.ts";

// tcpdump -ddd -y EN10MB 'ip and tcp port 80'
const TCP_PORT_80 = `14
40 0 0 12
21 0 11 2048
48 0 0 23
21 0 9 6
40 0 0 20
69 7 0 8191
177 0 0 14
72 0 0 14
21 3 0 80
72 0 0 16
21 1 0 80
6 0 0 0
6 0 0 262144
6 0 0 0
`;

Deno.test("formatListing() writes every instruction like tcpdump -d", () => {
  for (const [, instruction, text] of [...STATEMENTS, ...JUMPS, ...RETURNS]) {
    assert.equal(formatListing([instruction]), `(000) ${text}\n`);
  }
});

Deno.test("formatInstruction() writes a line without its number", () => {
  assert.equal(
    formatInstruction({ code: 0x15, jt: 1, jf: 2, k: 6 }, 10),
    "jeq #0x6 jt 12 jf 13",
  );
  assert.equal(formatInstruction(statement(0x87), 0), "txa");
});

Deno.test("formatListing() numbers targets from the start", () => {
  assert.equal(
    formatListing(parseDecimal(TCP_PORT_80)).split("\n").slice(1, 9).join("\n"),
    `\
(001) jeq      #0x800           jt 2	jf 13
(002) ldb      [23]
(003) jeq      #0x6             jt 4	jf 13
(004) ldh      [20]
(005) jset     #0x1fff          jt 13	jf 6
(006) ldxb     4*([14]&0xf)
(007) ldh      [x + 14]
(008) jeq      #0x50            jt 12	jf 9`,
  );
});

Deno.test("formatListing() prints operations that do not exist", () => {
  for (const code of [0x18, 0x70, 0xb4, 0x75, 0xe5, 0x1234, 0xffff]) {
    assert.match(
      formatListing([statement(code)]),
      new RegExp(`^\\(000\\) unimp    0x${code.toString(16)}`),
    );
  }
});

Deno.test("formatListing() takes any program", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    const program = disassembleClassic(bytes);
    const text = formatListing(program);
    assert.equal(text.split("\n").length, program.length + 1);
  }));
});

Deno.test("formatC() writes initializers like tcpdump -dd", () => {
  assert.equal(
    formatC([
      statement(0x28, 0xfffff004),
      { code: 0x15, jt: 0, jf: 1, k: 4 },
    ]),
    "{ 0x28, 0, 0, 0xfffff004 },\n{ 0x15, 0, 1, 0x00000004 },\n",
  );
});

Deno.test("formatDecimal() undoes parseDecimal()", () => {
  assert.equal(formatDecimal(parseDecimal(TCP_PORT_80)), TCP_PORT_80);
});

Deno.test("parseDecimal() undoes formatDecimal()", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    const program = disassembleClassic(bytes);
    assert.deepEqual(parseDecimal(formatDecimal(program)), program);
  }));
});

Deno.test("parseDecimal() refuses other text", () => {
  assert.throws(() => parseDecimal("1\n6 0 0"), {
    name: "SyntaxError",
    message: 'Cannot parse instruction 0: "6 0 0" is not four numbers',
  });
  assert.throws(() => parseDecimal("2\n6 0 0 0"), SyntaxError);
  assert.throws(() => parseDecimal("1\n6 0 x 0"), SyntaxError);
});
