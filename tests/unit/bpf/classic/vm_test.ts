import assert from "node:assert/strict";
import {
  ClassicAssembler,
  type Value,
} from "../../../../bpf/classic/assembler.ts";
import { statement } from "../../../../bpf/classic/instruction.ts";
import { Extension } from "../../../../bpf/classic/opcodes.ts";
import {
  cell,
  constant,
  extension,
  LENGTH,
  packet,
  packetAtX,
} from "../../../../bpf/classic/operands.ts";
import type { PacketView } from "../../../../bpf/classic/packet_view.ts";
import { encodeSeccompData } from "../../../../bpf/classic/seccomp.ts";
import { ClassicMachine } from "../../../../bpf/classic/vm.ts";

const BYTES = Uint8Array.of(0x81, 0x02, 0x83, 0x04, 0x85, 0x46, 0x07, 0x08);

/** Runs a program; the packet is {@linkcode BYTES} if left out. */
function run(
  assembler: ClassicAssembler,
  view: PacketView = { bytes: BYTES },
): number {
  return new ClassicMachine(assembler.assemble()).run(view);
}

function program(): ClassicAssembler {
  return new ClassicAssembler();
}

Deno.test("ClassicMachine loads bytes, halves and words of the packet", () => {
  assert.equal(run(program().ldb(packet(2)).ret("a")), 0x83);
  assert.equal(run(program().ldh(packet(0)).ret("a")), 0x8102);
  assert.equal(run(program().ldh(packet(1)).ret("a")), 0x0283);
  assert.equal(run(program().ld(packet(0)).ret("a")), 0x81028304);
  assert.equal(run(program().ld(packet(4)).ret("a")), 0x85460708);
  const atX = program().ldx(constant(3));
  assert.equal(run(atX.ldb(packetAtX(2)).ret("a")), 0x46);
});

Deno.test("ClassicMachine adds offsets at X modulo 2^32", () => {
  const back = program().ldx(constant(3)).ldb(packetAtX(-2)).ret("a");
  assert.equal(run(back), 0x02);
  const huge = program().ldx(constant(-4)).ldh(packetAtX(5)).ret("a");
  assert.equal(run(huge), 0x0283);
});

Deno.test("ClassicMachine ends with 0 at a load outside the packet", () => {
  const loads: ClassicAssembler[] = [
    program().ldb(packet(8)),
    program().ldh(packet(7)),
    program().ld(packet(5)),
    program().ld(packet(0x7fffffff)),
    program().ldx(constant(8)).ldb(packetAtX(0)),
    program().ldx(constant(0x7fffffff)).ldb(packetAtX(1)),
    program().ldxMsh(8),
    program().ldb(packet(-0x1001)),
    program().ldb(packet(-0x100000 + 8)),
    program().ldb(packet(-0x200000)),
    program().ldb(packet(-0x200001)),
  ];
  for (const load of loads) assert.equal(run(load.ret(7)), 0);
});

Deno.test("ClassicMachine reads headers at negative offsets", () => {
  const view = { bytes: BYTES, start: 4, network: 2, link: 1 };
  const load = (offset: number): number =>
    run(program().ldb(packet(offset)).ret("a"), view);
  assert.equal(load(0), BYTES[4]);
  assert.equal(load(-0x100000), BYTES[2]);
  assert.equal(load(-0x100000 + 5), BYTES[7]);
  assert.equal(load(-0x100000 + 6), 0);
  assert.equal(load(-0x200000), BYTES[1]);
  assert.equal(load(-0x200000 + 6), BYTES[7]);
  const atX = program().ldx(constant(3)).ldb(packetAtX(-0x100000)).ret("a");
  assert.equal(run(atX, view), BYTES[5]);
  assert.equal(run(program().ldxMsh(-0x100000 + 3).txa().ret("a"), view), 24);
});

Deno.test("ClassicMachine loads the length that it is told", () => {
  assert.equal(run(program().ld(LENGTH).ret("a")), 8);
  assert.equal(run(program().ldx(LENGTH).txa().ret("a")), 8);
  const view = { bytes: BYTES, start: 3, wireLength: 1500 };
  assert.equal(run(program().ld(LENGTH).ret("a"), view), 1500);
  assert.equal(
    run(program().ld(LENGTH).ret("a"), { bytes: BYTES, start: 3 }),
    5,
  );
});

Deno.test("ClassicMachine loads four times a low nibble", () => {
  assert.equal(run(program().ldxMsh(5).txa().ret("a")), 24);
});

Deno.test("ClassicMachine starts with A and X at 0", () => {
  assert.equal(run(program().ret("a")), 0);
  assert.equal(run(program().txa().ret("a")), 0);
});

Deno.test("ClassicMachine keeps A and X in cells", () => {
  const swap = program()
    .ld(constant(1)).ldx(constant(2))
    .st(0).stx(15)
    .ld(cell(15)).ldx(cell(0))
    .lsh(4).or("x").ret("a");
  assert.equal(run(swap), 0x21);
});

Deno.test("ClassicMachine copies between A and X", () => {
  const copies = program()
    .ld(constant(3)).tax().ld(constant(0)).txa().add("x").ret("a");
  assert.equal(run(copies), 6);
});

type Operation =
  | ("add" | "sub" | "mul" | "div" | "mod")
  | ("or" | "and" | "xor" | "lsh" | "rsh");

Deno.test("ClassicMachine calculates with 32 bits, unsigned", () => {
  const cases: [Operation, number, number, number][] = [
    ["add", 0xffffffff, 2, 1],
    ["sub", 1, 2, 0xffffffff],
    ["mul", 0x10001, 0x10001, 0x20001],
    ["mul", 0xffffffff, 0xffffffff, 1],
    ["div", 0xffffffff, 2, 0x7fffffff],
    ["div", 7, 0xffffffff, 0],
    ["mod", 0xffffffff, 0x80000000, 0x7fffffff],
    ["or", 0x80000000, 1, 0x80000001],
    ["and", 0xffffffff, 0x80000001, 0x80000001],
    ["xor", 0xffffffff, 1, 0xfffffffe],
    ["lsh", 0xffffffff, 31, 0x80000000],
    ["rsh", 0xffffffff, 31, 1],
  ];
  for (const [operation, a, operand, expected] of cases) {
    const calculate = (value: Value): number => {
      const start = program().ld(constant(a)).ldx(constant(operand));
      return run(start[operation](value).ret("a"));
    };
    assert.equal(calculate(operand), expected, `${operation} constant`);
    assert.equal(calculate("x"), expected, `${operation} x`);
  }
  assert.equal(run(program().ld(constant(1)).neg().ret("a")), 0xffffffff);
  assert.equal(run(program().neg().ret("a")), 0);
});

Deno.test("ClassicMachine shifts by X modulo 32", () => {
  const shifted = program().ld(constant(1)).ldx(constant(33)).lsh("x");
  assert.equal(run(shifted.ret("a")), 2);
});

Deno.test("ClassicMachine ends with 0 when X divides by zero", () => {
  assert.equal(run(program().ld(constant(1)).div("x").ret(7)), 0);
  assert.equal(run(program().ld(constant(1)).mod("x").ret(7)), 0);
});

Deno.test("ClassicMachine branches on unsigned comparisons", () => {
  type Branch = "jeq" | "jgt" | "jge" | "jset";
  const cases: [Branch, number, number, boolean][] = [
    ["jeq", 0xffffffff, 0xffffffff, true],
    ["jeq", 1, 2, false],
    ["jgt", 0x80000000, 0x7fffffff, true],
    ["jgt", 5, 5, false],
    ["jge", 5, 5, true],
    ["jge", 0x7fffffff, 0xffffffff, false],
    ["jset", 0x80000001, 0x80000000, true],
    ["jset", 0x0f, 0xf0, false],
  ];
  for (const [branch, a, operand, expected] of cases) {
    const test = (value: Value): number => {
      const start = program().ld(constant(a)).ldx(constant(operand));
      start[branch](value, "yes", "no");
      return run(start.label("no").ret(1).label("yes").ret(2));
    };
    assert.equal(test(operand), expected ? 2 : 1, `${branch} constant`);
    assert.equal(test("x"), expected ? 2 : 1, `${branch} x`);
  }
});

Deno.test("ClassicMachine jumps ahead", () => {
  const jumps = program().ja("end").label("skipped").ret(1).ret(2);
  assert.equal(run(jumps.label("end").ret(3)), 3);
});

Deno.test("ClassicMachine loads metadata at every width", () => {
  const view: PacketView = {
    bytes: BYTES,
    protocol: 0x0800,
    packetType: 4,
    ifindex: 70000,
    arphrd: 772,
    mark: 0x12345678,
    queue: 3,
    hash: 0x9abcdef0,
    cpu: 1,
    vlanTci: 0x6064,
    vlanPresent: true,
    vlanProtocol: 0x88a8,
    payloadOffset: 54,
    random: 4,
  };
  const expected: [keyof typeof Extension, number][] = [
    ["SKF_AD_PROTOCOL", 0x0800],
    ["SKF_AD_PKTTYPE", 4],
    ["SKF_AD_IFINDEX", 70000],
    ["SKF_AD_HATYPE", 772],
    ["SKF_AD_MARK", 0x12345678],
    ["SKF_AD_QUEUE", 3],
    ["SKF_AD_RXHASH", 0x9abcdef0],
    ["SKF_AD_CPU", 1],
    ["SKF_AD_VLAN_TAG", 0x6064],
    ["SKF_AD_VLAN_TAG_PRESENT", 1],
    ["SKF_AD_VLAN_TPID", 0x88a8],
    ["SKF_AD_PAY_OFFSET", 54],
    ["SKF_AD_RANDOM", 4],
  ];
  for (const [name, value] of expected) {
    const operand = extension(Extension[name]);
    assert.equal(run(program().ld(operand).ret("a"), view), value, name);
    assert.equal(run(program().ldb(operand).ret("a"), view), value, name);
  }
  const xor = program().ld(constant(6)).ldx(constant(5))
    .ld(extension(Extension.SKF_AD_ALU_XOR_X)).ret("a");
  assert.equal(run(xor, view), 3);
});

Deno.test("ClassicMachine returns A where there is no interface", () => {
  for (const name of ["SKF_AD_IFINDEX", "SKF_AD_HATYPE"] as const) {
    const load = program().ld(constant(5)).ld(extension(Extension[name]));
    assert.equal(run(load.ret(7)), 5);
  }
});

Deno.test("ClassicMachine finds netlink attributes", () => {
  // Type 1 (6 bytes, padded to 8), type 2 with type 3 nested in it.
  const bytes = Uint8Array.of(
    ...[0, 0, 0, 0],
    ...[6, 0, 1, 0, 7, 7, 0, 0],
    ...[12, 0, 2, 0x80, 8, 0, 3, 0, 1, 2, 3, 4],
  );
  const find = (from: number, type: number, nested = false): number => {
    const which = nested ? "SKF_AD_NLATTR_NEST" : "SKF_AD_NLATTR";
    const load = program().ld(constant(from)).ldx(constant(type))
      .ld(extension(Extension[which]));
    return run(load.ret("a"), { bytes });
  };
  assert.equal(find(4, 1), 4);
  assert.equal(find(4, 2), 12);
  assert.equal(find(4, 3), 0);
  assert.equal(find(12, 3, true), 16);
  assert.equal(find(12, 1, true), 0);
  assert.equal(find(0, 1), 0);
  assert.equal(find(24, 1), 0);
  assert.equal(find(0xffffffff, 1), 0);
  assert.equal(find(23, 1, true), 0);
});

Deno.test("ClassicMachine refuses a program that Linux refuses", () => {
  assert.throws(() => new ClassicMachine([statement(0x87)]), RangeError);
  const mod = program().mod(3).ret(0).assemble();
  assert.throws(() => new ClassicMachine(mod, "seccomp"), RangeError);
});

Deno.test("ClassicMachine.runSeccomp() reads words of the call", () => {
  const data = encodeSeccompData({
    nr: 41,
    arch: 0xc000003e,
    instructionPointer: 0x1122334455667788n,
    args: [1n, 2n, 3n, 4n, 5n, 0xffffffff00000006n],
  });
  const words: [offset: number, value: number][] = [
    [0, 41],
    [4, 0xc000003e],
    [8, 0x55667788],
    [12, 0x11223344],
    [16, 1],
    [20, 0],
    [48, 5],
    [56, 6],
    [60, 0xffffffff],
  ];
  for (const [offset, value] of words) {
    const load = program().ld(packet(offset)).ret("a").assemble();
    assert.equal(new ClassicMachine(load, "seccomp").runSeccomp(data), value);
  }
  const length = program().ld(LENGTH).ret("a").assemble();
  assert.equal(new ClassicMachine(length, "seccomp").runSeccomp(data), 64);
});

Deno.test("ClassicMachine.runSeccomp() refuses data of another length", () => {
  const machine = new ClassicMachine([statement(0x06, 0)], "seccomp");
  assert.throws(() => machine.runSeccomp(new Uint8Array(63)), RangeError);
});
