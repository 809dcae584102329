import { deepEqual, equal, fail, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { encodeBtf } from "../../bpf/btf/encode.ts";
import { Btf } from "../../bpf/btf/reader.ts";
import {
  add,
  assemble,
  call,
  exit,
  loadMap,
  mov,
  R0,
  R1,
  R10,
  R2,
  R3,
  R4,
  relocate,
  store,
} from "../../bpf/extended/mod.ts";
import { KERNEL_NAMES, KernelTypes } from "../../bpf/programs/kernel_types.ts";
import { loadBtf } from "../../ffi/bpf.ts";
import { openCgroupRoot } from "../../ffi/bpf_cgroup.ts";
import {
  BPF_F_MMAPABLE,
  BPF_F_NO_PREALLOC,
  BpfMap,
  MapType,
  UpdateFlag,
} from "../../ffi/bpf_map.ts";
import { BpfProgram, ProgramLoadError } from "../../ffi/bpf_program.ts";
import { BpfRingBuffer } from "../../ffi/bpf_ring_buffer.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { ebpfTest } from "./ebpf_support.ts";

const SOCKET_FILTER = 1;

function hash(maxEntries: number): BpfMap {
  return new BpfMap({
    name: "test_hash",
    type: MapType.HASH,
    keySize: 4,
    valueSize: 8,
    maxEntries,
    flags: BPF_F_NO_PREALLOC,
  });
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u64(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

ebpfTest("BpfMap visits all entries, however they lie", () => {
  using map = hash(20_000);
  map.visit(() => fail("nothing is there"));
  for (let i = 0; i < 10_000; i++) map.update(u32(i), u64(i * 2));
  const found = new Map<number, bigint>();
  map.visit((keys, keyAt, values, valueAt) => {
    const number = new DataView(keys.buffer).getUint32(keyAt, true);
    equal(found.has(number), false);
    found.set(number, values.getBigUint64(valueAt, true));
  });
  equal(found.size, 10_000);
  for (const [number, double] of found) equal(double, BigInt(number * 2));
});

ebpfTest("BpfMap behaves like a Map", () => {
  const key = fc.nat(7);
  const action = fc.oneof(
    fc.record({ do: fc.constant("set" as const), key, value: fc.nat() }),
    fc.record({ do: fc.constant("delete" as const), key }),
    fc.record({ do: fc.constant("get" as const), key }),
  );
  fc.assert(fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
    using map = hash(8);
    const model = new Map<number, number>();
    const value = new Uint8Array(8);
    for (const step of actions) {
      if (step.do === "set") {
        map.update(u32(step.key), u64(step.value));
        model.set(step.key, step.value);
      } else if (step.do === "delete") {
        equal(map.delete(u32(step.key)), model.delete(step.key));
      } else {
        equal(map.lookup(u32(step.key), value), model.has(step.key));
        if (model.has(step.key)) {
          deepEqual([...value], [...u64(model.get(step.key)!)]);
        }
      }
    }
    const keys = [...map.keys()].length;
    equal(keys, model.size);
  }));
});

ebpfTest("BpfMap.keys() visits every key although entries are removed", () => {
  using map = hash(1000);
  for (let i = 0; i < 1000; i++) map.update(u32(i), u64(i));
  const seen = new Set<number>();
  for (const key of map.keys()) {
    seen.add(key[0]! | key[1]! << 8);
    map.delete(key);
  }
  equal(seen.size, 1000);
  equal([...map.keys()].length, 0);
});

ebpfTest("BpfMap.updateBatch() writes many entries", () => {
  using map = hash(3000);
  const keys = new Uint8Array(
    Uint32Array.from({ length: 3000 }, (_, i) => i).buffer,
  );
  map.updateBatch(keys, new Uint8Array(3000 * 8).fill(7));
  const value = new Uint8Array(8);
  equal(map.lookup(u32(2999), value), true);
  deepEqual([...value], new Array(8).fill(7));
  map.updateBatch(new Uint8Array(0), new Uint8Array(0));
  throws(() => map.updateBatch(keys, new Uint8Array(8)), RangeError);
});

ebpfTest("BpfMap names the map, the command and the error", () => {
  using map = hash(1);
  map.update(u32(1), u64(1));
  throws(() => map.update(u32(2), u64(2)), {
    message: 'bpf(BPF_MAP_UPDATE_ELEM) of map "test_hash" failed with E2BIG ' +
      "(Argument list too long)",
  });
  throws(() => map.update(u32(1), u64(2), UpdateFlag.NOEXIST), {
    code: "EEXIST",
  });
  throws(() => map.update(u32(2), u64(2), UpdateFlag.EXIST), {
    code: "ENOENT",
  });
  throws(() => map.delete(new Uint8Array(5)), {
    message:
      'Cannot use map "test_hash" with a key of 5 bytes: 4 bytes are expected',
  });
  map.close();
  throws(() => map.fd, TypeError);
});

ebpfTest("BpfMap.mapMemory() shares an array with the kernel", () => {
  using map = new BpfMap({
    name: "shared",
    type: MapType.ARRAY,
    keySize: 4,
    valueSize: 16,
    maxEntries: 1,
    flags: BPF_F_MMAPABLE,
  });
  using memory = map.mapMemory(16);
  const bytes = new Uint8Array(memory.buffer());
  bytes[3] = 9;
  const value = new Uint8Array(16);
  equal(map.lookup(u32(0), value), true);
  equal(value[3], 9);
  value[4] = 8;
  map.update(u32(0), value);
  equal(bytes[4], 8);
});

ebpfTest(
  "BpfProgram tells the program's name and the verifier's reason",
  () => {
    throws(
      () =>
        new BpfProgram({
          name: "no_result",
          type: SOCKET_FILTER,
          instructions: assemble(exit()).bytes,
        }),
      (error) => {
        ok(error instanceof ProgramLoadError);
        ok(error.cause instanceof SyscallError);
        equal(error.code, "EACCES");
        equal(error.program, "no_result");
        ok(error.log.includes("R0 !read_ok"), error.log);
        ok(
          error.message.startsWith(
            'Cannot load eBPF program "no_result": ' +
              "bpf(BPF_PROG_LOAD) failed with EACCES: ",
          ),
          error.message,
        );
        ok(error.message.endsWith("R0 !read_ok"), error.message);
        return true;
      },
    );
  },
);

const RING_SIZE = 1 << 14;

ebpfTest(
  "BpfRingBuffer hands over records of any length across its end",
  () => {
    using map = new BpfMap({
      name: "ring",
      type: MapType.RINGBUF,
      keySize: 0,
      valueSize: 0,
      maxEntries: RING_SIZE,
    });
    using ring = new BpfRingBuffer(map, RING_SIZE);
    const programs = [1, 8, 21, 64].map((length) =>
      new BpfProgram({
        name: `record_${length}`,
        type: SOCKET_FILTER,
        instructions: relocate(
          assemble([
            Array.from(
              { length: 8 },
              (_, i) => store("u64", R10, -64 + 8 * i, length),
            ),
            loadMap(R1, "ring"),
            mov(R2, R10),
            add(R2, -64),
            mov(R3, length),
            mov(R4, 1),
            call("ringbuf_output"),
            mov(R0, 0),
            exit(),
          ]),
          { ring: map.fd },
        ),
      })
    );
    const packet = new Uint8Array(64);
    let sent = 0;
    let received = 0;
    for (let round = 0; round < 200; round++) {
      const expected: number[] = [];
      for (const [i, program] of programs.entries()) {
        const repeat = 1 + (round * 7 + i * 13) % 30;
        program.testRun(packet, { repeat });
        const length = [1, 8, 21, 64][i]!;
        for (let n = 0; n < repeat; n++) expected.push(length);
      }
      sent += expected.length;
      const lengths: number[] = [];
      received += ring.read((offset, length) => {
        equal(ring.view.getUint8(offset), length);
        lengths.push(length);
      });
      deepEqual(lengths, expected);
      equal(ring.pending, 0);
    }
    equal(received, sent);
    ok(sent * 40 > 20 * RING_SIZE, "the ring was filled several times");
    for (const program of programs) program.close();
  },
);

ebpfTest("loadBtf() takes what encodeBtf() writes", () => {
  const types = [
    { kind: "INT", name: "u32", size: 4 },
    { kind: "INT", name: "s64", size: 8, signed: true },
    { kind: "ARRAY", element: 2, index: 1, count: 6 },
  ] as const;
  loadBtf(encodeBtf(types)).close();
  const dangling = { kind: "ARRAY", element: 9, index: 9, count: 1 } as const;
  throws(() => loadBtf(encodeBtf([dangling])), { code: "EINVAL" });
});

ebpfTest("openCgroupRoot() opens the root of the hierarchy", () => {
  using root = openCgroupRoot();
  const path = `/proc/self/fd/${root.number}`;
  ok(Deno.statSync(`${path}/cgroup.procs`).isFile);
});

ebpfTest("KernelTypes finds the kernel's own structures", () => {
  const bytes = Deno.readFileSync("/sys/kernel/btf/vmlinux");
  const btf = new Btf(bytes, KERNEL_NAMES);
  const types = new KernelTypes(btf);
  // As in struct sock_common since 2.6: addresses first.
  equal(types.offset("sock", "__sk_common.skc_daddr"), 0);
  equal(types.offset("sock", "__sk_common.skc_rcv_saddr"), 4);
  ok(types.tracepoint("sched_process_fork") > 0);
  ok(types.argumentCount("tcp_connect") === 1);
  // A bitfield has no byte offset.
  equal(types.optionalOffset("sk_buff", "pkt_type"), undefined);
  throws(() => types.offset("net", "nothing"), {
    message: "Cannot find member nothing of struct net in this kernel",
  });
});
