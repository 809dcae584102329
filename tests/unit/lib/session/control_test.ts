import assert from "node:assert/strict";
import {
  Control,
  createControl,
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
