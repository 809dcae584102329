import assert from "node:assert/strict";
import { traceSockets } from "../../../lib/session/events/trace_sockets.ts";
import type { SocketEvent } from "../../../lib/session/events/socket_event.ts";
import { TraceUriError } from "../../../lib/session/trace/errors.ts";
import { CaptureError } from "../../../lib/session/types.ts";
import { Child } from "../../support/processes.ts";
import { freePort } from "../../support/servers.ts";
import { libraryTest } from "./support.ts";

const TRACKERS = ["ebpf", "ptrace"] as const;

async function eventsOf(
  script: string,
  tracker: "ebpf" | "ptrace",
): Promise<SocketEvent[]> {
  const events: SocketEvent[] = [];
  const target = ["cmd:/usr/bin/python3", "-c", script];
  for await (const event of traceSockets(target, { tracker })) {
    assert.equal(event.comm, "python3");
    events.push(event);
  }
  assert.equal(new Set(events.map(({ pid }) => pid)).size, 1);
  return events;
}

const FAMILIES = [["AF_INET", "127.0.0.1"], ["AF_INET6", "::1"]] as const;

for (const tracker of TRACKERS) {
  for (const [family, host] of FAMILIES) {
    libraryTest(
      `traceSockets() by ${tracker} tells the life of sockets of ${host}`,
      async () => {
        const [port, other] = [freePort(), freePort() + 1800];
        const script = `
import socket
l = socket.socket(socket.${family}); l.bind(("${host}", ${port})); l.listen()
c = socket.create_connection(("${host}", ${port}))
a, _ = l.accept()
c.close(); a.recv(1); a.close()
u = socket.socket(socket.${family}, socket.SOCK_DGRAM)
u.bind(("${host}", ${other})); u.close()
l.close()
`;
        const events = await eventsOf(script, tracker);
        const outline = events.map((
          { kind, protocol, localAddress, localPort, remotePort },
        ) => {
          assert.equal(localAddress, host);
          const own = localPort === port || localPort === other;
          const isRemoteKnown = remotePort === port || remotePort === undefined;
          return [
            kind,
            protocol,
            own ? localPort : "any",
            isRemoteKnown ? remotePort : "any",
          ].join(" ");
        });
        assert.deepEqual(
          outline.sort(),
          [
            `accept tcp ${port} any`,
            `bind tcp ${port} `,
            `bind udp ${other} `,
            `close tcp ${port} `,
            `close tcp ${port} any`,
            `close tcp any ${port}`,
            `close udp ${other} `,
            `connect tcp any ${port}`,
            `listen tcp ${port} `,
          ].sort(),
        );
        const connect = events.find(({ kind }) => kind === "connect")!;
        assert.equal(connect.result, "ok");
        assert(connect.latency! >= 0 && connect.latency! < 1000);
      },
      "IPv6",
    );
  }

  libraryTest(
    `traceSockets() by ${tracker} tells of calls that fail`,
    async () => {
      const port = freePort();
      const script = `
import socket
TCP, UDP, here = socket.SOCK_STREAM, socket.SOCK_DGRAM, "127.0.0.1"
def fails(kind, name, *arguments):
    s = socket.socket(socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if name == "listen": s.bind(arguments[0])
    try: getattr(s, name)(*arguments[name == "listen":])
    except OSError: return
    raise Exception(name)
a = socket.socket()
a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
a.bind((here, ${port}))
fails(TCP, "connect", (here, 1))
fails(TCP, "connect", ("255.255.255.255", 9))
fails(UDP, "connect", ("255.255.255.255", 9))
fails(TCP, "bind", ("192.0.2.1", 7))
b = socket.socket()
b.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
b.bind((here, ${port}))
a.listen()
fails(TCP, "bind", (here, ${port}))
try: b.listen()
except OSError: pass
else: raise Exception("listen")
n = socket.socket(); n.setblocking(False)
while n.connect_ex((here, 1)) != 111: pass
`;
      const events = await eventsOf(script, tracker);
      const failed = events.filter(({ result }) => result !== "ok").map((
        { kind, protocol, localAddress, localPort, remotePort, result },
      ) =>
        [
          kind,
          protocol,
          ...kind === "connect" ? [remotePort] : [localAddress, localPort],
          result,
        ].join(" ")
      );
      assert.deepEqual(
        failed.sort(),
        [
          `bind tcp 127.0.0.1 ${port} EADDRINUSE`,
          "bind tcp 192.0.2.1 7 EADDRNOTAVAIL",
          "connect tcp 1 ECONNREFUSED",
          "connect tcp 1 ECONNREFUSED",
          "connect tcp 9 ENETUNREACH",
          "connect udp 9 EACCES",
          `listen tcp 127.0.0.1 ${port} EADDRINUSE`,
        ].sort(),
      );
      for (const { result, latency } of events) {
        assert.equal(latency !== undefined, result === "ECONNREFUSED");
      }
    },
  );
}

for (const tracker of TRACKERS) {
  libraryTest(
    `traceSockets() by ${tracker} tells of a process that runs`,
    async () => {
      const port = freePort();
      await using child = new Child([
        "/usr/bin/python3",
        "-uc",
        `
import socket
l = socket.socket(); l.bind(("127.0.0.1", ${port})); l.listen()
print("ready")
a, _ = l.accept(); a.close(); l.close()
input()`,
      ], { stdin: "piped" });
      await child.seen("stdout", /ready/);
      const kinds: string[] = [];
      const events = traceSockets(`pid:${child.pid}`, {
        tracker,
        // Now it is followed.
        notice: ({ severity }) => {
          if (severity !== "info") return;
          Deno.connect({ port }).then((connection) => connection.close());
        },
      });
      for await (const { kind, pid, localPort, comm } of events) {
        assert.deepEqual([pid, localPort, comm], [child.pid, port, "python3"]);
        kinds.push(kind);
        if (kinds.length === 3) break;
      }
      assert.deepEqual(kinds.sort(), ["accept", "close", "close"]);
      await child.writeLine();
      assert.equal((await child.ended()).code, 0);
    },
  );

  libraryTest(
    `traceSockets() by ${tracker} lets go of its program`,
    async () => {
      const script = `
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
time.sleep(1000)`;
      const target = ["cmd:/usr/bin/python3", "-c", script];
      let pid = 0;
      for await (const event of traceSockets(target, { tracker })) {
        pid = event.pid;
        break;
      }
      assert.throws(() => Deno.statSync(`/proc/${pid}`), Deno.errors.NotFound);
      const controller = new AbortController();
      const { signal } = controller;
      const events = traceSockets(target, { tracker, signal });
      await events.next();
      controller.abort(new Error("enough"));
      await assert.rejects(async () => {
        while (!(await events.next()).done);
      }, /enough/);
    },
  );
}

libraryTest("traceSockets() says what is wrong", async () => {
  for (const target of ["int:lo", "dump.pcap", "pcapfile:x", "pid:x"]) {
    assert.throws(() => traceSockets(target), TraceUriError, target);
  }
  await assert.rejects(
    traceSockets("pid:4194304").next(),
    (error) => error instanceof CaptureError && error.code === "no-process",
  );
});
