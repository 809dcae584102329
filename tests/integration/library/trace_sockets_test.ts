import assert from "node:assert/strict";
import { traceSockets } from "../../../lib/session/events/trace_sockets.ts";
import type { SocketEvent } from "../../../lib/session/events/socket_event.ts";
import { TraceUriError } from "../../../lib/session/trace/errors.ts";
import { CaptureError } from "../../../lib/session/types.ts";
import { freePort } from "../../support/servers.ts";
import { libraryTest } from "./support.ts";

for (const [family, host] of [["AF_INET", "127.0.0.1"], ["AF_INET6", "::1"]]) {
  libraryTest(
    `traceSockets() tells the life of sockets of ${host}`,
    async () => {
      const [port, other] = [freePort(), freePort() + 1800];
      const script = `
import os, socket
l = socket.socket(socket.${family}); l.bind(("${host}", ${port})); l.listen()
c = socket.create_connection(("${host}", ${port}))
a, _ = l.accept()
c.close(); a.recv(1); a.close()
try: socket.create_connection(("${host}", 1))
except ConnectionRefusedError: pass
u = socket.socket(socket.${family}, socket.SOCK_DGRAM)
u.bind(("${host}", ${other})); u.close()
l.close()
`;
      const events: SocketEvent[] = [];
      for await (
        const event of traceSockets(["cmd:/usr/bin/python3", "-c", script])
      ) {
        assert.equal(event.comm, "python3");
        assert.equal(event.localAddress, host);
        events.push(event);
      }
      assert.equal(new Set(events.map(({ pid }) => pid)).size, 1);
      const outline = events.map(({ kind, protocol, localPort, remotePort }) =>
        [
          kind,
          protocol,
          localPort === port || localPort === other ? localPort : "any",
          remotePort === port || remotePort === 1 || remotePort === undefined
            ? remotePort
            : "any",
        ].join(" ")
      );
      assert.deepEqual(
        outline.sort(),
        [
          `accept tcp ${port} any`,
          `bind tcp ${port} `,
          `bind udp ${other} `,
          "close tcp any 1",
          `close tcp ${port} `,
          `close tcp ${port} any`,
          `close tcp any ${port}`,
          `close udp ${other} `,
          "connect tcp any 1",
          `connect tcp any ${port}`,
          `listen tcp ${port} `,
        ].sort(),
      );
      const connects = events.filter(({ kind }) => kind === "connect");
      const results = connects.map(({ remotePort, result }) =>
        `${remotePort} ${result}`
      );
      assert.deepEqual(results.sort(), [
        "1 ECONNREFUSED",
        `${port} ok`,
      ]);
      for (const { latency } of connects) {
        assert.ok(latency !== undefined && latency >= 0 && latency < 1000);
      }
    },
    "IPv6",
  );
}

libraryTest("traceSockets() lets go of its program", async () => {
  const script = `
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
time.sleep(1000)`;
  let pid = 0;
  for await (
    const event of traceSockets(["cmd:/usr/bin/python3", "-c", script])
  ) {
    pid = event.pid;
    break;
  }
  assert.throws(() => Deno.statSync(`/proc/${pid}`), Deno.errors.NotFound);
  const controller = new AbortController();
  const { signal } = controller;
  const events = traceSockets(["cmd:/usr/bin/python3", "-c", script], {
    signal,
  });
  await events.next();
  controller.abort(new Error("enough"));
  await assert.rejects(async () => {
    while (!(await events.next()).done);
  }, /enough/);
});

libraryTest("traceSockets() says what is wrong", async () => {
  for (const target of ["int:lo", "dump.pcap", "pcapfile:x", "pid:x"]) {
    assert.throws(() => traceSockets(target), TraceUriError, target);
  }
  await assert.rejects(
    traceSockets("pid:4194304").next(),
    (error) => error instanceof CaptureError && error.code === "no-process",
  );
});
