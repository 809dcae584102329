import { deepEqual, equal } from "node:assert/strict";
import {
  CLOSED_EARLY,
  RECORD,
  SOCKET_FLAG,
} from "../../../../bpf/programs/views/layout.ts";
import { ViewRecord } from "../../../../lib/views/record.ts";
import {
  closeKind,
  ConnectionWindow,
  keepConnection,
  keepSession,
  SessionWindow,
} from "../../../../lib/views/record_rows.ts";
import type { ConnectionRow, SessionRow } from "../../../../lib/views/rows.ts";

const { ACTIVE, ESTABLISHED, OPEN_BEFORE, LISTENER, CLOSER } = SOCKET_FLAG;
const { FIN_ACKED, FIN_RECEIVED } = SOCKET_FLAG;
const CONTEXT = {
  clockOffset: 1_000_000,
  began: 5_000_000,
  ids: { toInner: (tgid: number) => tgid < 1000 ? tgid : undefined },
};

/** The attempt that a record tells of. */
function connection(from: ViewRecord, isPending = false): ConnectionRow {
  return keepConnection(new ConnectionWindow(from, CONTEXT, isPending));
}

/** The session that a record tells of. */
function session(from: ViewRecord, isOpen = false): SessionRow {
  return keepSession(new SessionWindow(from, CONTEXT, isOpen));
}

type Field = Exclude<keyof typeof RECORD, "size" | "local" | "remote" | "comm">;

const WIDE: ReadonlySet<string> = new Set(
  [
    ..."time start cgroup now bytesAcked bytesReceived".split(" "),
    ..."bytesSent bytesRetransmitted socket".split(" "),
  ],
);
const NARROW: ReadonlySet<string> = new Set(
  "family protocol localPort remotePort oldState newState".split(" "),
);

/** A record between 192.0.2.1:1000 and 192.0.2.2:80, behind some other one. */
function record(fields: Partial<Record<Field, number>>): ViewRecord {
  const bytes = new Uint8Array(2 * RECORD.size);
  const view = new DataView(bytes.buffer);
  const at = RECORD.size;
  const given: Partial<Record<Field, number>> = {
    family: 2,
    protocol: 6,
    localPort: 1000,
    remotePort: 80,
    tgid: 10,
    tid: 11,
    start: 6_000_000,
    now: 8_500_000,
    ...fields,
  };
  for (const [name, value] of Object.entries(given)) {
    const offset = at + RECORD[name as Field];
    if (WIDE.has(name)) view.setBigUint64(offset, BigInt(value), true);
    else if (NARROW.has(name)) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  for (
    const [field, last] of [[RECORD.local, 1], [RECORD.remote, 2]] as const
  ) {
    bytes.set([0xff, 0xff, 192, 0, 2, last], at + field + 10);
  }
  bytes.set(new TextEncoder().encode("näme"), at + RECORD.comm);
  return new ViewRecord(view, bytes).moveTo(at);
}

Deno.test("an attempt is read from its record", () => {
  deepEqual(
    connection(record({ uid: 3, cgroup: 2 ** 40, netns: 9 })),
    {
      pid: 10,
      tid: 11,
      comm: "näme",
      uid: 3,
      cgroup: 2 ** 40,
      netns: 9,
      family: 4,
      protocol: "tcp",
      localAddress: "192.0.2.1",
      localPort: 1000,
      remoteAddress: "192.0.2.2",
      remotePort: 80,
      time: 1_000_006,
      result: "ok",
      latency: 2.5,
    },
  );
});

Deno.test("attempts name their results", () => {
  const result = (error: number): string =>
    connection(record({ error })).result;
  equal(result(111), "ECONNREFUSED");
  equal(result(CLOSED_EARLY), "closed");
  const pending = connection(record({}), true);
  deepEqual([pending.result, pending.latency], ["pending", undefined]);
});

Deno.test("rows of IPv6 sockets show v4-mapped addresses as such", () => {
  const { family, localAddress } = connection(record({ family: 10 }));
  deepEqual([family, localAddress], [6, "::ffff:192.0.2.1"]);
});

/** Flags, acknowledged, received, sent, sent again; data sent and received. */
const BYTES: readonly (readonly [string, number, number[], number[]])[] = [
  ["refused", ACTIVE, [0, 0, 0, 0], [0, 0]],
  ["connected, nothing said", ACTIVE | ESTABLISHED, [1, 0, 0, 0], [0, 0]],
  [
    "connected and closed first",
    ACTIVE | ESTABLISHED | FIN_ACKED,
    [1002, 5000, 1000, 0],
    [1000, 5000],
  ],
  [
    "connected, the other end closed first",
    ACTIVE | ESTABLISHED | FIN_ACKED | FIN_RECEIVED,
    [1002, 5001, 1000, 0],
    [1000, 5000],
  ],
  [
    "accepted",
    ESTABLISHED | FIN_ACKED | FIN_RECEIVED,
    [5001, 1001, 5000, 0],
    [5000, 1000],
  ],
  [
    "accepted, closed first, FIN went to TIME_WAIT",
    ESTABLISHED | FIN_ACKED,
    [5001, 1000, 5000, 0],
    [5000, 1000],
  ],
  ["reset with data under way", ESTABLISHED, [300, 7, 500, 0], [300, 7]],
  [
    "open before, connected from here",
    OPEN_BEFORE | ESTABLISHED | FIN_ACKED,
    [1002, 0, 1200, 200],
    [1000, 0],
  ],
  [
    "open before, accepted here",
    OPEN_BEFORE | ESTABLISHED | FIN_ACKED,
    [1001, 0, 1200, 200],
    [1000, 0],
  ],
];

for (const [name, flags, [acked, received, sent, again], expected] of BYTES) {
  Deno.test(`sessions count bytes: ${name}`, () => {
    const row = session(record({
      flags,
      bytesAcked: acked!,
      bytesReceived: received!,
      bytesSent: sent!,
      bytesRetransmitted: again!,
    }));
    deepEqual([row.bytesSent, row.bytesReceived], expected);
  });
}

Deno.test("sessions count bytes beyond 32 bits", () => {
  const bytesReceived = 2 ** 41 + 1;
  const row = session(
    record({ flags: ESTABLISHED | FIN_RECEIVED, bytesReceived }),
  );
  equal(row.bytesReceived, 2 ** 41);
});

Deno.test("sessions are measured from the beginning of the watch at most", () => {
  equal(session(record({})).duration, 2.5);
  const before = record({ flags: OPEN_BEFORE, start: 0 });
  const row = session(before, true);
  deepEqual(
    [row.duration, row.openBefore, row.stillOpen, row.closedBy],
    [3.5, true, true, "open"],
  );
});

Deno.test("sessions say how the owner is known", () => {
  const from = (flags: number, tgid = 10): string =>
    session(record({ flags, tgid })).ownerFrom;
  equal(from(ACTIVE), "call");
  equal(from(LISTENER), "listener");
  equal(from(CLOSER), "closer");
  equal(from(OPEN_BEFORE), "descriptor");
  equal(from(OPEN_BEFORE, 0), "unknown");
});

Deno.test("closeKind() tells who closed", () => {
  // State before the end (tcp_states.h), errno, who.
  const cases = [
    [4, 0, "local"],
    [5, 0, "local"],
    [11, 0, "local"],
    [5, 104, "local"],
    [9, 0, "remote"],
    [1, 0, "local-reset"],
    [8, 0, "local-reset"],
    [1, 104, "remote-reset"],
    [8, 32, "remote-reset"],
    [2, 111, "remote-reset"],
    [2, 0, "local-reset"],
    [2, 110, "timeout"],
    [1, 110, "timeout"],
    [2, 113, "timeout"],
  ] as const;
  for (const [state, error, kind] of cases) {
    equal(closeKind(state, error), kind, `${state} ${error}`);
  }
});

Deno.test("windows are their rows in JSON, and follow the record", () => {
  const from = record({ error: 111, tgid: 5000 });
  const attempt = new ConnectionWindow(from, CONTEXT);
  const ended = new SessionWindow(from, CONTEXT);
  equal(JSON.stringify(attempt), JSON.stringify(keepConnection(attempt)));
  equal(JSON.stringify(ended), JSON.stringify(keepSession(ended)));
  // Processes that are not seen from here keep their number.
  equal(ended.pid, 5000);
  const kept = keepSession(ended);
  from.moveTo(0);
  deepEqual([ended.pid, kept.pid], [0, 5000]);
});
