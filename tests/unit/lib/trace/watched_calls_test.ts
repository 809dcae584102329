import assert from "node:assert/strict";
import fc from "fast-check";
import { assembleClassic } from "../../../../bpf/classic/instruction.ts";
import {
  encodeSeccompData,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_TRACE,
} from "../../../../bpf/classic/seccomp.ts";
import { ClassicMachine } from "../../../../bpf/classic/vm.ts";
import type { CallKind } from "../../../../lib/trace/watched_calls.ts";
import { type Machine, watchedCallsOf } from "./machines.ts";

const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const AARCH64 = 0xc00000b7;
const ARM = 0x40000028;
const X32_BIT = 0x4000_0000;
/** sizeof(struct sock_filter) times BPF_MAXINSNS. */
const MOST_BYTES = 8 * 4096;

/** Written after the kernel's tables: arch/x86/entry/syscalls/*.tbl. */
const EXPECTED: Readonly<
  Record<Machine, Readonly<Record<number, Readonly<Record<number, CallKind>>>>>
> = {
  x86_64: {
    [X86_64]: {
      42: "connect",
      44: "sendto",
      46: "sendmsg",
      49: "bind",
      50: "listen",
      307: "sendmmsg",
      425: "io_uring_setup",
      438: "pidfd_getfd",
    },
    [I386]: {
      102: "socketcall",
      345: "sendmmsg",
      361: "bind",
      362: "connect",
      363: "listen",
      369: "sendto",
      370: "sendmsg",
      425: "io_uring_setup",
      438: "pidfd_getfd",
    },
  },
  aarch64: {
    [AARCH64]: {
      200: "bind",
      201: "listen",
      203: "connect",
      206: "sendto",
      211: "sendmsg",
      269: "sendmmsg",
      425: "io_uring_setup",
      438: "pidfd_getfd",
    },
  },
};

/** Of i386, accept(2) is a socketcall. */
const ACCEPTS: Readonly<
  Record<Machine, Readonly<Record<number, readonly number[]>>>
> = {
  x86_64: { [X86_64]: [43, 288], [I386]: [364] },
  aarch64: { [AARCH64]: [202, 242] },
};

const ARCHITECTURES = [X86_64, I386, AARCH64, ARM, 0, 0xffffffff];

for (const machine of ["x86_64", "aarch64"] as const) {
  const { callKind, isCompatible, syscallFilter } = await watchedCallsOf(
    machine,
  );
  const expected = EXPECTED[machine];

  Deno.test(`callKind() knows the calls of ${machine}, and no others`, () => {
    for (const arch of ARCHITECTURES) {
      for (let number = 0; number < 600; number++) {
        const kind = expected[arch]?.[number];
        assert.equal(callKind(arch, number), kind, `${arch} ${number}`);
      }
      assert.equal(callKind(arch, -1), undefined);
    }
  });

  Deno.test(`isCompatible() knows the 32-bit programs of ${machine}`, () => {
    for (const arch of ARCHITECTURES) {
      assert.equal(isCompatible(arch), machine === "x86_64" && arch === I386);
    }
  });

  Deno.test(`syscallFilter() stops at just the calls of ${machine}`, () => {
    const program = syscallFilter();
    assert.ok(assembleClassic(program).length <= MOST_BYTES);
    const filter = new ClassicMachine(program, "seccomp");
    const verdict = (
      arch: number,
      nr: number,
      args: readonly bigint[],
    ): number => filter.runSeccomp(encodeSeccompData({ arch, nr, args }));
    for (const arch of ARCHITECTURES) {
      for (let nr = 0; nr < 600; nr++) {
        const kind = callKind(arch, nr);
        const text = `${arch} ${nr} ${kind}`;
        const wanted = kind === undefined
          ? SECCOMP_RET_ALLOW
          : SECCOMP_RET_TRACE;
        // An address that is not NULL, in its low or its high half.
        for (const pointer of [1n, 0x1000n, 1n << 32n, (1n << 64n) - 1n]) {
          const args = [3n, 0n, 0n, 0n, pointer, 0n];
          assert.equal(verdict(arch, nr, args), wanted, text);
        }
        // send(2) is sendto(2) without an address.
        const plain = kind === "sendto" ? SECCOMP_RET_ALLOW : wanted;
        const args = [3n, 4096n, 5n, 0n, 0n, 16n];
        assert.equal(verdict(arch, nr, args), plain, text);
      }
    }
  });

  Deno.test(`accept and accept4 of ${machine} are watched on request`, () => {
    const filter = new ClassicMachine(syscallFilter(true), "seccomp");
    for (const arch of ARCHITECTURES) {
      const accepts = ACCEPTS[machine][arch] ?? [];
      for (let nr = 0; nr < 600; nr++) {
        const kind = accepts.includes(nr) ? "accept" : callKind(arch, nr);
        assert.equal(callKind(arch, nr, true), kind, `${arch} ${nr}`);
        const args = [3n, 0n, 0n, 0n, 1n, 0n];
        const data = encodeSeccompData({ arch, nr, args });
        const isTraced = filter.runSeccomp(data) === SECCOMP_RET_TRACE;
        assert.equal(isTraced, kind !== undefined, `${arch} ${nr}`);
      }
    }
  });

  Deno.test(`syscallFilter() and callKind() agree on any call number of ${machine}`, () => {
    const filter = new ClassicMachine(syscallFilter(), "seccomp");
    fc.assert(
      fc.property(
        fc.constantFrom(...ARCHITECTURES),
        fc.oneof(fc.nat(600), fc.integer({ min: 0, max: 0xffffffff })),
        fc.constantFrom(0, 0, X32_BIT),
        (arch, low, bit) => {
          const nr = (low | bit) >>> 0;
          const args = [0n, 0n, 0n, 0n, 1n, 0n];
          const data = encodeSeccompData({ arch, nr, args });
          const isTraced = filter.runSeccomp(data) === SECCOMP_RET_TRACE;
          assert.equal(isTraced, callKind(arch, nr) !== undefined);
        },
      ),
      { numRuns: 5000 },
    );
  });
}

Deno.test("callKind() knows x32 calls by their numbers without the mark", async () => {
  const { callKind } = await watchedCallsOf("x86_64");
  assert.equal(callKind(X86_64, X32_BIT | 42), "connect");
  assert.equal(callKind(I386, X32_BIT | 362), undefined);
});
