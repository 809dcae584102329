/**
 * Puts itself under a syscall filter and makes system calls: the program that
 * `bpf_kernel_test.ts` starts.
 *
 * The argument is a {@linkcode SeccompTask} as JSON; prints for each call
 * whether the filter traced it. Without a tracer such a call fails with
 * ENOSYS.
 *
 * @module
 */
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import {
  compileSyscallFilter,
  type WatchedArchitecture,
} from "../../bpf/syscall_filter.ts";
import { errno } from "../../ffi/errno.ts";

/** What the program is to do. */
export interface SeccompTask {
  readonly architectures: readonly WatchedArchitecture[];
  /** Number of seccomp(2). */
  readonly seccomp: number;
  /** Numbers and six arguments, in hexadecimal. */
  readonly calls: readonly {
    readonly nr: number;
    readonly args: readonly string[];
  }[];
}

const PR_SET_NO_NEW_PRIVS = 38n;
const SECCOMP_SET_MODE_FILTER = 1n;
const ENOSYS = 38;

function main(task: SeccompTask): void {
  const { symbols: libc } = Deno.dlopen("libc.so.6", {
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
    syscall: {
      parameters: ["i64", "u64", "u64", "u64", "u64", "u64", "u64"],
      result: "i64",
    },
    installFilter: {
      name: "syscall",
      parameters: ["i64", "u64", "u64", "buffer"],
      result: "i64",
    },
  });
  const filter = assembleClassic(compileSyscallFilter(task.architectures));
  // struct sock_fprog: unsigned short len; struct sock_filter *filter
  const program = BigUint64Array.of(
    BigInt(filter.length / 8),
    BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(filter))),
  );
  libc.prctl(Number(PR_SET_NO_NEW_PRIVS), 1n, 0n, 0n, 0n);
  const installed = libc.installFilter(
    BigInt(task.seccomp),
    SECCOMP_SET_MODE_FILTER,
    0n,
    program,
  );
  if (installed !== 0n) throw new Error(`Cannot install filter: ${errno()}`);
  const traced = task.calls.map(({ nr, args }) => {
    const [a, b, c, d, e, f] = args.map((text) => BigInt(text));
    return libc.syscall(BigInt(nr), a!, b!, c!, d!, e!, f!) === -1n &&
      errno() === ENOSYS;
  });
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(traced)));
}

if (import.meta.main) main(JSON.parse(Deno.args[0]!));
