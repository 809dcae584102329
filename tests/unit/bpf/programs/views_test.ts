import { deepEqual, equal, ok } from "node:assert/strict";
import { attemptPrograms } from "../../../../bpf/programs/views/attempts.ts";
import {
  tracksAttempts,
  tracksSessions,
  VIEW_ABILITIES,
  type ViewFeatures,
} from "../../../../bpf/programs/views/features.ts";
import {
  RECORD,
  SLOT,
  SLOTS,
  SOCKET,
  VIEW_MAP,
} from "../../../../bpf/programs/views/layout.ts";
import { watchesCalls } from "../../../../bpf/programs/views/calls.ts";
import { COMM_LENGTH } from "../../../../bpf/programs/layout.ts";

const FORMS: readonly ViewFeatures[] = [
  { attempts: true, filtered: false },
  { attempts: true, filtered: true },
  { attempts: true, datagrams: true, filtered: false },
  { attempts: true, datagrams: true, filtered: true },
];

Deno.test("programs at cgroup hooks use maps of the views only", () => {
  const names = new Set<string>(Object.values(VIEW_MAP));
  for (const features of FORMS) {
    const programs = attemptPrograms(features, VIEW_ABILITIES[0]!);
    equal(programs.length, features.datagrams === true ? 4 : 2);
    for (const { name, code, attachment } of programs) {
      ok(/^\w{1,15}$/.test(name), name);
      equal(attachment.kind, "cgroup");
      const used = new Set(code.relocations.map((each) => each.name));
      for (const map of used) ok(names.has(map), `${name}: ${map}`);
      equal(used.has(VIEW_MAP.targets), features.filtered, name);
      equal(used.has(VIEW_MAP.datagrams), name.includes("sendmsg"), name);
    }
  }
});

Deno.test("fields of records do not overlap and begin where they may", () => {
  const lengths: Readonly<Record<string, number>> = {
    ...{ local: 16, remote: 16, comm: COMM_LENGTH },
    ...{ family: 2, protocol: 2, localPort: 2, remotePort: 2 },
    ...{ oldState: 2, newState: 2 },
    ...{ tgid: 4, tid: 4, uid: 4, netns: 4, flags: 4, type: 4, error: 4 },
    ...{ retransmits: 4, roundTrip: 4, sequence: 4, retransmit: 4 },
  };
  const used = new Set<number>();
  for (const [name, offset] of Object.entries(RECORD)) {
    if (name === "size") continue;
    const length = lengths[name] ?? 8;
    equal(offset % Math.min(length, 8), 0, name);
    for (let at = offset; at < offset + length; at++) {
      ok(!used.has(at), `${name} at ${at}`);
      used.add(at);
    }
  }
  equal(Math.max(...used) + 1, RECORD.size);
  equal(RECORD.size % 8, 0);
  equal(SOCKET.size % 8, 0);
  equal(SLOT.size, SLOT.socket + SOCKET.size);
  equal(SLOTS & SLOTS - 1, 0);
});

Deno.test("features decide what is kept and what is looked at", () => {
  const only = (features: Partial<ViewFeatures>): boolean[] => {
    const all = { ...features, filtered: false };
    return [
      tracksAttempts(all),
      tracksSessions(all),
      watchesCalls(all, "call"),
      watchesCalls(all, "function"),
    ];
  };
  deepEqual(only({}), [false, false, false, false]);
  deepEqual(only({ attempts: true }), [true, false, true, true]);
  deepEqual(only({ datagrams: true }), [true, false, true, true]);
  deepEqual(only({ attempts: true, hookless: true }), [
    ...[true, false, false, false],
  ]);
  deepEqual(only({ closes: true }), [false, true, true, false]);
  deepEqual(only({ retransmits: true }), [false, true, true, false]);
});
