import { deepEqual, equal } from "node:assert/strict";
import type { SessionRow, TrafficRow } from "../../../../lib/views/rows.ts";
import { TrafficWatch } from "../../../../lib/views/traffic.ts";
import { fakeWatch, SESSIONS } from "../cli/fake_views.ts";

/** Sessions of which a test says what is open and what has ended. */
function scene(): {
  readonly watch: TrafficWatch;
  open: SessionRow[];
  closed: SessionRow[];
  now: number;
} {
  const state = {
    open: [] as SessionRow[],
    closed: [] as SessionRow[],
    now: 0,
  };
  const sessions = {
    ...fakeWatch<SessionRow>([]),
    visit: (callback: (row: SessionRow) => void): void =>
      state.closed.splice(0).forEach((row) => callback(row)),
    finish: (): SessionRow[] => state.open,
  };
  const watch = new TrafficWatch(sessions, { period: 100 }, () => state.now);
  return Object.assign(state, { watch });
}

function session(
  localPort: number,
  bytesSent: number,
  bytesReceived: number,
  stillOpen = true,
): SessionRow {
  return { ...SESSIONS[0]!, localPort, bytesSent, bytesReceived, stillOpen };
}

function texts(rows: readonly TrafficRow[]): string[] {
  return rows.map((row) =>
    `${row.localPort} ${row.bytesSent} ${row.bytesReceived}`
  );
}

Deno.test("TrafficWatch tells differences, the busiest first", () => {
  const state = scene();
  state.open = [session(1, 10, 0), session(2, 5, 100)];
  deepEqual(state.watch.take(), []);
  state.now = 100;
  deepEqual(texts(state.watch.take()[0]!.rows), ["2 5 100", "1 10 0"]);
  state.open = [session(1, 10, 0), session(2, 6, 101)];
  state.now = 200;
  deepEqual(texts(state.watch.take()[0]!.rows), ["2 1 1"]);
});

Deno.test("TrafficWatch counts what ended, and its ends anew", () => {
  const state = scene();
  state.open = [session(1, 10, 0)];
  state.now = 100;
  state.watch.take();
  state.closed = [session(1, 15, 3, false)];
  state.open = [session(1, 2, 0)];
  state.now = 200;
  deepEqual(texts(state.watch.take()[0]!.rows), ["1 5 3", "1 2 0"]);
});

Deno.test("TrafficWatch remembers a session between list and end", () => {
  const state = scene();
  state.open = [session(1, 10, 0)];
  state.now = 100;
  state.watch.take();
  // Closed already, but the record was not there when it was asked for.
  state.open = [];
  state.now = 200;
  deepEqual(texts(state.watch.take()[0]!.rows), []);
  state.closed = [session(1, 11, 0, false)];
  state.now = 300;
  deepEqual(texts(state.watch.take()[0]!.rows), ["1 1 0"]);
});

Deno.test("TrafficWatch does not hurry after a late sample", () => {
  const state = scene();
  state.now = 1000;
  equal(state.watch.take().length, 1);
  state.now = 1099;
  equal(state.watch.take().length, 0);
  state.now = 1100;
  equal(state.watch.take().length, 1);
});
