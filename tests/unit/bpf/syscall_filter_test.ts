import assert from "node:assert/strict";
import fc from "fast-check";
import type { Instruction } from "../../../bpf/classic/instruction.ts";
import { encodeSeccompData } from "../../../bpf/classic/seccomp.ts";
import { formatListing } from "../../../bpf/classic/text.ts";
import { ClassicMachine } from "../../../bpf/classic/vm.ts";
import {
  compileSyscallFilter,
  type WatchedArchitecture,
  type WatchedCall,
} from "../../../bpf/syscall_filter.ts";

const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const AARCH64 = 0xc00000b7;
const X32_SYSCALL_BIT = 0x40000000;
const TRACE = 0x7ff00000;
const ALLOW = 0x7fff0000;

/** socket(2) to getsockopt(2), accept4, recvmmsg, sendmmsg of x86-64. */
const NETWORK_CALLS: readonly WatchedCall[] = [
  ...Array.from({ length: 15 }, (_, index) => ({ nr: 41 + index })),
  ...[{ nr: 288 }, { nr: 299 }, { nr: 307 }],
];

const numbers = fc.constantFrom(
  ...[0, 1, 2, 3, 40, 41, 42, 43, 44, 45, 102, 288, 299, 0x3fffffff],
);
const calls: fc.Arbitrary<WatchedCall[]> = fc.array(
  fc.record({ nr: numbers, nonZeroArgument: fc.nat(5) }, {
    requiredKeys: ["nr"],
    noNullPrototype: true,
  }),
  { maxLength: 25 },
);
const architectures: fc.Arbitrary<WatchedArchitecture[]> = fc.uniqueArray(
  fc.record({
    auditArch: fc.constantFrom(X86_64, I386, AARCH64),
    calls,
    ignoreBits: fc.constantFrom(0, X32_SYSCALL_BIT, 0xc0000000),
  }),
  { selector: ({ auditArch }) => auditArch, maxLength: 3 },
);

function isWatched(
  all: readonly WatchedArchitecture[],
  arch: number,
  nr: number,
  args: readonly bigint[],
): boolean {
  const architecture = all.find(({ auditArch }) => auditArch === arch);
  if (architecture === undefined) return false;
  const number = (nr & ~(architecture.ignoreBits ?? 0)) >>> 0;
  return architecture.calls.some((call) =>
    call.nr === number &&
    (call.nonZeroArgument === undefined || args[call.nonZeroArgument] !== 0n)
  );
}

Deno.test("compileSyscallFilter() traces just the watched calls", () => {
  const argument = fc.constantFrom(0n, 0n, 1n, 1n << 32n, (1n << 64n) - 1n);
  let traced = 0;
  fc.assert(
    fc.property(
      architectures,
      fc.array(
        fc.record({
          arch: fc.constantFrom(X86_64, I386, AARCH64, 0x40000028),
          nr: fc.oneof(numbers, numbers, fc.nat(500)),
          bits: fc.constantFrom(0, 0, 0, X32_SYSCALL_BIT, 0x80000000),
          args: fc.array(argument, { minLength: 6, maxLength: 6 }),
        }),
        { minLength: 30, maxLength: 30 },
      ),
      (all, made) => {
        const program = compileSyscallFilter(all);
        const machine = new ClassicMachine(program, "seccomp");
        for (const { arch, nr: low, bits, args } of made) {
          const nr = (low | bits) >>> 0;
          const data = encodeSeccompData({ nr, arch, args });
          const expected = isWatched(all, arch, nr, args);
          if (expected) traced++;
          assert.equal(machine.runSeccomp(data), expected ? TRACE : ALLOW);
        }
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(traced > 300, `${traced}`);
});

Deno.test("compileSyscallFilter() allows all when nothing is watched", () => {
  const allow = [{ code: 0x06, jt: 0, jf: 0, k: ALLOW }];
  for (const all of [[], [{ auditArch: X86_64, calls: [] }]]) {
    assert.deepEqual(compileSyscallFilter(all), allow);
  }
});

Deno.test("compileSyscallFilter() lets low numbers leave first", () => {
  const program = compileSyscallFilter([
    { auditArch: X86_64, calls: NETWORK_CALLS, ignoreBits: X32_SYSCALL_BIT },
    { auditArch: I386, calls: [{ nr: 102 }, { nr: 90, nonZeroArgument: 3 }] },
  ]);
  assert.equal(
    formatListing(program),
    `\
(000) ld       [4]
(001) jeq      #0xc000003e      jt 4	jf 2
(002) jeq      #0x40000003      jt 12	jf 3
(003) ret      #2147418112
(004) ld       [0]
(005) jge      #0x29            jt 6	jf 20
(006) and      #0xbfffffff
(007) jgt      #0x37            jt 9	jf 8
(008) jge      #0x29            jt 21	jf 20
(009) jeq      #0x120           jt 21	jf 10
(010) jeq      #0x12b           jt 21	jf 11
(011) jeq      #0x133           jt 21	jf 20
(012) ld       [0]
(013) jge      #0x5a            jt 14	jf 20
(014) jeq      #0x5a            jt 16	jf 15
(015) jeq      #0x66            jt 21	jf 20
(016) ld       [40]
(017) jeq      #0x0             jt 18	jf 21
(018) ld       [44]
(019) jeq      #0x0             jt 20	jf 21
(020) ret      #2147418112
(021) ret      #2146435072
`,
  );
});

/**
 * What seccomp_is_const_allow() of kernel/seccomp.c finds out without a call:
 * the verdict, when it depends on number and architecture alone.
 */
function constantVerdict(
  program: readonly Instruction[],
  arch: number,
  nr: number,
): number | undefined {
  let a = 0;
  for (let at = 0;; at++) {
    const { code, jt, jf, k } = program[at]!;
    switch (code) {
      case 0x20: // ld [k]
        if (k !== 0 && k !== 4) return undefined;
        a = k === 0 ? nr : arch;
        break;
      case 0x06: // ret #k
        return k;
      case 0x05: // ja
        at += k;
        break;
      case 0x15: // jeq #k
        at += a === k ? jt : jf;
        break;
      case 0x25: // jgt #k
        at += a > k ? jt : jf;
        break;
      case 0x35: // jge #k
        at += a >= k ? jt : jf;
        break;
      case 0x45: // jset #k
        at += (a & k) !== 0 ? jt : jf;
        break;
      case 0x54: // and #k
        a = (a & k) >>> 0;
        break;
      default:
        return undefined;
    }
  }
}

Deno.test("compileSyscallFilter() lets kernels know in advance", () => {
  const watched = [...NETWORK_CALLS, { nr: 9, nonZeroArgument: 4 }];
  const program = compileSyscallFilter([
    { auditArch: X86_64, calls: watched, ignoreBits: X32_SYSCALL_BIT },
    { auditArch: I386, calls: [{ nr: 102 }, { nr: 359 }] },
  ]);
  for (let nr = 0; nr < 470; nr++) {
    const isKnown = !watched.some((call) => call.nr === nr);
    assert.equal(constantVerdict(program, X86_64, nr) === ALLOW, isKnown);
    assert.equal(
      constantVerdict(program, I386, nr) === ALLOW,
      nr !== 102 && nr !== 359,
    );
  }
});

Deno.test("compileSyscallFilter() refuses numbers out of range", () => {
  const compile = (architecture: WatchedArchitecture) => () =>
    compileSyscallFilter([architecture]);
  const auditArch = X86_64;
  assert.throws(compile({ auditArch, calls: [{ nr: -1 }] }), {
    name: "RangeError",
    message: "Cannot compile filter: system call number -1 " +
      "is not a whole number from 0 to 4294967295",
  });
  for (const nonZeroArgument of [-1, 6, 0.5]) {
    const calls = [{ nr: 1, nonZeroArgument }];
    assert.throws(compile({ auditArch, calls }), RangeError);
  }
  assert.throws(
    compile({ auditArch, calls: [{ nr: X32_SYSCALL_BIT }], ignoreBits: -1 }),
    RangeError,
  );
  assert.throws(
    compile({
      auditArch,
      calls: [{ nr: X32_SYSCALL_BIT + 1 }],
      ignoreBits: X32_SYSCALL_BIT,
    }),
    { message: /has ignored bits$/ },
  );
  const twice = { auditArch, calls: [] };
  assert.throws(() => compileSyscallFilter([twice, twice]), {
    message: "Cannot compile filter: architecture 0xc000003e is given twice",
  });
});
