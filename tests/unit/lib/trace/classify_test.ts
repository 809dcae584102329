import assert from "node:assert/strict";
import { decodeWaitStatus, type WaitStatus } from "../../../../ffi/wait.ts";
import { classify, type TraceEvent } from "../../../../lib/trace/classify.ts";

const SIGTRAP = 5;
const SIGSTOP = 19;

/** A status word of a stop, as linux/ptrace.h composes it. */
function stop(signal: number, event = 0): number {
  return event << 16 | signal << 8 | 0x7f;
}

Deno.test("classify() tells what each kind of stop means", () => {
  const cases: [about: string, status: number, TraceEvent][] = [
    ["PTRACE_EVENT_FORK", stop(SIGTRAP, 1), { kind: "newTask" }],
    ["PTRACE_EVENT_VFORK", stop(SIGTRAP, 2), { kind: "newTask" }],
    ["PTRACE_EVENT_CLONE", stop(SIGTRAP, 3), { kind: "newTask" }],
    ["PTRACE_EVENT_EXEC", stop(SIGTRAP, 4), { kind: "exec" }],
    ["PTRACE_EVENT_SECCOMP", stop(SIGTRAP, 7), { kind: "seccomp" }],
    ["PTRACE_INTERRUPT", stop(SIGTRAP, 128), { kind: "interrupted" }],
    ["syscall-stop", stop(SIGTRAP | 0x80), { kind: "syscall" }],
    ["a breakpoint", stop(SIGTRAP), { kind: "signal", signal: SIGTRAP }],
  ];
  for (const [about, status, expected] of cases) {
    assert.deepEqual(classify(decodeWaitStatus(status)), expected, about);
  }
});

Deno.test("classify() tells a group-stop from the signal that brings it about", () => {
  for (const signal of [SIGSTOP, 20, 21, 22]) {
    assert.deepEqual(classify(decodeWaitStatus(stop(signal, 128))), {
      kind: "groupStop",
      signal,
    });
    assert.deepEqual(classify(decodeWaitStatus(stop(signal))), {
      kind: "signal",
      signal,
    });
  }
});

Deno.test("classify() passes every signal on that is on its way in", () => {
  for (let signal = 1; signal <= 64; signal++) {
    assert.deepEqual(classify(decodeWaitStatus(stop(signal))), {
      kind: "signal",
      signal,
    });
  }
});

Deno.test("classify() keeps the status of threads that are gone", () => {
  const ends: [word: number, WaitStatus][] = [
    [0, { kind: "exited", code: 0 }],
    [0xff00, { kind: "exited", code: 255 }],
    [9, { kind: "signaled", signal: 9 }],
    [0x8b, { kind: "signaled", signal: 11 }],
  ];
  for (const [word, status] of ends) {
    assert.deepEqual(classify(decodeWaitStatus(word)), {
      kind: "gone",
      status,
    });
  }
});
