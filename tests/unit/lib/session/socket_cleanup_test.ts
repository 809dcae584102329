import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import { type Fd, ownFd } from "../../../../ffi/fd.ts";
import { libc } from "../../../../ffi/libc.ts";
import { AF_INET } from "../../../../ffi/sockaddr.ts";
import {
  bindSocket,
  emptySocketState,
  openSocket,
  readSocketState,
  SOCK_STREAM,
  type SocketState,
} from "../../../../ffi/socket.ts";
import { SocketCleanup } from "../../../../lib/session/socket_cleanup.ts";
import { RegistryScene } from "../../../property/registry_scene.ts";

/** Longest time that the kernel may take to tell of an end, ms. */
const PATIENCE = 10_000;
const CALLS: Readonly<Record<string, Readonly<Record<Call, number>>>> = {
  x86_64: { accept4: 288, connect: 42, listen: 50 },
  aarch64: { accept4: 242, connect: 203, listen: 201 },
};
type Call = "accept4" | "connect" | "listen";

function call(name: Call, fd: Fd, backlog = 0): number {
  const number = BigInt(CALLS[Deno.build.arch]![name]);
  const value = BigInt(backlog);
  return libc().syscall(number, BigInt(fd.number), value, 0n, 0n, 0n, 0n);
}

function loopback(port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port, false);
  bytes.set([127, 0, 0, 1], 4);
  return bytes;
}

function stateOf(fd: Fd): SocketState {
  const state = emptySocketState();
  assert.ok(readSocketState(fd.number, state));
  return state;
}

/** A listening socket with a connection. */
class Connection implements Disposable {
  readonly listener = openSocket(AF_INET, SOCK_STREAM, 0);
  readonly client = openSocket(AF_INET, SOCK_STREAM, 0);
  readonly accepted: Fd;

  constructor() {
    bindSocket(this.listener.number, loopback(0));
    assert.equal(call("listen", this.listener, 5), 0);
    const target = loopback(stateOf(this.listener).local.port);
    const connected = libc().syscallBuffer(
      BigInt(CALLS[Deno.build.arch]!.connect),
      BigInt(this.client.number),
      target,
      16n,
      0n,
    );
    assert.equal(connected, 0);
    this.accepted = ownFd("accept4", call("accept4", this.listener));
  }

  [Symbol.dispose](): void {
    for (const fd of [this.listener, this.client, this.accepted]) fd.close();
  }
}

/** Runs the clean-up until it has found out something. */
async function until(
  cleanup: SocketCleanup,
  done: () => boolean,
): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!done()) {
    assert.ok(Date.now() < deadline, "the kernel did not tell");
    cleanup.run();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("SocketCleanup retires a socket that was closed", async () => {
  using scene = new RegistryScene();
  const { registry } = scene;
  using cleanup = new SocketCleanup(registry);
  using connection = new Connection();
  for (const fd of [connection.listener, connection.client]) {
    const now = scene.tick();
    registry.observe(stateOf(fd), 0, now, now);
  }
  const { cookie } = stateOf(connection.client);
  cleanup.run();
  assert.equal(registry.size, 2);
  connection.client.close();
  connection.accepted.close();
  await until(cleanup, () => !registry.has(cookie));
  assert.equal(registry.size, 1);
  connection.listener.close();
  await until(cleanup, () => registry.size === 0);
});

Deno.test("SocketCleanup.ended() takes its time without events, too", async () => {
  using scene = new RegistryScene();
  using cleanup = new SocketCleanup(scene.registry, { events: false });
  let isOver = false;
  const ended = cleanup.ended().then(() => isOver = true);
  // Whoever waits again and again must let timers have their turn.
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(isOver, false);
  await ended;
});

Deno.test("SocketCleanup keeps a connection that outlives its listening socket", async () => {
  using scene = new RegistryScene();
  const { registry } = scene;
  using cleanup = new SocketCleanup(registry);
  using connection = new Connection();
  const { cookie } = stateOf(connection.listener);
  const accepted = stateOf(connection.accepted).cookie;
  const now = scene.tick();
  registry.observe(stateOf(connection.listener), 0, now, now);
  connection.listener.close();
  await until(cleanup, () => !registry.has(cookie));
  assert.deepEqual([...registry.cookies()], [accepted]);
  connection.client.close();
  connection.accepted.close();
  await until(cleanup, () => registry.size === 0);
});

Deno.test("SocketCleanup does not wait for connections in TIME_WAIT", async () => {
  using scene = new RegistryScene();
  const { registry } = scene;
  using cleanup = new SocketCleanup(registry);
  using connection = new Connection();
  const { cookie } = stateOf(connection.listener);
  const now = scene.tick();
  registry.observe(stateOf(connection.listener), 0, now, now);
  // The side that closes first has to wait.
  connection.accepted.close();
  connection.client.close();
  connection.listener.close();
  await until(cleanup, () => !registry.has(cookie));
  await until(cleanup, () => registry.size === 0);
});

Deno.test("SocketCleanup does not wait for connections that nobody holds here any more", async () => {
  using scene = new RegistryScene();
  const { registry } = scene;
  using cleanup = new SocketCleanup(registry);
  using connection = new Connection();
  const { cookie } = stateOf(connection.listener);
  const now = scene.tick();
  registry.observe(stateOf(connection.listener), 0, now, now);
  // FIN_WAIT2: the client does not answer for as long as it likes.
  connection.accepted.close();
  connection.listener.close();
  await until(cleanup, () => !registry.has(cookie));
  await until(cleanup, () => registry.size === 0);
});
