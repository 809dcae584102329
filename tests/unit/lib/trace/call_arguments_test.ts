import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { libc } from "../../../../ffi/libc.ts";
import type { SyscallInfo } from "../../../../ffi/ptrace.ts";
import type { Endpoint } from "../../../../ffi/sockaddr.ts";
import { formatAddress } from "../../../../lib/packet/address.ts";
import {
  readSocketCall,
  type SocketCall,
} from "../../../../lib/trace/call_arguments.ts";
import type { CallKind } from "../../../../lib/trace/watched_calls.ts";
import { address } from "../../../property/flows.ts";
import { missing } from "../../../support/requires.ts";
import { cValues } from "../../ffi/c_values.ts";

// Stays open for ever: not something that a test leaks.
libc();

const X86_64 = 0xc000003e;
const I386 = 0x40000003;
const AF_UNSPEC = 0;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

const PAGE = 4096;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x10_0022;
/** Where 32-bit programs have memory, too. */
const LOW_ADDRESS = 0x2468_0000;

/** Pages of our own memory, with nothing mapped behind them. */
class Memory implements Disposable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly #pointer: Deno.PointerObject;
  readonly address = LOW_ADDRESS;
  #used = 0;

  constructor(readonly length: number = 24 * PAGE) {
    const pointer = libc().mmap(
      BigInt(LOW_ADDRESS),
      BigInt(length),
      PROT_READ_WRITE,
      MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE,
      -1,
      0n,
    );
    assert.ok(pointer !== null);
    assert.equal(Deno.UnsafePointer.value(pointer), BigInt(LOW_ADDRESS));
    this.#pointer = pointer;
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, length);
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Lays bytes down; returns where. */
  place(bytes: Uint8Array): number {
    const at = this.#used;
    this.bytes.set(bytes, at);
    this.#used += bytes.length + 7 & ~7;
    return this.address + at;
  }

  [Symbol.dispose](): void {
    libc().munmap(this.#pointer, BigInt(this.length));
  }
}

/** A socket address as bytes. */
function sockaddr(family: number, host: string, port: number): Uint8Array {
  const bytes = new Uint8Array(family === AF_INET6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port, false);
  if (family === AF_INET6) bytes.set(address(host), 8);
  else bytes.set(address(host).subarray(12), 4);
  return bytes;
}

const V4 = sockaddr(AF_INET, "192.0.2.1", 443);
const V6 = sockaddr(AF_INET6, "2001:db8::1", 53);

/** What a thread is about to call. */
function read(
  kind: CallKind,
  args: readonly (number | bigint)[],
  arch = X86_64,
): SocketCall | undefined {
  const values = [...args.map(BigInt), ...Array<bigint>(6).fill(0n)];
  const info: SyscallInfo = {
    op: 1,
    arch,
    number: 0,
    returnValue: 0,
    read: () => true,
    argument: (index) => values[index]!,
    intArgument: (index) => Number(BigInt.asIntN(32, values[index]!)),
  };
  return readSocketCall(Deno.pid, info, kind);
}

function texts(call: SocketCall | undefined): string[] | undefined {
  return call?.endpoints.map(textOf);
}

function textOf({ address: host, port, family }: Endpoint): string {
  return `${family} ${formatAddress(host)} ${port}`;
}

const V4_TEXT = "2 ::ffff:192.0.2.1 443";
const V6_TEXT = "10 2001:db8::1 53";

Deno.test("readSocketCall() reads the address of connect(2), bind(2) and sendto(2)", () => {
  using memory = new Memory();
  const places = [[V4, V4_TEXT], [V6, V6_TEXT]] as const;
  for (const [bytes, text] of places) {
    const at = memory.place(bytes);
    const cases: [CallKind, number[]][] = [
      ["connect", [7, at, bytes.length]],
      ["bind", [7, at, bytes.length]],
      ["sendto", [7, 0, 0, 0, at, bytes.length]],
    ];
    for (const [kind, args] of cases) {
      for (const arch of [X86_64, I386]) {
        const call = read(kind, args, arch);
        assert.deepEqual(texts(call), [text], kind);
        assert.equal(call?.kind, kind);
        assert.equal(call?.fd, 7);
        assert.equal(call?.unspecified, false);
      }
    }
  }
});

Deno.test("readSocketCall() takes descriptors and lengths for the C integers that they are", () => {
  using memory = new Memory();
  const at = memory.place(V4);
  const garbage = 0xdead_beef_0000_0000n;
  const call = read("connect", [garbage | 7n, at, garbage | 16n]);
  assert.equal(call?.fd, 7);
  assert.deepEqual(texts(call), [V4_TEXT]);
  assert.equal(read("connect", [0xffff_ffffn, at, 16])?.fd, -1);
});

Deno.test("readSocketCall() reads addresses at the very end of memory", () => {
  using memory = new Memory(PAGE);
  for (const bytes of [V4, V6]) {
    memory.bytes.set(bytes, PAGE - bytes.length);
    const at = memory.address + PAGE - bytes.length;
    // A length of sockaddr_storage: what is not there does not matter.
    for (const length of [bytes.length, 28, 128, 0x7fff_ffff]) {
      assert.equal(texts(read("connect", [3, at, length]))?.length, 1);
    }
  }
});

Deno.test("readSocketCall() tells connect(2) with AF_UNSPEC", () => {
  using memory = new Memory();
  const at = memory.place(sockaddr(AF_UNSPEC, "0.0.0.0", 0));
  for (const length of [2, 16]) {
    const call = read("connect", [3, at, length]);
    assert.equal(call?.unspecified, true);
    assert.deepEqual(call?.endpoints, []);
  }
});

Deno.test("readSocketCall() takes AF_UNSPEC for AF_INET where datagrams are sent", () => {
  // Linux: udp_sendmsg() does so.
  using memory = new Memory();
  const at = memory.place(sockaddr(AF_UNSPEC, "192.0.2.1", 443));
  assert.deepEqual(texts(read("sendto", [3, 0, 0, 0, at, 16])), [V4_TEXT]);
});

Deno.test("readSocketCall() leaves out what is no Internet address", () => {
  using memory = new Memory();
  const unix = memory.place(
    Uint8Array.from([
      AF_UNIX,
      0,
      ...new TextEncoder().encode("/run/x\0......"),
    ]),
  );
  const short = memory.place(V4);
  assert.equal(read("connect", [3, unix, 16]), undefined);
  assert.equal(read("connect", [3, short, 1]), undefined);
  assert.equal(read("connect", [3, 0, 16]), undefined);
  assert.equal(read("sendto", [3, short, 16, 0, 0, 16]), undefined);
  const nowhere = LOW_ADDRESS + memory.length;
  assert.equal(read("connect", [3, nowhere, 16]), undefined);
  assert.equal(read("sendmsg", [3, nowhere]), undefined);
  assert.equal(read("sendmsg", [3, 0]), undefined);
  assert.equal(read("sendmmsg", [3, nowhere, 4]), undefined);
});

Deno.test("readSocketCall() passes listen(2) and io_uring_setup(2) on", () => {
  for (const kind of ["listen", "io_uring_setup"] as const) {
    assert.deepEqual(read(kind, [5, 128]), {
      kind,
      fd: 5,
      endpoints: [],
      unspecified: false,
    });
  }
});

/** Sizes and offsets of the structures, as C has them. */
interface Layout {
  readonly arch: number;
  readonly pointer: number;
  readonly size: number;
  readonly name: number;
  readonly nameLength: number;
  readonly stride: number;
}

async function layoutOf(is32Bit: boolean): Promise<Layout> {
  const expressions = [
    "sizeof(void *)",
    "sizeof(struct msghdr)",
    "offsetof(struct msghdr, msg_name)",
    "offsetof(struct msghdr, msg_namelen)",
    "sizeof(struct mmsghdr)",
    "offsetof(struct mmsghdr, msg_hdr)",
  ] as const;
  const values = await cValues(
    { headers: ["sys/socket.h"], is32Bit },
    expressions,
  );
  assert.equal(values["offsetof(struct mmsghdr, msg_hdr)"], 0);
  return {
    arch: is32Bit ? I386 : X86_64,
    pointer: values["sizeof(void *)"],
    size: values["sizeof(struct msghdr)"],
    name: values["offsetof(struct msghdr, msg_name)"],
    nameLength: values["offsetof(struct msghdr, msg_namelen)"],
    stride: values["sizeof(struct mmsghdr)"],
  };
}

/** An array of struct mmsghdr; bytes that do not matter are all ones. */
function messages(
  layout: Layout,
  names: readonly (readonly [address: number, length: number])[],
): Uint8Array {
  const bytes = new Uint8Array(layout.stride * names.length).fill(0xff);
  const view = new DataView(bytes.buffer);
  names.forEach(([name, length], index) => {
    const at = index * layout.stride;
    if (layout.pointer === 8) {
      view.setBigUint64(at + layout.name, BigInt(name), true);
    } else view.setUint32(at + layout.name, name, true);
    view.setUint32(at + layout.nameLength, length, true);
  });
  return bytes;
}

for (const is32Bit of [false, true]) {
  const reason = missing([is32Bit ? "gcc -m32" : "gcc"]);
  const machine = is32Bit ? "i386" : "x86_64";
  const ignore = reason !== undefined || Deno.build.arch !== "x86_64";
  const suffix = reason === undefined ? "" : ` (${reason})`;
  const test = (name: string, body: (layout: Layout) => void): void => {
    Deno.test(`readSocketCall() of ${machine} ${name}${suffix}`, {
      ignore,
    }, async () => body(await layoutOf(is32Bit)));
  };

  test("reads the name of sendmsg(2)", (layout) => {
    using memory = new Memory();
    const name = memory.place(V6);
    const array = messages(layout, [[name, V6.length], [name, 4]]);
    const at = memory.place(array.subarray(0, layout.size));
    const call = read("sendmsg", [4, at], layout.arch);
    assert.deepEqual(texts(call), [V6_TEXT]);
    assert.equal(call?.fd, 4);
    const plain = memory.place(messages(layout, [[0, 0]]));
    assert.equal(read("sendmsg", [4, plain], layout.arch), undefined);
  });

  test("reads all names of sendmmsg(2), each once", (layout) => {
    using memory = new Memory();
    const [a, b] = [memory.place(V4), memory.place(V6)];
    const names = [[a, 16], [0, 0], [b, 28], [a, 16]] as const;
    const at = memory.place(messages(layout, names));
    const call = (count: number | bigint): SocketCall | undefined =>
      read("sendmmsg", [4, at, count], layout.arch);
    assert.deepEqual(texts(call(4)), [V4_TEXT, V6_TEXT]);
    assert.deepEqual(texts(call(2)), [V4_TEXT]);
    assert.equal(call(0), undefined);
    assert.deepEqual(texts(call(0xffff_ffff_0000_0001n)), [V4_TEXT]);
  });

  test("reads as many messages as the kernel takes", (layout) => {
    using memory = new Memory();
    const hosts = Array.from({ length: 1100 }, (_, index) => {
      const bytes = sockaddr(AF_INET, "192.0.2.1", 1 + index);
      return [memory.place(bytes), 16] as const;
    });
    const at = memory.address + memory.bytes.length -
        layout.stride * hosts.length & ~7;
    assert.ok(at > hosts.at(-1)![0] + 16);
    memory.bytes.set(messages(layout, hosts), at - memory.address);
    for (const count of [1, 1023, 1024]) {
      const call = read("sendmmsg", [4, at, count], layout.arch);
      assert.equal(call?.endpoints.length, count);
    }
    // UIO_MAXIOV
    const call = read("sendmmsg", [4, at, 1100], layout.arch);
    assert.equal(call?.endpoints.length, 1024);
  });

  test("reads the messages that there are", (layout) => {
    using memory = new Memory(2 * PAGE);
    const name = memory.place(V4);
    const bytes = messages(layout, [[name, 16], [name, 16]]);
    // The array is cut by the end of memory.
    const at = memory.bytes.length - layout.stride;
    memory.bytes.set(bytes.subarray(0, layout.stride), at);
    const call = read("sendmmsg", [4, memory.address + at, 50], layout.arch);
    assert.deepEqual(texts(call), [V4_TEXT]);
  });
}

Deno.test("readSocketCall() unpacks socketcall(2)", () => {
  using memory = new Memory();
  const name = memory.place(V4);
  const cases: [number: number, args: number[], kind: string | undefined][] = [
    [2, [5, name, 16, 0, 0, 0], "bind"],
    [3, [5, name, 16, 0, 0, 0], "connect"],
    [11, [5, 0, 0, 0, name, 16], "sendto"],
    [4, [5, 1, 0, 0, 0, 0], "listen"],
    [5, [5, name, 0, 0, 0, 0], "accept"],
    [18, [5, name, 0, 0, 0, 0], "accept"],
    // socket, send, recvfrom, setsockopt, recvmsg
    ...[1, 9, 12, 14, 17, 0, -1, 99].map((number) =>
      [number, [5, name, 16, 0, name, 16], undefined] as [
        number,
        number[],
        undefined,
      ]
    ),
  ];
  for (const [number, args, kind] of cases) {
    const words = new Uint8Array(Uint32Array.from(args).buffer);
    const at = memory.place(words);
    const call = read("socketcall", [number, at], I386);
    assert.equal(call?.kind, kind, `${number}`);
    if (call === undefined) continue;
    assert.equal(call.fd, 5);
    const named = kind === "listen" || kind === "accept" ? [] : [V4_TEXT];
    assert.deepEqual(texts(call), named);
  }
  assert.equal(read("socketcall", [3, 8], I386), undefined);
});

Deno.test("readSocketCall() unpacks arguments of socketcall(2) at the end of memory", () => {
  using memory = new Memory(PAGE);
  const name = memory.place(V4);
  // connect(2) has three.
  const words = Uint32Array.of(5, name, 16);
  memory.bytes.set(new Uint8Array(words.buffer), PAGE - 12);
  const call = read("socketcall", [3, memory.address + PAGE - 12], I386);
  assert.deepEqual(texts(call), [V4_TEXT]);
});

Deno.test("readSocketCall() takes any arguments", () => {
  using memory = new Memory();
  const kinds: readonly CallKind[] = [
    ...["connect", "bind", "sendto", "sendmsg", "sendmmsg"] as const,
    ...["socketcall", "listen", "io_uring_setup"] as const,
  ];
  const value = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.nat(memory.length).map((offset) => BigInt(memory.address + offset)),
    fc.nat(40).map(BigInt),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...kinds),
      fc.array(value, { minLength: 6, maxLength: 6 }),
      fc.constantFrom(X86_64, I386),
      fc.uint8Array({ minLength: 64, maxLength: 256 }),
      (kind, args, arch, content) => {
        memory.bytes.set(content);
        const call = read(kind, args, arch);
        if (call === undefined) return;
        for (const endpoint of call.endpoints) {
          assert.ok(
            endpoint.family === AF_INET || endpoint.family === AF_INET6,
          );
        }
      },
    ),
    { numRuns: 1000 },
  );
});
