import assert from "node:assert/strict";
import type { FlowText } from "../../../property/flows.ts";
import {
  RegistryScene,
  type StateText,
} from "../../../property/registry_scene.ts";

const LOCAL = "192.0.2.1:40000";
const SERVER = "198.51.100.2:443";
const UNBOUND: StateText = { cookie: 1n, protocol: 6 };
const CONNECTED: StateText = { ...UNBOUND, local: LOCAL, remote: SERVER };

/** Longest wait for a connection that was closed, ms. */
const LINGER = 2000;

function sent(flags: string): FlowText {
  return { source: LOCAL, destination: SERVER, flags };
}

function received(flags: string): FlowText {
  return { source: SERVER, destination: LOCAL, flags };
}

/** A connection that the program opens; its SYN has passed. */
function connecting(): RegistryScene {
  const scene = new RegistryScene();
  scene.settle(scene.begin(UNBOUND, [SERVER]), CONNECTED);
  scene.sent(sent("S"));
  return scene;
}

function awaits(scene: RegistryScene, linger = LINGER): boolean {
  return scene.registry.awaitsLast(linger, scene.now);
}

Deno.test("SocketRegistry.awaitsLast() waits for nothing while sockets are open", () => {
  using scene = connecting();
  assert.equal(awaits(scene), false);
});

Deno.test("SocketRegistry.awaitsLast() waits for the answer to a SYN, within bounds", () => {
  using scene = connecting();
  scene.registry.closed(1n, scene.tick());
  scene.wait(1.9);
  assert.equal(awaits(scene), true);
  assert.equal(awaits(scene, 1800), false);
  scene.wait(0.1);
  assert.equal(awaits(scene), false);
});

Deno.test("SocketRegistry.awaitsLast() is content with two FINs", () => {
  using scene = connecting();
  scene.received(received("S."));
  scene.sent(sent("F."));
  scene.registry.closed(1n, scene.tick());
  assert.equal(awaits(scene), true);
  scene.received(received("F."));
  assert.equal(awaits(scene), false);
});

Deno.test("SocketRegistry.awaitsLast() is content with the peer's RST", () => {
  using scene = connecting();
  scene.received(received("R."));
  scene.registry.closed(1n, scene.tick());
  assert.equal(awaits(scene), false);
});

Deno.test("SocketRegistry.awaitsLast() waits two round trips after the last RST", () => {
  using scene = connecting();
  scene.wait(0.2);
  scene.received(received("S."));
  scene.registry.closed(1n, scene.tick());
  scene.sent(sent("R"));
  scene.wait(0.3);
  assert.equal(awaits(scene), true);
  scene.sent(sent("R"));
  scene.wait(0.3);
  assert.equal(awaits(scene), true);
  scene.wait(0.2);
  assert.equal(awaits(scene), false);
});

Deno.test("SocketRegistry.awaitsLast() takes a round trip for 150 ms where none was seen", () => {
  using scene = new RegistryScene();
  scene.observe(CONNECTED);
  scene.sent(sent("R"));
  scene.registry.closed(1n, scene.tick());
  scene.wait(0.25);
  assert.equal(awaits(scene), true);
  scene.wait(0.1);
  assert.equal(awaits(scene), false);
});

Deno.test("SocketRegistry.awaitsLast() knows nothing of connections that it found", () => {
  using scene = new RegistryScene();
  scene.observe(CONNECTED);
  scene.sent(sent("F."));
  scene.registry.closed(1n, scene.tick());
  assert.equal(awaits(scene), false);
});
