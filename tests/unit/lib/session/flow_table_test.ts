import assert from "node:assert/strict";
import fc from "fast-check";
import { formatAddress } from "../../../../lib/packet/address.ts";
import { type FlowRow, FlowTable } from "../../../../lib/session/flow_table.ts";
import { fieldsOf, type FlowText } from "../../../property/flows.ts";

const TCP = 6;
const UDP = 17;
const LOCAL = "192.0.2.1";
const SERVER = "198.51.100.2:443";

/** One packet to be counted. */
interface Counted {
  readonly protocol: number;
  readonly owner: number;
  readonly sent: boolean;
  readonly localPort: number;
  readonly remote: string;
  readonly flags: string;
  readonly listening: boolean;
  readonly length: number;
}

const PACKET: Counted = {
  protocol: TCP,
  owner: 0,
  sent: true,
  localPort: 40000,
  remote: SERVER,
  flags: ".",
  listening: false,
  length: 100,
};

function count(table: FlowTable, packet: Counted, time: number): void {
  const { protocol, owner, sent, remote, flags, listening, length } = packet;
  const host = remote.startsWith("[") ? "[2001:db8::1]" : LOCAL;
  const local = `${host}:${packet.localPort}`;
  const text: FlowText = sent
    ? { protocol, source: local, destination: remote, flags }
    : { protocol, source: remote, destination: local, flags };
  table.count(fieldsOf(text), owner, sent, listening, length, time);
}

/** Counts packets, a second apart from second 1000 on. */
function rowsOf(
  packets: readonly Partial<Counted>[],
  table = new FlowTable(),
): FlowRow[] {
  packets.forEach((packet, index) =>
    count(table, { ...PACKET, ...packet }, 1000 + index)
  );
  return table.rows();
}

function only(rows: readonly FlowRow[]): FlowRow {
  assert.equal(rows.length, 1);
  return rows[0]!;
}

function nameOf(row: FlowRow): string {
  const { owner, protocol, incoming, port, remoteAddress } = row;
  const direction = incoming ? "in" : "out";
  return `${owner} ${protocol} ${direction} ${port} ${
    formatAddress(remoteAddress)
  }`;
}

/** What rows say, in a fixed order. */
function sorted(rows: Iterable<FlowRow>): unknown[] {
  return [...rows].map((row) => ({ ...row, name: nameOf(row) }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

Deno.test("FlowTable counts packets and bytes of both directions", () => {
  const row = only(rowsOf([
    { flags: "S", length: 60 },
    { sent: false, flags: "S.", length: 50 },
    { flags: "." },
    { sent: false, length: 1500 },
  ]));
  assert.equal(nameOf(row), "0 6 out 443 ::ffff:198.51.100.2");
  const { remoteAddress: _, ...figures } = row;
  assert.deepEqual(figures, {
    owner: 0,
    protocol: TCP,
    port: 443,
    incoming: false,
    packetsSent: 2,
    packetsReceived: 2,
    bytesSent: 160,
    bytesReceived: 1550,
    first: 1000,
    last: 1003,
    flows: 1,
    failed: 0,
  });
});

Deno.test("FlowTable tells from the first packet which side began", () => {
  const cases: [about: string, Partial<Counted>, incoming: boolean][] = [
    ["connects", { flags: "S" }, false],
    ["is connected to", { sent: false, flags: "S", listening: true }, true],
    ["accepted earlier", { sent: false, flags: "." }, false],
    ["speaks from a listening port", { flags: ".", listening: true }, true],
    ["connects to itself", { flags: "S", listening: true }, false],
    ["asks", { protocol: UDP, listening: true }, false],
    ["is asked", { protocol: UDP, sent: false, listening: true }, true],
    ["hears on a connected socket", { protocol: UDP, sent: false }, false],
  ];
  for (const [about, packet, incoming] of cases) {
    const back = { ...packet, sent: !(packet.sent ?? true), flags: "S." };
    const row = only(rowsOf([packet, back]));
    assert.equal(row.incoming, incoming, about);
    assert.equal(row.port, incoming ? 40000 : 443, about);
  }
});

Deno.test("FlowTable tells connections that were set up from those that were not", () => {
  const syn: Partial<Counted> = { flags: "S" };
  const answer: Partial<Counted> = { sent: false, flags: "S." };
  const cases: [about: string, Partial<Counted>[], failed: number][] = [
    ["made", [syn, answer, {}], 0],
    ["unanswered", [syn, syn, syn], 1],
    ["refused", [syn, { sent: false, flags: "R." }], 1],
    ["given up", [syn, { flags: "R" }], 1],
    ["answered late", [syn, syn, answer], 0],
    [
      "reset after it was set up",
      [syn, answer, { sent: false, flags: "R" }],
      0,
    ],
    ["begun before", [{}, { sent: false }], 0],
    ["incoming, refused", [{ sent: false, flags: "S" }, { flags: "R." }], 1],
    ["no connection at all", [{ protocol: UDP, flags: "S" }], 0],
  ];
  for (const [about, packets, failed] of cases) {
    const row = only(rowsOf(packets));
    assert.equal(row.failed, failed, about);
    assert.equal(row.flows, 1, about);
  }
});

Deno.test("FlowTable knows what the program answers itself", () => {
  for (const flags of ["S.", ".", "R."]) {
    const table = new FlowTable();
    const answer = { source: "127.0.0.1:80", destination: "127.0.0.1:40000" };
    const syn = {
      source: answer.destination,
      destination: answer.source,
      flags: "S",
    };
    // What nobody asked for makes no row.
    table.answer(fieldsOf({ ...answer, flags }), 3);
    table.count(fieldsOf(syn), 3, true, false, 60, 1000);
    table.answer(fieldsOf({ ...answer, flags }), 3);
    assert.equal(only(table.rows()).failed, flags === "S." ? 0 : 1, flags);
  }
});

Deno.test("FlowTable counts connections between the same ends one by one", () => {
  const connection: Partial<Counted>[] = [
    { flags: "S" },
    { sent: false, flags: "S." },
    { flags: "F." },
    { sent: false, flags: "F." },
  ];
  const refused: Partial<Counted>[] = [
    { flags: "S" },
    { sent: false, flags: "R." },
  ];
  const row = only(rowsOf([...connection, ...refused, ...connection]));
  assert.deepEqual([row.flows, row.failed], [3, 1]);
  assert.equal(row.packetsSent + row.packetsReceived, 10);
  assert.deepEqual([row.first, row.last], [1000, 1009]);
});

Deno.test("FlowTable adds up a peer's flows, and nobody else's", () => {
  const rows = rowsOf([
    { localPort: 40000, flags: "S" },
    { localPort: 40001, flags: "S" },
    { remote: "198.51.100.2:80", flags: "S" },
    { remote: "198.51.100.3:443", flags: "S" },
    { remote: "[2001:db8::2]:443", flags: "S" },
    { owner: 1, flags: "S" },
    { protocol: UDP },
    // Clients of a service: one row each.
    { sent: false, localPort: 443, remote: "198.51.100.2:5001", flags: "S" },
    { sent: false, localPort: 443, remote: "198.51.100.2:5002", flags: "S" },
  ]);
  const flows = rows.map((row) => `${nameOf(row)}: ${row.flows}`).sort();
  assert.deepEqual(flows, [
    "0 17 out 443 ::ffff:198.51.100.2: 1",
    "0 6 in 443 ::ffff:198.51.100.2: 2",
    "0 6 out 443 2001:db8::2: 1",
    "0 6 out 443 ::ffff:198.51.100.2: 2",
    "0 6 out 443 ::ffff:198.51.100.3: 1",
    "0 6 out 80 ::ffff:198.51.100.2: 1",
    "1 6 out 443 ::ffff:198.51.100.2: 1",
  ]);
});

Deno.test("FlowTable.rows() gives the busiest first", () => {
  const rows = rowsOf([
    { remote: "198.51.100.1:1", length: 10 },
    { remote: "198.51.100.2:2", length: 30 },
    { remote: "198.51.100.3:3", length: 15 },
    { remote: "198.51.100.3:3", length: 16, sent: false },
  ]);
  assert.deepEqual(rows.map(({ port }) => port), [3, 2, 1]);
});

/** A flow of the model. */
interface Flow {
  readonly row: FlowRow;
  finished: boolean;
  opened: boolean;
  answered: boolean;
}

/** The same in a straightforward way. */
class Model {
  readonly rows = new Map<string, FlowRow>();
  readonly #flows = new Map<string, Flow>();

  count(packet: Counted, time: number): void {
    const { protocol, sent, flags, length } = packet;
    const key = [packet.owner, protocol, packet.localPort, packet.remote]
      .join();
    let flow = this.#flows.get(key);
    if (
      flow === undefined || protocol === TCP && flow.finished && flags === "S"
    ) {
      if (flow !== undefined) this.#end(flow);
      flow = this.#begin(packet, time);
      this.#flows.set(key, flow);
    }
    const { row } = flow;
    if (sent) {
      row.packetsSent++;
      row.bytesSent += length;
    } else {
      row.packetsReceived++;
      row.bytesReceived += length;
    }
    row.last = time;
    if (protocol !== TCP) return;
    if (flags === "S") flow.opened = true;
    if (flags === "S.") flow.answered = true;
    if (/[FR]/.test(flags)) flow.finished = true;
  }

  end(): void {
    for (const flow of this.#flows.values()) this.#end(flow);
  }

  #begin(packet: Counted, time: number): Flow {
    const { protocol, owner, sent, flags, listening } = packet;
    const incoming = protocol === TCP
      ? flags === "S" ? !sent : listening
      : listening && !sent;
    const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(packet.remote)!;
    const remoteAddress = new Uint8Array(16);
    const source =
      fieldsOf({ source: packet.remote, destination: SERVER }).source;
    remoteAddress.set(new Uint8Array(source.buffer));
    const key = { owner, protocol, incoming, remoteAddress };
    const name = { ...key, port: incoming ? packet.localPort : Number(port) };
    const text = `${owner} ${protocol} ${incoming} ${name.port} ${host}`;
    let row = this.rows.get(text);
    if (row === undefined) {
      row = {
        ...name,
        packetsSent: 0,
        packetsReceived: 0,
        bytesSent: 0,
        bytesReceived: 0,
        first: time,
        last: time,
        flows: 0,
        failed: 0,
      };
      this.rows.set(text, row);
    }
    return { row, finished: false, opened: false, answered: false };
  }

  #end({ row, opened, answered }: Flow): void {
    row.flows++;
    if (row.protocol === TCP && opened && !answered) row.failed++;
  }
}

const remotes = [
  SERVER,
  "198.51.100.2:80",
  "203.0.113.9:443",
  "[2001:db8::2]:443",
];
const packets: fc.Arbitrary<Counted> = fc.record({
  protocol: fc.constantFrom(TCP, TCP, TCP, UDP),
  owner: fc.constantFrom(0, 0, 0, 1),
  sent: fc.boolean(),
  localPort: fc.constantFrom(40000, 40001, 443),
  remote: fc.constantFrom(...remotes),
  flags: fc.constantFrom("S", "S.", ".", ".", "F.", "R"),
  listening: fc.boolean(),
  length: fc.integer({ min: 40, max: 65535 }),
});

Deno.test("FlowTable counts as a plain map does", () => {
  fc.assert(
    fc.property(fc.array(packets, { maxLength: 150, size: "max" }), (all) => {
      const table = new FlowTable(() => {}, 1 << 10);
      const model = new Model();
      all.forEach((packet, index) => {
        count(table, packet, 1000 + index);
        model.count(packet, 1000 + index);
      });
      model.end();
      assert.deepEqual(sorted(table.rows()), sorted(model.rows.values()));
    }),
  );
});

/** Short connections that end with one packet; what each is made of. */
const KINDS: readonly (readonly [sent: boolean, flags: string])[][] = [
  [[true, "S"], [false, "S."], [true, "."], [true, "."], [true, "R."]],
  [[true, "S"], [false, "S."], [false, "R"]],
  [[true, "S"], [false, "R."]],
  [[true, "S"], [true, "S"], [true, "R"]],
];

Deno.test("FlowTable counts as a plain map does, however often it makes room", () => {
  const AT_A_TIME = 8;
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...KINDS), {
        minLength: 100,
        maxLength: 200,
        size: "max",
      }),
      fc.infiniteStream(fc.nat(AT_A_TIME - 1)),
      (kinds, turns) => {
        const table = new FlowTable(() => {}, 64);
        const model = new Model();
        const waiting = kinds.map((kind, index) => ({
          index,
          rest: [...kind],
        }));
        const open = waiting.splice(0, AT_A_TIME);
        let time = 1000;
        while (open.length > 0) {
          const turn = turns.next().value! % open.length;
          const { index, rest } = open[turn]!;
          const [sent, flags] = rest.shift()!;
          const packet = { ...PACKET, sent, flags, localPort: 40000 + index };
          count(table, packet, time);
          model.count(packet, time++);
          if (rest.length > 0) continue;
          open.splice(turn, 1, ...waiting.splice(0, 1));
        }
        model.end();
        assert.deepEqual(sorted(table.rows()), sorted(model.rows.values()));
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("FlowTable keeps sums exact when more flows live than there is room for", () => {
  const many = packets.chain((packet) =>
    fc.nat(300).map((port) => ({ ...packet, localPort: 1000 + port }))
  );
  const sums = (rows: Iterable<FlowRow>): unknown => {
    const peers = new Map<string, number[]>();
    for (const row of rows) {
      const { owner, protocol, remoteAddress } = row;
      const name = `${owner} ${protocol} ${formatAddress(remoteAddress)}`;
      const sum = peers.get(name) ?? [0, 0, 0, 0, Infinity, 0];
      sum[0]! += row.packetsSent;
      sum[1]! += row.packetsReceived;
      sum[2]! += row.bytesSent;
      sum[3]! += row.bytesReceived;
      sum[4] = Math.min(sum[4]!, row.first);
      sum[5] = Math.max(sum[5]!, row.last);
      peers.set(name, sum);
    }
    return [...peers].sort(([a], [b]) => a < b ? -1 : 1);
  };
  fc.assert(
    fc.property(
      fc.array(many, { minLength: 200, maxLength: 600, size: "max" }),
      (all) => {
        const table = new FlowTable(() => {}, 64);
        const model = new Model();
        all.forEach((packet, index) => {
          count(table, packet, 1000 + index);
          model.count(packet, 1000 + index);
        });
        model.end();
        assert.deepEqual(sums(table.rows()), sums(model.rows.values()));
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("FlowTable.countMore() counts as count() does", () => {
  const FIN = 1;
  const RST = 4;
  const more: readonly [sent: boolean, length: number, ends: number][] = [
    [true, 100, 0],
    [false, 1500, 0],
    [true, 40, FIN],
    [false, 40, RST],
  ];
  for (const protocol of [TCP, UDP]) {
    for (let last = 0; last < more.length; last++) {
      const middle = more.slice(0, last + 1);
      const first = { ...PACKET, protocol, flags: "S" };
      const expected = rowsOf([
        first,
        ...middle.map(([sent, length, ends]) => {
          const flags = ends === FIN ? "F." : ends === RST ? "R." : ".";
          return { ...PACKET, protocol, sent, length, flags };
        }),
        first,
      ]);
      const table = new FlowTable();
      count(table, first, 1000);
      const flow = table.latest;
      middle.forEach(([sent, length, ends], index) =>
        table.countMore(flow, sent, ends, length, 1001 + index)
      );
      // What ended is followed by another connection.
      count(table, first, 1001 + middle.length);
      assert.deepEqual(table.rows(), expected);
    }
  }
});

Deno.test("FlowTable tells when its entries move", () => {
  let moved = 0;
  const table = new FlowTable(() => moved++, 64);
  for (let port = 1; port <= 49; port++) {
    count(table, { ...PACKET, localPort: port }, 1000);
  }
  assert.equal(moved, 0);
  count(table, { ...PACKET, localPort: 50 }, 1000);
  assert.equal(moved, 1);
});
