/**
 * A stand-in for the views, with rows that are always the same.
 *
 * @module
 */
import type { ViewEngine } from "../../../../lib/cli/engine.ts";
import type {
  ConnectionRow,
  RetransmitRow,
  SessionRow,
  StateRow,
  TrafficSample,
} from "../../../../lib/views/rows.ts";
import type { Watch } from "../../../../lib/views/watch.ts";

/** 03:04:05 in whatever time zone the test runs. */
const BEGIN = new Date(2026, 0, 2, 3, 4, 5).getTime();

const ENDS = {
  tid: 4242,
  uid: 1000,
  cgroup: 77,
  netns: 4026531833,
  protocol: "tcp",
} as const;

const IPV4 = {
  family: 4,
  localAddress: "192.0.2.10",
  localPort: 50_000,
  remoteAddress: "198.51.100.20",
  remotePort: 443,
} as const;

const IPV6 = {
  family: 6,
  localAddress: "2001:db8::10",
  localPort: 50_001,
  remoteAddress: "2001:db8:ffff:ffff:ffff:ffff:ffff:20",
  remotePort: 8443,
} as const;

/** Attempts to connect. */
export const CONNECTIONS: readonly ConnectionRow[] = [
  {
    ...ENDS,
    ...IPV4,
    pid: 4242,
    comm: "curl",
    time: BEGIN,
    result: "ok",
    latency: 12.3456,
    name: "www.example.org",
  },
  {
    ...ENDS,
    ...IPV6,
    pid: 4_194_303,
    comm: "a very long one",
    time: BEGIN + 1500,
    result: "ECONNREFUSED",
    latency: 0.05,
  },
  {
    ...ENDS,
    ...IPV4,
    pid: 7,
    comm: 'od,d "x"',
    protocol: "udp",
    localAddress: "0.0.0.0",
    localPort: 0,
    remotePort: 53,
    time: BEGIN + 61_000,
    result: "ENETUNREACH",
    latency: 0.001,
  },
  {
    ...ENDS,
    ...IPV4,
    pid: 4242,
    comm: "curl",
    time: BEGIN + 62_000,
    result: "pending",
    latency: undefined,
  },
];

const CLOSED = {
  retransmits: 0,
  roundTrip: 12_345,
  closedBy: "local",
  error: undefined,
  openBefore: false,
  stillOpen: false,
  ownerFrom: "call",
} as const;

/** Sessions. */
export const SESSIONS: readonly SessionRow[] = [
  {
    ...ENDS,
    ...IPV4,
    ...CLOSED,
    pid: 4242,
    comm: "curl",
    time: BEGIN,
    bytesSent: 1023,
    bytesReceived: 1024,
    duration: 12.3456,
  },
  {
    ...ENDS,
    ...IPV6,
    ...CLOSED,
    pid: 4_194_303,
    comm: "a very long one",
    time: BEGIN + 1500.25,
    bytesSent: 123_456_789,
    bytesReceived: 0,
    duration: 61_234.5,
    retransmits: 3,
    closedBy: "remote-reset",
    error: "ECONNRESET",
  },
  {
    ...ENDS,
    ...IPV4,
    ...CLOSED,
    pid: 7,
    comm: 'od,d "x"',
    time: BEGIN + 61_000,
    bytesSent: 0,
    bytesReceived: 0,
    duration: 0.02,
    openBefore: true,
    stillOpen: true,
    closedBy: "open",
    ownerFrom: "descriptor",
  },
];

const RETRANSMITS: readonly RetransmitRow[] = [
  {
    ...ENDS,
    ...IPV4,
    pid: 4242,
    comm: "curl",
    time: BEGIN,
    reason: "loss",
    state: "ESTABLISHED",
    sequence: 4_000_000_000,
  },
  {
    ...ENDS,
    ...IPV6,
    pid: 7,
    comm: "sshd",
    time: BEGIN + 1000,
    reason: "probe",
    state: "FIN_WAIT1",
    sequence: 1,
  },
  {
    ...ENDS,
    ...IPV4,
    pid: 4242,
    comm: "curl",
    time: BEGIN + 2000,
    reason: "loss",
    state: "ESTABLISHED",
    sequence: 4_000_000_000,
  },
];

const STATES: readonly StateRow[] = [
  {
    ...ENDS,
    ...IPV4,
    pid: 4242,
    comm: "a very long one",
    time: BEGIN,
    socket: "ffff88815f602500",
    oldState: "CLOSE",
    newState: "SYN_SENT",
    duration: 0,
  },
  {
    ...ENDS,
    ...IPV6,
    pid: 7,
    comm: "sshd",
    time: BEGIN + 1000,
    socket: "ffff88815f6040c0",
    oldState: "ESTABLISHED",
    newState: "CLOSE_WAIT",
    duration: 1234.5678,
  },
];

const SAMPLES: readonly TrafficSample[] = [
  {
    time: BEGIN,
    rows: [
      {
        ...ENDS,
        ...IPV6,
        pid: 7,
        comm: "sshd",
        bytesSent: 123_456_789,
        bytesReceived: 1023,
      },
      {
        ...ENDS,
        ...IPV4,
        pid: 4242,
        comm: "a very long one",
        bytesSent: 1024,
        bytesReceived: 5000,
      },
    ],
  },
  { time: BEGIN + 1000, rows: [] },
];

/** A watch that has some rows and is over. */
export function fakeWatch<Row>(rows: readonly Row[]): Watch<Row> {
  const left = [...rows];
  return {
    notices: [],
    details: [],
    losses: { records: 0, sockets: 0, runs: 0 },
    over: true,
    take: () => left.splice(0),
    visit: (callback) => left.splice(0).forEach(callback),
    finish: () => [],
    launched: () => {},
    stop: () => {},
    async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, void> {
      yield* left;
    },
    [Symbol.dispose]: () => {},
  };
}

/** Loads the stand-in. */
export function fakeViewEngine(): Promise<ViewEngine> {
  return Promise.resolve({
    watchConnections: () => fakeWatch(CONNECTIONS),
    watchSessions: () => fakeWatch(SESSIONS),
    watchAccepts: () => fakeWatch(CONNECTIONS),
    watchRetransmits: () => fakeWatch(RETRANSMITS),
    watchStates: () => fakeWatch(STATES),
    watchTraffic: () => fakeWatch(SAMPLES),
    launch: (_, observer) => {
      observer.ended({ kind: "exited", code: 3 });
      return { forwardSignal: () => false };
    },
  });
}
