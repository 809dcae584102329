import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { add, lsh, lsh32, mov, mov32 } from "../../../../bpf/extended/alu.ts";
import {
  assemble,
  encodeInstructions,
  relocate,
} from "../../../../bpf/extended/assemble.ts";
import { disassemble } from "../../../../bpf/extended/disassemble.ts";
import {
  type Code,
  label,
  R0,
  R1,
  R10,
  R2,
  scope,
} from "../../../../bpf/extended/instruction.ts";
import {
  call,
  callLocal,
  exit,
  jump,
  jumpIf,
  jumpIf32,
} from "../../../../bpf/extended/jump.ts";
import {
  load,
  loadConstant,
  loadMap,
  loadMapValue,
  store,
} from "../../../../bpf/extended/load_store.ts";
import { formatProgram } from "../../../../bpf/extended/text.ts";

function hex(code: Code): string {
  return Array.from(
    assemble(code).bytes,
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join(" ");
}

// Expected bytes: written down from the bit diagrams of RFC 9669.
Deno.test("assemble() encodes each class", () => {
  equal(hex(mov(R1, R2)), "bf 21 00 00 00 00 00 00");
  equal(hex(mov(R0, -1)), "b7 00 00 00 ff ff ff ff");
  equal(hex(mov32(R0, 0xffff_ffff)), "b4 00 00 00 ff ff ff ff");
  equal(hex(load("u16", R1, R2, 12)), "69 21 0c 00 00 00 00 00");
  equal(hex(store("u64", R10, -8, R1)), "7b 1a f8 ff 00 00 00 00");
  equal(hex(store("u32", R10, -4, 5)), "62 0a fc ff 05 00 00 00");
  equal(hex(call("map_lookup_elem")), "85 00 00 00 01 00 00 00");
  equal(hex(exit()), "95 00 00 00 00 00 00 00");
  equal(
    hex(loadConstant(R1, 0x1122334455667788n)),
    "18 01 00 00 88 77 66 55 00 00 00 00 44 33 22 11",
  );
});

Deno.test("assemble() resolves labels across two-slot loads", () => {
  const { bytes, labels } = assemble([
    jumpIf(R1, "==", 0, "out"), // 0
    loadMap(R2, "conns"), // 1, 2
    label("again"),
    jumpIf32(R2, "!=", R1, "again"), // 3
    [label("out"), exit()], // 4
  ]);
  deepEqual([...labels], [["again", 3], ["out", 4]]);
  deepEqual(formatProgram(bytes), [
    "   0: (15) if r1 == 0x0 goto pc+3",
    "   1: (18) r2 = map[fd:0]",
    "   3: (5e) if w2 != w1 goto pc-1",
    "   4: (95) exit",
  ]);
});

Deno.test("assemble() writes the distance of local calls into imm", () => {
  const { bytes } = assemble([
    callLocal("f"),
    exit(),
    label("f"),
    mov(R0, 0),
    exit(),
  ]);
  equal(formatProgram(bytes)[0], "   0: (85) call pc+1");
});

Deno.test("assemble() names the label that is missing, double or dangling", () => {
  throws(() => assemble([jump("nowhere"), exit()]), {
    name: "RangeError",
    message:
      'Cannot assemble jump to label "nowhere" at instruction 0: no such label',
  });
  throws(() => assemble([label("a"), exit(), label("a"), exit()]), {
    message: 'Cannot assemble label "a": it is defined twice',
  });
  throws(() => assemble([jump("end"), label("end")]), {
    message:
      'Cannot assemble jump to label "end" at instruction 0: no instruction follows the label',
  });
});

Deno.test("assemble() keeps the labels of scopes apart", () => {
  const macro = scope([
    jumpIf(R0, "==", 0, "end"),
    jump("out"),
    label("end"),
    mov(R0, 0),
  ]);
  const { bytes, labels } = assemble([macro, macro, label("out"), exit()]);
  deepEqual(formatProgram(bytes), [
    "   0: (15) if r0 == 0x0 goto pc+1",
    "   1: (05) goto pc+4",
    "   2: (b7) r0 = 0",
    "   3: (15) if r0 == 0x0 goto pc+1",
    "   4: (05) goto pc+1",
    "   5: (b7) r0 = 0",
    "   6: (95) exit",
  ]);
  deepEqual([...labels], [["out", 6]]);
  throws(() => assemble([jump("end"), macro, label("out"), exit()]), {
    message:
      'Cannot assemble jump to label "end" at instruction 0: no such label',
  });
});

Deno.test("assemble() takes jumps of 32767 slots and refuses one more", () => {
  const filler = (count: number): Code => Array(count).fill(mov(R0, 0));
  const far = [jump("far"), filler(0x7fff), label("far"), exit()];
  equal(assemble(far).bytes[2], 0xff);
  throws(
    () => assemble([jump("far"), filler(0x8000), label("far"), exit()]),
    {
      message: 'Cannot assemble jump to label "far" at instruction 0: ' +
        "distance 32768 does not fit in signed 16 bits",
    },
  );
});

Deno.test("operations refuse what the machine cannot hold", () => {
  throws(() => mov(R0, 0xffff_ffff), RangeError);
  throws(() => mov32(R0, 0x1_0000_0000), RangeError);
  throws(() => add(R0, 0.5), RangeError);
  throws(() => load("u8", R0, R1, 0x8000), RangeError);
  throws(() => lsh(R0, 64), RangeError);
  throws(() => lsh32(R0, 32), RangeError);
  throws(() => loadConstant(R0, 1n << 64n), RangeError);
  throws(() => mov({ index: 11 }, 0), RangeError);
});

Deno.test("relocate() fills in descriptors and leaves the program as it was", () => {
  const program = assemble([
    mov(R0, 0),
    loadMap(R1, "conns"),
    loadMapValue(R2, "config", 8),
    exit(),
  ]);
  deepEqual(program.relocations, [
    { name: "conns", kind: "map", slot: 1 },
    { name: "config", kind: "value", slot: 3 },
  ]);
  const bytes = relocate(program, { conns: 7, config: 300 });
  deepEqual(formatProgram(bytes).slice(1, 3), [
    "   1: (18) r1 = map[fd:7]",
    "   3: (18) r2 = map[fd:300][0]+8",
  ]);
  equal(program.bytes[12], 0);
  throws(() => relocate(program, { conns: 7 }), {
    message: 'Cannot resolve map "config" at instruction 3: no such map',
  });
});

Deno.test("disassemble() of any bytes encodes to the same bytes", () => {
  const anySlots = fc.uint8Array({ maxLength: 200 });
  // Bytes with many two-slot loads, whole and broken.
  const wideSlots = fc.array(
    fc.oneof(
      fc.constant([0x18, 1, 0, 0, 1, 2, 3, 4]),
      fc.constant([0, 0, 0, 0, 5, 6, 7, 8]),
      fc.constant([0, 0, 1, 0, 5, 6, 7, 8]),
    ),
    { maxLength: 12 },
  ).map((slots) => Uint8Array.from(slots.flat()));
  fc.assert(fc.property(fc.oneof(anySlots, wideSlots), (bytes) => {
    const { instructions, rest } = disassemble(bytes);
    deepEqual(
      [...encodeInstructions(instructions), ...rest],
      [...bytes],
    );
  }));
});

Deno.test("formatProgram() never throws and shows each instruction", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
    const { instructions, rest } = disassemble(bytes);
    const lines = formatProgram(bytes);
    equal(lines.length, instructions.length + (rest.length > 0 ? 1 : 0));
  }));
});
