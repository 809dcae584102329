import assert from "node:assert/strict";
import {
  Control,
  createControl,
  MOST_TAPS,
  SnifferCommand,
} from "../../../../lib/session/control.ts";

Deno.test("Control begins with nothing counted and nothing to end", () => {
  const control = new Control(createControl());
  assert.equal(control.command, SnifferCommand.RUN);
  assert.equal(control.launched, false);
  const { sockets, packets, bytes, drops } = control;
  assert.deepEqual({ sockets, packets, bytes, drops }, {
    sockets: 0,
    packets: 0,
    bytes: 0,
    drops: 0,
  });
});

Deno.test("Control shows each thread what the others wrote, and nothing else changed", () => {
  const memory = createControl();
  const main = new Control(memory);
  const sniffer = new Control(memory);
  // More than 32 bits each.
  sniffer.publish(5e9, 7e12, 6e9);
  assert.deepEqual([main.packets, main.bytes, main.drops], [5e9, 7e12, 6e9]);
  main.command = SnifferCommand.FINISH;
  assert.equal(sniffer.command, SnifferCommand.FINISH);
  main.sockets = 0x7fff_ffff;
  assert.equal(sniffer.sockets, 0x7fff_ffff);
  main.launched = true;
  assert.equal(sniffer.launched, true);
  assert.deepEqual([main.packets, main.bytes, main.drops], [5e9, 7e12, 6e9]);
  assert.equal(main.command, SnifferCommand.FINISH);
  assert.equal(main.sockets, 0x7fff_ffff);
  main.launched = false;
  assert.equal(sniffer.launched, false);
});

Deno.test("Control hands packet sockets over, with all that belongs to them", () => {
  const memory = createControl();
  const tracker = new Control(memory);
  const sniffer = new Control(memory);
  const ring = { blockSize: 1 << 18, blockCount: 64, timeout: 16 };
  const taps = [
    { socket: 7, links: 8, netns: 4097, ring },
    { socket: 9, links: 10, netns: 0x7fff_ffff, ring, interfaces: [] },
    { socket: 11, links: 12, netns: 5, ring, interfaces: [1, 300] },
  ];
  for (const tap of taps) assert.ok(tracker.addTap(tap));
  assert.equal(sniffer.tapCount, 3);
  assert.deepEqual(taps.map((_, i) => sniffer.tap(i)), taps);
  while (tracker.tapCount < MOST_TAPS) assert.ok(tracker.addTap(taps[0]!));
  assert.ok(!tracker.addTap(taps[0]!), "there is no room for more");
  assert.equal(tracker.packets, 0);
});
