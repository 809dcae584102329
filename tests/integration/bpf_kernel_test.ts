import assert from "node:assert/strict";
import fc from "fast-check";
import { compileCaptureFilter } from "../../bpf/capture_filter.ts";
import { statement } from "../../bpf/classic/instruction.ts";
import { formatListing } from "../../bpf/classic/text.ts";
import { findViolation } from "../../bpf/classic/validate.ts";
import {
  doubtfulPrograms,
  validPrograms,
} from "../unit/bpf/classic/random_programs.ts";
import { RULE_CASES } from "../unit/bpf/classic/rule_cases.ts";
import type { SeccompTask } from "./bpf_kernel_seccomp.ts";
import { hasRoom, socketPair } from "./bpf_kernel_sockets.ts";
import {
  byteOfA,
  expectedLength,
  fillTo,
  kernelTest,
  PACKET_LENGTH,
  PLAIN_OFFSETS,
} from "./bpf_kernel_support.ts";

kernelTest("Linux applies each rule as we do", [], () => {
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  for (const [name, program, kind, message] of RULE_CASES) {
    if (kind !== "socket") continue;
    if (message === undefined && !hasRoom(program)) continue;
    assert.equal(receiver.attach(program), message === undefined, name);
  }
});

kernelTest("Linux takes and refuses the programs that we do", [], () => {
  let refused = 0;
  let taken = 0;
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  fc.assert(
    fc.property(doubtfulPrograms(PLAIN_OFFSETS, 40), (program) => {
      const found = findViolation(program);
      assert.equal(
        receiver.attach(program),
        found === undefined,
        `${found?.message ?? "valid"}\n${formatListing(program)}`,
      );
      if (found === undefined) taken++;
      else refused++;
    }),
    { numRuns: 5000 },
  );
  assert.ok(taken > 500 && refused > 500, `${taken}, ${refused}`);
});

kernelTest("Linux gives the verdicts that we give", [], () => {
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  const start = fc.uint8Array({ minLength: 60, maxLength: 60 });
  const verdicts = new Set<number>();
  fc.assert(
    fc.property(validPrograms(PLAIN_OFFSETS, 60), start, (body, first) => {
      const bytes = fillTo(PACKET_LENGTH, first);
      for (let byte = 0; byte < 4; byte++) {
        const program = byteOfA(body, byte);
        assert.ok(receiver.attach(program), formatListing(program));
        sender.send(bytes);
        const received = receiver.receive();
        verdicts.add(received);
        assert.equal(
          received,
          expectedLength(program, { bytes }),
          formatListing(program),
        );
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(verdicts.size > 250, `${verdicts.size} different verdicts`);
});

kernelTest("Linux returns A where a packet has no interface", [], () => {
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  for (const offset of [-0x1000 + 8, -0x1000 + 28]) {
    const program = [
      statement(0x00, 5),
      statement(0x20, offset),
      statement(0x06, 7),
    ];
    assert.ok(receiver.attach(program));
    const bytes = new Uint8Array(9);
    sender.send(bytes);
    assert.equal(receiver.receive(), expectedLength(program, { bytes }));
  }
});

kernelTest("Linux takes capture filters of any number of ports", [], () => {
  const [sender, receiver] = socketPair();
  using _sender = sender;
  using _receiver = receiver;
  for (const count of [0, 1, 2, 10, 119, 300, 1000, 3000, 30000, 65536]) {
    // An odd factor visits every port once.
    const tcpPorts = Array.from(
      { length: count },
      (_, index) => index * 40503 % 65536,
    ).sort((a, b) => a - b);
    const program = compileCaptureFilter(
      { tcpPorts, udpPorts: tcpPorts.slice(0, 100), remotes: [] },
      { snaplen: 0 },
    );
    const isTaken = receiver.attach(program);
    assert.ok(isTaken || !hasRoom(program), `${count} ports`);
  }
});

/** Calls that take no arguments, so that any can be passed. */
const HARMLESS_CALLS = {
  x86_64: {
    auditArch: 0xc000003e,
    seccomp: 317,
    ...{ getuid: 102, getgid: 104, geteuid: 107, getegid: 108 },
  },
  aarch64: {
    auditArch: 0xc00000b7,
    seccomp: 277,
    ...{ getuid: 174, geteuid: 175, getgid: 176, getegid: 177 },
  },
} as const;

kernelTest("Linux traces the calls that a syscall filter should", [], () => {
  const numbers = HARMLESS_CALLS[Deno.build.arch];
  const args = (index: number, value: string): string[] => {
    return Array.from({ length: 6 }, (_, at) => at === index ? value : "0x0");
  };
  const cases: [nr: number, args: string[], traced: boolean][] = [
    [numbers.getuid, args(0, "0x0"), false],
    [numbers.getuid, args(3, "0x1"), false],
    [numbers.geteuid, args(0, "0x0"), true],
    [numbers.getgid, args(4, "0x0"), false],
    [numbers.getgid, args(4, "0x1"), true],
    [numbers.getgid, args(4, "0x100000000"), true],
    [numbers.getgid, args(3, "0x1"), false],
    [numbers.getegid, args(4, "0x1"), false],
  ];
  const task: SeccompTask = {
    architectures: [
      { auditArch: 0x40000003, calls: [{ nr: numbers.getuid }] },
      {
        auditArch: numbers.auditArch,
        calls: [
          { nr: numbers.geteuid },
          { nr: numbers.getgid, nonZeroArgument: 4 },
        ],
        ignoreBits: Deno.build.arch === "x86_64" ? 0x40000000 : 0,
      },
    ],
    seccomp: numbers.seccomp,
    calls: cases.map(([nr, args]) => ({ nr, args })),
  };
  const script = new URL("./bpf_kernel_seccomp.ts", import.meta.url);
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script.pathname, JSON.stringify(task)],
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.deepEqual(
    JSON.parse(new TextDecoder().decode(stdout)),
    cases.map(([, , traced]) => traced),
  );
});
