import assert from "node:assert/strict";
import {
  type Architecture,
  architecture,
  AUDIT_ARCH_AARCH64,
  AUDIT_ARCH_I386,
  AUDIT_ARCH_X86_64,
  type RegisterLayout,
  syscallNumber,
} from "../../../ffi/arch.ts";
import { missing, type Requirement } from "../../support/requires.ts";
import { onMachine } from "../lib/trace/machines.ts";
import { cValues } from "./c_values.ts";

const WORD = 8;

/** A test that needs a C compiler, on a machine of its own kind. */
function test(
  name: string,
  need: Requirement,
  body: () => Promise<void>,
): void {
  const reason = Deno.build.arch === "x86_64"
    ? missing([need])
    : "needs x86_64";
  const suffix = reason === undefined ? "" : ` (${reason})`;
  Deno.test(`${name}${suffix}`, { ignore: reason !== undefined }, body);
}

async function compareCalls(
  calls: Architecture["syscalls"],
  question: Parameters<typeof cValues>[0],
): Promise<void> {
  const names = Object.keys(calls);
  assert.ok(names.length > 5);
  const values = await cValues(question, names.map((name) => `__NR_${name}`));
  const expected = Object.fromEntries(
    names.map((name) => [name, values[`__NR_${name}`]]),
  );
  assert.deepEqual({ ...calls }, expected);
}

test("architecture() numbers calls as x86_64 does", "gcc", async () => {
  const { syscalls } = await onMachine("x86_64", architecture);
  await compareCalls(syscalls, { headers: ["asm/unistd_64.h"] });
});

test("architecture() numbers calls as i386 does", "gcc", async () => {
  const { compatible } = await onMachine("x86_64", architecture);
  await compareCalls(compatible!.syscalls, { headers: ["asm/unistd_32.h"] });
});

test("architecture() numbers calls as aarch64 does", "gcc", async () => {
  const { syscalls } = await onMachine("aarch64", architecture);
  // The generic table: accept4 and so on, without what is older.
  await compareCalls(syscalls, { headers: ["asm-generic/unistd.h"] });
});

test("architecture() knows close(2)", "gcc", async () => {
  for (const machine of ["x86_64", "aarch64"] as const) {
    const { closeCall } = await onMachine(machine, architecture);
    const header = machine === "x86_64"
      ? "asm/unistd_64.h"
      : "asm-generic/unistd.h";
    const { __NR_close } = await cValues({ headers: [header] }, ["__NR_close"]);
    assert.equal(closeCall, __NR_close, machine);
  }
});

test("AUDIT_ARCH_* are those of linux/audit.h", "gcc", async () => {
  const values = await cValues({ headers: ["linux/audit.h"] }, [
    "AUDIT_ARCH_X86_64",
    "AUDIT_ARCH_I386",
    "AUDIT_ARCH_AARCH64",
  ]);
  assert.deepEqual(Object.values(values), [
    AUDIT_ARCH_X86_64,
    AUDIT_ARCH_I386,
    AUDIT_ARCH_AARCH64,
  ]);
});

test(
  "architecture() lays registers out as struct user_regs_struct",
  "gcc",
  async () => {
    const { registers } = await onMachine("x86_64", architecture);
    const names = ["rip", "rsp", "rax", "orig_rax"] as const;
    const args = ["rdi", "rsi", "rdx", "r10", "r8", "r9"] as const;
    const values = await cValues({ headers: ["sys/user.h"] }, [
      "sizeof(struct user_regs_struct)",
      ...[...names, ...args].map((name) =>
        `offsetof(struct user_regs_struct, ${name})`
      ),
    ]);
    const wordOf = (name: string): number =>
      values[`offsetof(struct user_regs_struct, ${name})`]! / WORD;
    const expected: RegisterLayout = {
      words: values["sizeof(struct user_regs_struct)"]! / WORD,
      instructionPointer: wordOf("rip"),
      stackPointer: wordOf("rsp"),
      syscallNumber: wordOf("rax"),
      result: wordOf("rax"),
      originalNumber: wordOf("orig_rax"),
      arguments: args.map(wordOf),
    };
    assert.deepEqual(registers, expected);
  },
);

Deno.test("architecture() refuses machines without tables", async () => {
  const { build } = Deno;
  await onMachine("riscv64" as "x86_64", () => {
    assert.throws(architecture, new Error("Cannot trace programs on riscv64"));
  });
  assert.equal(Deno.build, build);
});

Deno.test("syscallNumber() gives numbers of this machine, or refuses", () => {
  assert.equal(syscallNumber("connect"), architecture().syscalls.connect);
  assert.throws(
    () => syscallNumber("socketcall"),
    new Error("Cannot find the number of system call socketcall"),
  );
});
