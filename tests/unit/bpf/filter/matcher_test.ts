import fc from "fast-check";
import assert from "node:assert/strict";
import { ClassicAssembler } from "../../../../bpf/classic/assembler.ts";
import { packet, packetAtX } from "../../../../bpf/classic/operands.ts";
import { ClassicMachine } from "../../../../bpf/classic/vm.ts";
import { formatFilter } from "../../../../bpf/filter/ast.ts";
import { compileFilter } from "../../../../bpf/filter/compile.ts";
import { makeMatcher } from "../../../../bpf/filter/matcher.ts";
import { filters } from "./arbitrary.ts";
import { EXPRESSIONS } from "./expressions.ts";
import { SAMPLE_LINK_TYPES, samplesOf } from "./samples.ts";

Deno.test("makeMatcher() gives the verdicts of the interpreter", () => {
  const linkTypes = fc.constantFrom(...SAMPLE_LINK_TYPES);
  const texts = fc.oneof(
    filters({ isSafe: false }).map(formatFilter),
    fc.constantFrom(...EXPRESSIONS),
  );
  fc.assert(
    fc.property(texts, linkTypes, (text, linkType) => {
      let program;
      try {
        program = compileFilter(text, { linkType }).program;
      } catch {
        return;
      }
      const matcher = makeMatcher(program);
      const machine = new ClassicMachine(program);
      for (const { bytes, length: wireLength } of samplesOf(linkType)) {
        const verdict = machine.run({ bytes, wireLength });
        assert.equal(matcher(bytes, wireLength), verdict);
        // Among other bytes.
        const around = new Uint8Array(bytes.length + 16).fill(0xa5);
        around.set(bytes, 7);
        assert.equal(
          matcher(around, wireLength, 7, 7 + bytes.length),
          verdict,
        );
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("makeMatcher() does arithmetic as the interpreter", () => {
  const operations = [
    "add",
    "sub",
    "mul",
    "div",
    "mod",
    "and",
    "or",
    "xor",
    "lsh",
    "rsh",
  ] as const;
  const words = [0, 1, 31, 33, 0x7fffffff, 0x80000000, 0xffffffff];
  for (const operation of operations) {
    const byX = new ClassicAssembler().ld(packet(4)).tax().ld(packet(0));
    const program = byX[operation]("x").ret("a").assemble();
    const matcher = makeMatcher(program);
    const machine = new ClassicMachine(program);
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    for (const left of words) {
      for (const right of words) {
        view.setUint32(0, left);
        view.setUint32(4, right);
        assert.equal(matcher(bytes, 8), machine.run({ bytes }));
      }
    }
  }
});

Deno.test("makeMatcher() reads no further than the packet", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  for (let offset = -3; offset < 10; offset++) {
    for (const load of ["ld", "ldh", "ldb"] as const) {
      const indirect = new ClassicAssembler()
        .ldb(packet(0)).tax()[load](packetAtX(offset - 1)).ret("a");
      const programs = [indirect.assemble()];
      if (offset >= 0) {
        const direct = new ClassicAssembler()[load](packet(offset)).ret("a");
        programs.push(direct.assemble());
      }
      for (const program of programs) {
        const expected = new ClassicMachine(program).run({ bytes });
        assert.equal(makeMatcher(program)(bytes, 8), expected);
      }
    }
  }
});

Deno.test("makeMatcher() interprets programs with very many targets", () => {
  const hosts = Array.from(
    { length: 600 },
    (_, index) =>
      `(ip[${index % 20}] = ${index % 251} and ip[${index % 19}] = 5)`,
  );
  const { program } = compileFilter(hosts.join(" or "), { linkType: 101 });
  const matcher = makeMatcher(program);
  const machine = new ClassicMachine(program);
  for (const { bytes, length } of samplesOf(101)) {
    assert.equal(matcher(bytes, length), machine.run({ bytes }));
  }
});
