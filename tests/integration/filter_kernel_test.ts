/**
 * Filters in the kernel: it takes every program, and gives the verdicts that
 * the interpreter gives.
 *
 * @module
 */
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  assembleClassic,
  type Instruction,
} from "../../bpf/classic/instruction.ts";
import { formatFilter } from "../../bpf/filter/ast.ts";
import { compileFilter, type Filter } from "../../bpf/filter/compile.ts";
import { FilterSyntaxError } from "../../bpf/filter/errors.ts";
import { filters } from "../unit/bpf/filter/arbitrary.ts";
import { EXPRESSIONS } from "../unit/bpf/filter/expressions.ts";
import { SAMPLE_LINK_TYPES, samplesOf } from "../unit/bpf/filter/samples.ts";

/** From sys/socket.h and asm-generic/socket.h. */
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const MSG_DONTWAIT = 0x40;
/** `struct sock_fprog`: length (u16, 6 bytes of padding), pointer. */
const FPROG_LENGTH = 16;
const FPROG_POINTER_OFFSET = 8;

const LIBC = Deno.dlopen("libc.so.6", {
  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int socketpair(int domain, int type, int protocol, int sv[2])
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int setsockopt(int fd, int level, int name, const void *val, socklen_t)
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  // ssize_t send(int fd, const void *buf, size_t len, int flags)
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  // ssize_t recv(int fd, void *buf, size_t len, int flags)
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
}).symbols;

/** Attaches a program to a socket; false when the kernel refuses it. */
function attach(fd: number, program: readonly Instruction[]): boolean {
  const code = assembleClassic(program);
  const fprog = new DataView(new ArrayBuffer(FPROG_LENGTH));
  fprog.setUint16(0, program.length, true);
  const pointer = Deno.UnsafePointer.value(Deno.UnsafePointer.of(code));
  fprog.setBigUint64(FPROG_POINTER_OFFSET, BigInt(pointer), true);
  const bytes = new Uint8Array(fprog.buffer);
  return LIBC.setsockopt(
    fd,
    SOL_SOCKET,
    SO_ATTACH_FILTER,
    bytes,
    FPROG_LENGTH,
  ) === 0;
}

/** Two datagram sockets: what one sends, the other one gets at once. */
class Pair implements Disposable {
  readonly #ends = new Int32Array(2);
  readonly #buffer = new Uint8Array(4096);

  constructor() {
    assert.equal(LIBC.socketpair(AF_UNIX, SOCK_DGRAM, 0, this.#ends), 0);
  }

  attach(program: readonly Instruction[]): boolean {
    return attach(this.#ends[1]!, program);
  }

  /** Whether a packet passes the filter. */
  passes(bytes: Uint8Array): boolean {
    const [from, to] = [this.#ends[0]!, this.#ends[1]!];
    const sent = LIBC.send(
      from,
      new Uint8Array(bytes),
      BigInt(bytes.length),
      0,
    );
    assert.equal(sent, bytes.length);
    const size = BigInt(this.#buffer.length);
    return LIBC.recv(to, this.#buffer, size, MSG_DONTWAIT) >= 0;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#ends) LIBC.close(fd);
  }
}

function compile(text: string, linkType: number): Filter | undefined {
  try {
    return compileFilter(text, { linkType });
  } catch (error) {
    if (error instanceof FilterSyntaxError || error instanceof RangeError) {
      return undefined;
    }
    throw error;
  }
}

Deno.test("the kernel gives the verdicts of the interpreter", () => {
  using pair = new Pair();
  for (const linkType of SAMPLE_LINK_TYPES) {
    const samples = samplesOf(linkType);
    for (const text of EXPRESSIONS) {
      const filter = compile(text, linkType);
      if (filter === undefined) continue;
      assert(pair.attach(filter.program), `${text} on ${linkType}`);
      for (const [index, { bytes }] of samples.entries()) {
        if (index % 3 !== linkType % 3) continue;
        assert.equal(
          pair.passes(bytes),
          filter.matches(bytes),
          `${text} on packet ${index} of ${linkType}`,
        );
      }
    }
  }
});

Deno.test("the kernel takes random filters and agrees on them", () => {
  using pair = new Pair();
  const udp = LIBC.socket(AF_INET, SOCK_DGRAM, 0);
  assert(udp >= 0);
  const samples = new Map(
    SAMPLE_LINK_TYPES.map((linkType) => [linkType, samplesOf(linkType)]),
  );
  let taken = 0;
  try {
    fc.assert(
      fc.property(
        filters({ isSafe: false }),
        fc.constantFrom(...SAMPLE_LINK_TYPES),
        (tree, linkType) => {
          const filter = compile(formatFilter(tree), linkType);
          if (filter === undefined || filter.usesProcess) return;
          assert(attach(udp, filter.program));
          assert(pair.attach(filter.program));
          taken++;
          for (const { bytes } of samples.get(linkType)!) {
            assert.equal(pair.passes(bytes), filter.matches(bytes));
          }
        },
      ),
      { numRuns: 2000 },
    );
  } finally {
    LIBC.close(udp);
  }
  assert(taken > 200, `${taken} filters`);
});
