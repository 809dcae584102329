import assert from "node:assert/strict";
import { Fragment } from "../../../../lib/packet/flow_fields.ts";
import { Match, Matcher } from "../../../../lib/sockets/matcher.ts";
import {
  createTable,
  SlotFlag,
  SlotKind,
} from "../../../../lib/sockets/table.ts";
import {
  ANY_ADDRESS,
  type Moment,
  SocketTableWriter,
} from "../../../../lib/sockets/table_writer.ts";
import {
  endpoint,
  fieldsOf,
  type FlowText,
  wordsOf,
} from "../../../property/flows.ts";

const TCP = 6;
const UDP = 17;
const HOST = 0;
const BROADCAST = 1;
const MULTICAST = 2;
const OTHERHOST = 3;
const OUTGOING = 4;

const CLIENT = "192.0.2.1:40000";
const SERVER = "198.51.100.2:443";
const CLIENT_6 = "[2001:db8::1]:40000";
const SERVER_6 = "[2001:db8::2]:443";
const STRANGER = "203.0.113.9:5000";

/** A slot in words. */
interface SlotText {
  readonly kind?: SlotKind;
  readonly protocol?: number;
  readonly local?: string;
  readonly remote?: string;
  readonly flags?: number;
  readonly from?: Moment;
  readonly owner?: number;
}

/** Where and when a packet was seen. */
interface Sighting {
  readonly type?: number;
  readonly loopback?: boolean;
  readonly at?: Moment;
}

/** A table with its writer and the matcher under test. */
class Scene {
  readonly matcher: Matcher;
  readonly writer: SocketTableWriter;

  constructor() {
    const memory = createTable(16);
    this.writer = new SocketTableWriter(memory);
    this.matcher = new Matcher(memory);
  }

  add(text: SlotText): number {
    const local = text.local === undefined ? undefined : endpoint(text.local);
    const remote = text.remote === undefined
      ? undefined
      : endpoint(text.remote);
    return this.writer.add({
      kind: text.kind ??
        (remote === undefined ? SlotKind.LOCAL : SlotKind.CONNECTED),
      protocol: text.protocol ?? TCP,
      localPort: local?.port ?? 0,
      localAddress: local?.address ?? ANY_ADDRESS,
      remotePort: remote?.port ?? 0,
      remoteAddress: remote?.address ?? ANY_ADDRESS,
      flags: text.flags ?? 0,
      from: text.from ?? moment(1000),
      owner: text.owner ?? 0,
    });
  }

  /** Looks an error up that quotes a packet. */
  seeQuoting(flow: FlowText, sighting: Sighting = {}): number {
    const { type = OUTGOING, loopback = false, at = moment(2000) } = sighting;
    const fields = fieldsOf(flow);
    fields.tcpFlags = 0;
    const { seconds, nanoseconds } = at;
    return this.matcher.matchQuoted(
      fields,
      type,
      loopback,
      seconds,
      nanoseconds,
    );
  }

  /** Looks a packet up; second 2000, outgoing on a network card by default. */
  see(flow: FlowText, sighting: Sighting = {}): number {
    const { type = OUTGOING, loopback = false, at = moment(2000) } = sighting;
    const { seconds, nanoseconds } = at;
    return this.matcher.match(
      fieldsOf(flow),
      type,
      loopback,
      seconds,
      nanoseconds,
    );
  }
}

function moment(seconds: number, nanoseconds = 0): Moment {
  return { seconds, nanoseconds };
}

const SENT: FlowText = { source: CLIENT, destination: SERVER };
const RECEIVED: FlowText = { source: SERVER, destination: CLIENT };

Deno.test("Matcher.match() tells sent from received packets of a connection", () => {
  const scene = new Scene();
  const slot = scene.add({ local: CLIENT, remote: SERVER, owner: 7 });
  assert.equal(scene.see(SENT), slot);
  assert.equal(scene.matcher.sent, true);
  assert.equal(scene.see(RECEIVED, { type: HOST }), slot);
  assert.equal(scene.matcher.sent, false);
  assert.equal(scene.matcher.ownerOf(slot), 7);
  assert.equal(scene.matcher.kindOf(slot), SlotKind.CONNECTED);
});

Deno.test("Matcher.match() takes no packet that flies the wrong way", () => {
  const scene = new Scene();
  scene.add({ local: CLIENT, remote: SERVER });
  assert.equal(scene.see(RECEIVED), Match.FOREIGN);
  assert.equal(scene.see(SENT, { type: HOST }), Match.FOREIGN);
});

Deno.test("Matcher.match() compares both ends and the protocol", () => {
  const scene = new Scene();
  scene.add({ local: CLIENT, remote: SERVER });
  const others: FlowText[] = [
    { ...SENT, protocol: UDP },
    { ...SENT, source: "192.0.2.1:40001" },
    { ...SENT, source: "192.0.2.3:40000" },
    { ...SENT, destination: "198.51.100.2:444" },
    { ...SENT, destination: "198.51.100.3:443" },
    { source: CLIENT_6, destination: SERVER_6 },
  ];
  for (const other of others) {
    assert.equal(scene.see(other), Match.FOREIGN, JSON.stringify(other));
  }
});

Deno.test("Matcher.match() compares all words of IPv6 addresses", () => {
  const scene = new Scene();
  const slot = scene.add({ local: CLIENT_6, remote: SERVER_6 });
  assert.equal(scene.see({ source: CLIENT_6, destination: SERVER_6 }), slot);
  const others = ["2001:db9::2", "2001:db8:1::2", "2001:db8::1:0:0:2"];
  for (const host of [...others, "2001:db8::1:2"]) {
    const source = `[${host.replace(/2$/, "1")}]:40000`;
    const destination = `[${host}]:443`;
    assert.equal(scene.see({ source, destination: SERVER_6 }), Match.FOREIGN);
    assert.equal(scene.see({ source: CLIENT_6, destination }), Match.FOREIGN);
  }
});

Deno.test("Matcher.match() takes broadcasts and multicasts that arrive, not others' packets", () => {
  const scene = new Scene();
  const flags = SlotFlag.ANY_IPV4;
  const slot = scene.add({ protocol: UDP, local: "0.0.0.0:5353", flags });
  const flow = {
    protocol: UDP,
    source: STRANGER,
    destination: "224.0.0.251:5353",
  };
  assert.equal(scene.see(flow, { type: MULTICAST }), slot);
  const all = { ...flow, destination: "255.255.255.255:5353" };
  assert.equal(scene.see(all, { type: BROADCAST }), slot);
  assert.equal(scene.see(flow, { type: OTHERHOST }), Match.FOREIGN);
});

Deno.test("Matcher.match() takes a loopback packet once, whoever of us sent it", () => {
  const client = "127.0.0.1:40000";
  const server = "127.0.0.1:80";
  const request: FlowText = { source: client, destination: server };
  const out: Sighting = { type: OUTGOING, loopback: true };
  const back: Sighting = { type: HOST, loopback: true };

  const sender = new Scene();
  const sending = sender.add({ local: client, remote: server });
  assert.equal(sender.see(request, out), sending);
  assert.equal(sender.see(request, back), Match.TAKEN);

  const receiver = new Scene();
  const receiving = receiver.add({ local: server });
  assert.equal(receiver.see(request, out), Match.FOREIGN);
  assert.equal(receiver.see(request, back), receiving);
  assert.equal(receiver.matcher.sent, false);

  const both = new Scene();
  const first = both.add({ local: client, remote: server });
  const second = both.add({ local: server });
  assert.equal(both.see(request, out), first);
  assert.equal(both.see(request, back), Match.TAKEN);
  const answer: FlowText = { source: server, destination: client };
  assert.equal(both.see(answer, out), second);
  assert.equal(both.see(answer, back), Match.TAKEN);

  const neither = new Scene();
  assert.equal(neither.see(request, out), Match.FOREIGN);
  assert.equal(neither.see(request, back), Match.FOREIGN);
});

Deno.test("Matcher.match() notes the end of both sides of a connection on loopback", () => {
  const scene = new Scene();
  const client = "127.0.0.1:40000";
  const server = "127.0.0.1:80";
  const slots = [
    scene.add({ local: client, remote: server }),
    scene.add({ local: server, remote: client }),
  ];
  const isOver = (): boolean[] =>
    slots.map((slot) =>
      scene.writer.isOver(slot, scene.writer.generation(slot))
    );
  const see = (source: string, destination: string): number =>
    scene.see({ source, destination, flags: "F." }, {
      type: OUTGOING,
      loopback: true,
    });
  assert.equal(see(client, server), slots[0]);
  assert.deepEqual(isOver(), [false, false]);
  assert.equal(see(server, client), slots[1]);
  assert.deepEqual(isOver(), [true, true]);
});

Deno.test("Matcher.match() takes a socket that talks to itself once", () => {
  const scene = new Scene();
  const self = "127.0.0.1:6000";
  const slot = scene.add({ local: self, remote: self });
  const flow = { source: self, destination: self };
  assert.equal(scene.see(flow, { loopback: true }), slot);
  assert.equal(scene.see(flow, { type: HOST, loopback: true }), Match.TAKEN);
});

Deno.test("Matcher.match() finds sockets bound to any address of a family", () => {
  const v4 = { source: STRANGER, destination: "192.0.2.1:80" };
  const v6 = { source: "[2001:db8::9]:5000", destination: "[2001:db8::1]:80" };
  const cases: [about: string, SlotText, v4: boolean, v6: boolean][] = [
    ["0.0.0.0", { local: "0.0.0.0:80", flags: SlotFlag.ANY_IPV4 }, true, false],
    [
      ":: without IPv4",
      { local: "[::]:80", flags: SlotFlag.ANY_IPV6 },
      false,
      true,
    ],
    [
      ":: with IPv4",
      { local: "[::]:80", flags: SlotFlag.ANY_IPV4 | SlotFlag.ANY_IPV6 },
      true,
      true,
    ],
    ["one IPv4 address", { local: "192.0.2.1:80" }, true, false],
    ["a v4-mapped address", { local: "[::ffff:192.0.2.1]:80" }, true, false],
    ["one IPv6 address", { local: "[2001:db8::1]:80" }, false, true],
    ["another IPv4 address", { local: "192.0.2.2:80" }, false, false],
    [
      "another port",
      { local: "0.0.0.0:81", flags: SlotFlag.ANY_IPV4 },
      false,
      false,
    ],
  ];
  for (const [about, text, isV4, isV6] of cases) {
    for (const protocol of [TCP, UDP]) {
      const scene = new Scene();
      const slot = scene.add({ ...text, protocol });
      const seen4 = scene.see({ ...v4, protocol }, { type: HOST });
      const seen6 = scene.see({ ...v6, protocol }, { type: HOST });
      assert.equal(seen4, isV4 ? slot : Match.FOREIGN, `${about}, IPv4`);
      assert.equal(seen6, isV6 ? slot : Match.FOREIGN, `${about}, IPv6`);
      const other = protocol === TCP ? UDP : TCP;
      const crossed = scene.see({ ...v4, protocol: other }, { type: HOST });
      assert.equal(crossed, Match.FOREIGN);
    }
  }
});

Deno.test("Matcher.match() finds IPv4 connections of IPv6 sockets", () => {
  const scene = new Scene();
  const slot = scene.add({
    local: "[::ffff:192.0.2.1]:40000",
    remote: "[::ffff:198.51.100.2]:443",
  });
  assert.equal(scene.see(SENT), slot);
});

Deno.test("Matcher.match() prefers a connection to the listening socket of its port", () => {
  const scene = new Scene();
  const flags = SlotFlag.ANY_IPV4;
  const listener = scene.add({ local: "0.0.0.0:443", flags });
  const accepted = scene.add({ local: SERVER, remote: CLIENT });
  assert.equal(scene.see(SENT, { type: HOST }), accepted);
  const other = { source: STRANGER, destination: SERVER };
  assert.equal(scene.see(other, { type: HOST }), listener);
});

Deno.test("Matcher.holds tells whether time may change the verdict", () => {
  for (const protocol of [TCP, UDP]) {
    const scene = new Scene();
    const flags = SlotFlag.ANY_IPV4;
    const packet = { source: CLIENT, destination: SERVER, protocol };
    const see = (at: Moment): [slot: number, holds: boolean] => {
      const slot = scene.see(packet, { type: HOST, at });
      return [slot, scene.matcher.holds];
    };
    const listener = scene.add({ protocol, local: "0.0.0.0:443", flags });
    assert.deepEqual(see(moment(1500, 0)), [listener, true]);
    const from = moment(2000, 0);
    const ends = { local: SERVER, remote: CLIENT };
    const accepted = scene.add({ protocol, ...ends, from });
    // The handshake came before accept(2); what follows is another's.
    assert.deepEqual(see(moment(1999, 0)), [listener, false]);
    assert.deepEqual(see(moment(2000, 0)), [accepted, true]);
    scene.writer.end(accepted, moment(2500, 0));
    // It is the last one's, but not those after the end.
    assert.deepEqual(see(moment(2400, 0)), [accepted, false]);
    assert.deepEqual(see(moment(2600, 0)), [listener, false]);
  }
});

Deno.test("Matcher.holds is not set by a loopback sender that has ended", () => {
  const scene = new Scene();
  const sender = scene.add({ protocol: UDP, local: CLIENT });
  const receiver = scene.add({ protocol: UDP, local: SERVER });
  const see = (seconds: number): number =>
    scene.see({ ...SENT, protocol: UDP }, {
      type: HOST,
      loopback: true,
      at: moment(seconds),
    });
  assert.equal(see(1500), Match.TAKEN);
  assert.equal(scene.matcher.holds, true);
  scene.writer.end(sender, moment(2000));
  assert.equal(see(1900), Match.TAKEN);
  assert.equal(scene.matcher.holds, false);
  // Somebody else has the sender's port by now.
  assert.equal(see(2100), receiver);
});

Deno.test("Matcher.match() tells connections apart that share a chain", () => {
  const scene = new Scene();
  const { table } = scene.matcher;
  const server = endpoint(SERVER);
  const word = wordsOf(server.address)[3]!;
  const head = table.connectedHead(TCP, 40000, server.port, word);
  let pairs = 0;
  for (let port = 1; port < 65536; port++) {
    for (let remote = 440; remote < 450; remote++) {
      if (table.connectedHead(UDP, port, remote, word) !== head) continue;
      const slot = scene.add({ local: CLIENT, remote: SERVER });
      const source = `192.0.2.1:${port}`;
      const destination = SERVER.replace(/\d+$/, `${remote}`);
      const packet = { source, destination, protocol: UDP };
      assert.equal(scene.see({ ...SENT, ...packet }), Match.FOREIGN);
      scene.writer.remove(slot);
      pairs++;
    }
  }
  assert.ok(pairs > 0, "no two ports share a chain");
});

Deno.test("Matcher.match() takes what a socket sends, and not what others send to it, if so told", () => {
  const scene = new Scene();
  const flags = SlotFlag.SENT_ONLY;
  const slot = scene.add({ protocol: UDP, local: CLIENT, flags });
  const sent = { ...SENT, protocol: UDP };
  const received = { ...RECEIVED, protocol: UDP };
  assert.equal(scene.see(sent), slot);
  assert.equal(scene.see(received, { type: HOST }), Match.FOREIGN);
  const back = { type: HOST, loopback: true };
  assert.equal(scene.see(sent, back), Match.TAKEN);
});

Deno.test("Matcher.match() takes packets from the first to the last nanosecond", () => {
  for (const protocol of [TCP, UDP]) {
    for (const remote of [undefined, SERVER]) {
      const scene = new Scene();
      const slot = scene.add({
        protocol,
        local: CLIENT,
        ...(remote === undefined ? {} : { remote }),
        from: moment(1000, 500),
      });
      scene.writer.end(slot, moment(3000, 500));
      const cases: [at: Moment, taken: boolean][] = [
        [moment(999, 999_999_999), false],
        [moment(1000, 499), false],
        [moment(1000, 500), true],
        [moment(1001, 0), true],
        [moment(2999, 999_999_999), true],
        [moment(3000, 500), true],
        [moment(3000, 501), false],
        [moment(3001, 0), false],
      ];
      for (const [at, taken] of cases) {
        const seen = scene.see({ ...SENT, protocol }, { at });
        const text = `${protocol} ${remote} ${JSON.stringify(at)}`;
        assert.equal(seen, taken ? slot : Match.FOREIGN, text);
      }
    }
  }
});

Deno.test("Matcher.match() tells sockets that had the same ends one after the other", () => {
  const scene = new Scene();
  const text = { protocol: UDP, local: CLIENT };
  const first = scene.add({ ...text, from: moment(1000) });
  scene.writer.end(first, moment(2000, 5));
  const second = scene.add({ ...text, from: moment(2000, 9) });
  const flow = { ...SENT, protocol: UDP };
  assert.equal(scene.see(flow, { at: moment(1500) }), first);
  assert.equal(scene.see(flow, { at: moment(2000, 7) }), Match.FOREIGN);
  assert.equal(scene.see(flow, { at: moment(2000, 9) }), second);
});

/** What another program does with the ends of a connection that is over. */
function assertForeign(scene: Scene, at: Moment, about: string): void {
  const flow: FlowText[] = [
    { ...SENT, flags: "S" },
    { ...RECEIVED, flags: "S." },
    { ...SENT, flags: "." },
    { ...RECEIVED, flags: "." },
    { ...SENT, flags: "F." },
    { ...RECEIVED, flags: "R" },
  ];
  for (const packet of flow) {
    const type = packet.source === CLIENT ? OUTGOING : HOST;
    const seen = scene.see(packet, { type, at });
    assert.equal(seen, Match.FOREIGN, `${about}: ${packet.flags}`);
  }
}

Deno.test("Matcher.match() leaves a new connection between the old ends alone", () => {
  const endings: [about: string, packets: [FlowText, number][]][] = [
    ["closed here first", [
      [{ ...SENT, flags: "F." }, OUTGOING],
      [{ ...RECEIVED, flags: "F." }, HOST],
    ]],
    ["closed there first", [
      [{ ...RECEIVED, flags: "F." }, HOST],
      [{ ...SENT, flags: "F." }, OUTGOING],
    ]],
    ["reset here", [[{ ...SENT, flags: "R." }, OUTGOING]]],
    ["refused", [[{ ...RECEIVED, flags: "R." }, HOST]]],
  ];
  for (const [about, packets] of endings) {
    const scene = new Scene();
    const slot = scene.add({ local: CLIENT, remote: SERVER });
    for (const [packet, type] of packets) {
      assert.equal(scene.see(packet, { type }), slot, about);
    }
    // What is still on its way belongs to the connection.
    assert.equal(scene.see({ ...SENT, flags: "." }), slot, about);
    assertForeign(scene, moment(2010), about);
  }
});

Deno.test("Matcher.match() leaves a new connection after close(2) alone", () => {
  const scene = new Scene();
  const slot = scene.add({ local: CLIENT, remote: SERVER });
  assert.equal(scene.see({ ...SENT, flags: "S" }), slot);
  scene.writer.destroy(slot, moment(2005, 5));
  assert.equal(scene.see({ ...SENT, flags: "F." }, { at: moment(2006) }), slot);
  assertForeign(scene, moment(2007), "closed");
});

Deno.test("Matcher.match() takes SYNs of a connection that still lives, however often", () => {
  const scene = new Scene();
  const slot = scene.add({ local: CLIENT, remote: SERVER });
  for (const flags of ["S", "S", "S"]) {
    assert.equal(scene.see({ ...SENT, flags }), slot);
  }
  // Half-closed.
  assert.equal(scene.see({ ...SENT, flags: "F." }), slot);
  assert.equal(scene.see({ ...SENT, flags: "S" }), slot);
  assert.equal(scene.see({ ...RECEIVED, flags: "S." }, { type: HOST }), slot);
});

Deno.test("Matcher.match() takes old packets of a connection that was closed meanwhile", () => {
  const scene = new Scene();
  const slot = scene.add({ local: CLIENT, remote: SERVER });
  scene.writer.destroy(slot, moment(2000, 500));
  // The sniffer looks at them only now.
  const before = { at: moment(2000, 500) };
  assert.equal(scene.see({ ...SENT, flags: "S" }, before), slot);
  assert.equal(
    scene.see({ ...RECEIVED, flags: "S." }, { ...before, type: HOST }),
    slot,
  );
  const after = { at: moment(2000, 501) };
  assert.equal(scene.see({ ...SENT, flags: "S" }, after), Match.FOREIGN);
});

Deno.test("Matcher.match() takes the program's own new connection between the old ends", () => {
  const scene = new Scene();
  const old = scene.add({ local: CLIENT, remote: SERVER });
  scene.see({ ...RECEIVED, flags: "R." }, { type: HOST });
  scene.writer.destroy(old, moment(2001));
  const fresh = scene.add({
    local: CLIENT,
    remote: SERVER,
    from: moment(2002, 3),
  });
  const late = { at: moment(2002, 2) };
  assert.equal(scene.see({ ...SENT, flags: "R" }, late), old);
  for (const flags of ["S", ".", "F."]) {
    assert.equal(scene.see({ ...SENT, flags }, { at: moment(2002, 3) }), fresh);
  }
});

Deno.test("Matcher.match() takes a new connection to a listening port, whoever was there before", () => {
  const scene = new Scene();
  const flags = SlotFlag.ANY_IPV4;
  const listener = scene.add({ local: "0.0.0.0:443", flags });
  const old = scene.add({ local: SERVER, remote: CLIENT });
  const seen: [flags: string, slot: number][] = [
    ["R", old],
    ["S", listener],
    [".", listener],
    ["F.", listener],
  ];
  for (const [flags, slot] of seen) {
    assert.equal(scene.see({ ...SENT, flags }, { type: HOST }), slot, flags);
  }
});

Deno.test("Matcher.match() waits for the outcome of a call to a remote end", () => {
  for (const protocol of [TCP, UDP]) {
    for (const isOurs of [true, false]) {
      const scene = new Scene();
      const pending = scene.add({
        kind: SlotKind.PENDING_REMOTE,
        protocol,
        remote: SERVER,
        from: moment(2000),
      });
      const packet = { ...SENT, protocol, flags: "S" };
      const answer = { ...RECEIVED, protocol, flags: "S." };
      assert.equal(scene.see(packet), Match.UNDECIDED);
      assert.equal(scene.see(answer, { type: HOST }), Match.UNDECIDED);
      const before = { at: moment(1999, 999_999_999) };
      assert.equal(scene.see(packet, before), Match.FOREIGN);
      const local = isOurs ? CLIENT : "192.0.2.1:40001";
      const slot = scene.add({ protocol, local, remote: SERVER });
      scene.writer.remove(pending);
      const expected = isOurs ? slot : Match.FOREIGN;
      assert.equal(scene.see(packet), expected);
      assert.equal(scene.see(answer, { type: HOST }), expected);
    }
  }
});

Deno.test("Matcher.match() does not wait for calls to other ends", () => {
  const scene = new Scene();
  scene.add({ kind: SlotKind.PENDING_REMOTE, remote: SERVER });
  const others: FlowText[] = [
    { ...SENT, protocol: UDP },
    { ...SENT, destination: "198.51.100.3:443" },
    { ...SENT, destination: "198.51.100.2:444" },
    { source: SERVER, destination: CLIENT },
  ];
  for (const other of others) assert.equal(scene.see(other), Match.FOREIGN);
});

Deno.test("Matcher.match() waits for the outcome of a call on a local port", () => {
  for (const isBound of [true, false]) {
    const scene = new Scene();
    const local = { protocol: UDP, local: "0.0.0.0:443" };
    const kind = SlotKind.PENDING_LOCAL;
    const pending = scene.add({ ...local, kind, from: moment(2000) });
    const packet = { ...SENT, protocol: UDP };
    const arrived = { type: HOST };
    assert.equal(scene.see(packet, arrived), Match.UNDECIDED);
    const before = { ...arrived, at: moment(1999) };
    assert.equal(scene.see(packet, before), Match.FOREIGN);
    assert.equal(scene.see({ ...SENT }, arrived), Match.FOREIGN);
    const slot = isBound
      ? scene.add({ ...local, flags: SlotFlag.ANY_IPV4 })
      : -1;
    scene.writer.remove(pending);
    assert.equal(
      scene.see(packet, arrived),
      isBound ? slot : Match.FOREIGN,
    );
  }
});

Deno.test("Matcher.match() waits on loopback for a sender before it asks for a receiver", () => {
  const scene = new Scene();
  const server = "127.0.0.1:80";
  const client = "127.0.0.1:40000";
  const listener = scene.add({ local: server });
  const pending = scene.add({ kind: SlotKind.PENDING_REMOTE, remote: server });
  const flow = { source: client, destination: server, flags: "S" };
  const back = { type: HOST, loopback: true };
  assert.equal(scene.see(flow, back), Match.UNDECIDED);
  scene.add({ local: client, remote: server });
  scene.writer.remove(pending);
  assert.equal(scene.see(flow, back), Match.TAKEN);
  const other = { ...flow, source: "127.0.0.1:40001" };
  assert.equal(scene.see(other, back), listener);
});

/** A datagram in three fragments. */
function fragments(flow: FlowText, fragmentId: number): FlowText[] {
  const protocol = UDP;
  const first = { ...flow, protocol, fragmentId, fragment: Fragment.FIRST };
  const later = { ...first, fragment: Fragment.LATER };
  return [first, later, later];
}

Deno.test("Matcher.match() takes all fragments of a datagram", () => {
  for (const [flow, type] of [[SENT, OUTGOING], [RECEIVED, HOST]] as const) {
    const scene = new Scene();
    const slot = scene.add({ protocol: UDP, local: CLIENT });
    for (const fragment of fragments(flow, 7)) {
      assert.equal(scene.see(fragment, { type }), slot);
    }
    const [, later] = fragments(flow, 7);
    const others: FlowText[] = [
      { ...later!, fragmentId: 8 },
      { ...later!, source: STRANGER },
      { ...later!, destination: STRANGER },
      { ...later!, protocol: TCP },
    ];
    for (const other of others) {
      assert.equal(scene.see(other, { type }), Match.EARLY);
    }
  }
});

Deno.test("Matcher.match() leaves fragments of foreign datagrams alone", () => {
  const scene = new Scene();
  scene.add({ protocol: UDP, local: CLIENT });
  const foreign = { source: "192.0.2.1:40001", destination: SERVER };
  for (const fragment of fragments(foreign, 9)) {
    assert.equal(scene.see(fragment), Match.FOREIGN);
  }
});

Deno.test("Matcher.match() cannot tell of a fragment that comes before the first", () => {
  const scene = new Scene();
  const slot = scene.add({ protocol: UDP, local: CLIENT });
  for (const flow of [SENT, { ...SENT, source: "192.0.2.1:40001" }]) {
    const [first, later] = fragments(flow, 5);
    const at = moment(flow === SENT ? 2000 : 2010);
    assert.equal(scene.see(later!, { at }), Match.EARLY);
    const verdict = flow === SENT ? slot : Match.FOREIGN;
    assert.equal(scene.see(first!, { at }), verdict);
    assert.equal(scene.see(later!, { at }), verdict);
  }
});

Deno.test("Matcher.match() forgets verdicts before an identification is used again", () => {
  const scene = new Scene();
  const slot = scene.add({ protocol: UDP, local: CLIENT });
  const [first, later] = fragments(SENT, 5);
  assert.equal(scene.see(first!), slot);
  assert.equal(scene.see(later!, { at: moment(2002) }), slot);
  assert.equal(scene.see(later!, { at: moment(2003) }), Match.EARLY);
});

Deno.test("Matcher.match() takes each loopback fragment once", () => {
  const client = "127.0.0.1:40000";
  const server = "127.0.0.1:53";
  const flow = { source: client, destination: server };
  const cases: [about: string, ours: string[], out: boolean, back: boolean][] =
    [
      ["sender", [client], true, false],
      ["receiver", [server], false, true],
      ["both", [client, server], true, false],
      ["neither", [], false, false],
    ];
  for (const [about, ours, isOut, isBack] of cases) {
    const scene = new Scene();
    for (const local of ours) scene.add({ protocol: UDP, local });
    const expect = (type: number, isTaken: boolean): void => {
      for (const fragment of fragments(flow, 3)) {
        const seen = scene.see(fragment, { type, loopback: true });
        assert.equal(
          seen >= 0,
          isTaken,
          `${about} ${type} ${fragment.fragment}`,
        );
      }
    };
    expect(OUTGOING, isOut);
    expect(HOST, isBack);
  }
});

Deno.test("Matcher.match() takes later fragments once the first one's call is settled", () => {
  const scene = new Scene();
  const pending = scene.add({
    kind: SlotKind.PENDING_REMOTE,
    protocol: UDP,
    remote: SERVER,
  });
  const [first, later] = fragments(SENT, 5);
  assert.equal(scene.see(first!), Match.UNDECIDED);
  const slot = scene.add({ protocol: UDP, local: CLIENT });
  scene.writer.remove(pending);
  assert.equal(scene.see(first!), slot);
  assert.equal(scene.see(later!), slot);
});

Deno.test("Matcher.match() goes by the newest of datagrams with the same identification", () => {
  const scene = new Scene();
  const first = scene.add({ protocol: UDP, local: CLIENT });
  const second = scene.add({ protocol: UDP, local: "192.0.2.1:40001" });
  scene.see(fragments(SENT, 5)[0]!);
  const again = fragments({ ...SENT, source: "192.0.2.1:40001" }, 5);
  for (const fragment of again) assert.equal(scene.see(fragment), second);
  for (const fragment of fragments(SENT, 5)) {
    assert.equal(scene.see(fragment), first);
  }
});

Deno.test("Matcher.match() leaves a foreign datagram alone that repeats an identification", () => {
  const scene = new Scene();
  scene.add({ protocol: UDP, local: CLIENT });
  for (const fragment of fragments(SENT, 5)) scene.see(fragment);
  // 65,536 datagrams later another program's has the same one.
  const foreign = fragments({ ...SENT, source: "192.0.2.1:40001" }, 5);
  for (const fragment of foreign) {
    assert.equal(scene.see(fragment, { at: moment(2060) }), Match.FOREIGN);
  }
});

Deno.test("Matcher.match() takes IPv6 fragments with extension headers after the fragment header", () => {
  const scene = new Scene();
  const slot = scene.add({ protocol: UDP, local: CLIENT_6 });
  const flow = { source: CLIENT_6, destination: SERVER_6 };
  const [first, later] = fragments(flow, 5);
  assert.equal(scene.see(first!), slot);
  // RFC 8200 4.5: the next header of a later fragment is the first of the
  // fragmentable part, here destination options.
  assert.equal(scene.see({ ...later!, protocol: 60 }), slot);
});

Deno.test("Matcher.match() remembers many fragmented datagrams at a time", () => {
  const scene = new Scene();
  const slot = scene.add({ protocol: UDP, local: CLIENT });
  const datagrams = Array.from({ length: 200 }, (_, id) => fragments(SENT, id));
  for (const [first] of datagrams) assert.equal(scene.see(first!), slot);
  for (const [, later] of datagrams) assert.equal(scene.see(later!), slot);
});

Deno.test("Matcher.matchQuoted() takes errors about what the program sent", () => {
  const scene = new Scene();
  const slot = scene.add({ local: CLIENT, remote: SERVER });
  assert.equal(scene.seeQuoting(SENT, { type: HOST }), slot);
  assert.equal(scene.matcher.sent, false);
  assert.equal(scene.seeQuoting(SENT, { type: OTHERHOST }), Match.FOREIGN);
  // Our host would complain about a packet that came in.
  assert.equal(scene.seeQuoting(SENT), Match.FOREIGN);
  const stranger = { ...SENT, source: STRANGER };
  assert.equal(scene.seeQuoting(stranger, { type: HOST }), Match.FOREIGN);
});

Deno.test("Matcher.matchQuoted() takes errors that the program's host sends about what came in", () => {
  const scene = new Scene();
  const slot = scene.add({ local: CLIENT, remote: SERVER });
  assert.equal(scene.seeQuoting(RECEIVED), slot);
  assert.equal(scene.matcher.sent, true);
  assert.equal(scene.seeQuoting(RECEIVED, { type: HOST }), Match.FOREIGN);
});

Deno.test("Matcher.matchQuoted() takes each loopback error once", () => {
  const client = "127.0.0.1:40000";
  const server = "127.0.0.1:53";
  const flow = { protocol: UDP, source: client, destination: server };
  const cases: [about: string, ours: string[], out: boolean, back: boolean][] =
    [
      ["sender", [client], false, true],
      ["receiver", [server], true, false],
      ["both", [client, server], true, false],
      ["neither", [], false, false],
    ];
  for (const [about, ours, isOut, isBack] of cases) {
    const scene = new Scene();
    for (const local of ours) scene.add({ protocol: UDP, local });
    const out = scene.seeQuoting(flow, { type: OUTGOING, loopback: true });
    const back = scene.seeQuoting(flow, { type: HOST, loopback: true });
    assert.equal(out >= 0, isOut, about);
    assert.equal(back >= 0, isBack, about);
  }
});

Deno.test("Matcher.matchQuoted() waits for the outcome of a call", () => {
  const scene = new Scene();
  const pending = scene.add({
    kind: SlotKind.PENDING_REMOTE,
    protocol: UDP,
    remote: SERVER,
  });
  const flow = { ...SENT, protocol: UDP };
  assert.equal(scene.seeQuoting(flow, { type: HOST }), Match.UNDECIDED);
  const slot = scene.add({ protocol: UDP, local: CLIENT });
  scene.writer.remove(pending);
  assert.equal(scene.seeQuoting(flow, { type: HOST }), slot);
});

Deno.test("Matcher.match() takes nothing of another network namespace", () => {
  const memory = createTable(16);
  const writer = new SocketTableWriter(memory);
  const here = new Matcher(memory, 1);
  const there = new Matcher(memory, 2);
  const local = endpoint(CLIENT);
  const remote = endpoint(SERVER);
  const see = (matcher: Matcher): number =>
    matcher.match(fieldsOf(SENT), OUTGOING, false, 2000, 0);
  for (const kind of Object.values(SlotKind)) {
    const slot = writer.add({
      kind,
      protocol: TCP,
      localPort: local.port,
      localAddress: local.address,
      remotePort: remote.port,
      remoteAddress: remote.address,
      flags: 0,
      from: moment(1000),
      owner: 0,
      netns: 2,
    });
    assert.equal(see(here), Match.FOREIGN, `kind ${kind}`);
    assert.notEqual(see(there), Match.FOREIGN, `kind ${kind}`);
    writer.remove(slot);
  }
});
