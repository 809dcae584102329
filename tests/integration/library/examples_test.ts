import assert from "node:assert/strict";
import { Child } from "../../support/processes.ts";
import { freePort } from "../../support/servers.ts";
import { libraryTest, sendingScript } from "./support.ts";

function example(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Child {
  const path = new URL(`../../../examples/${name}`, import.meta.url).pathname;
  const verb = name.endsWith("_test.ts") ? "test" : "run";
  return new Child(
    [Deno.execPath(), verb, "-A", "--no-check", path, ...args],
    { env: { ...env, NO_COLOR: "1" } },
  );
}

/** Python that asks this host for two pages over one connection each. */
function askingScript(port: number): string {
  return `
import http.client
for path in ["/one", "/two?x=1"]:
    c = http.client.HTTPConnection("127.0.0.1", ${port})
    c.request("GET", path)
    c.getresponse().read()
    c.close()
`;
}

/** Runs a web server meanwhile. */
async function withServer(
  body: (port: number) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("hello"),
  );
  try {
    await body(server.addr.port);
  } finally {
    await server.shutdown();
  }
}

libraryTest(
  "examples/top_talkers.ts lists the peers of a process",
  async () => {
    const [small, large] = [freePort(), freePort() + 1800];
    await using talker = new Child([
      "/usr/bin/python3",
      "-uc",
      `print("ready"); input()${sendingScript(1, small)}${
        sendingScript(3, large)
      }print("sent"); input()`,
    ], { stdin: "piped" });
    await talker.seen("stdout", /ready/);
    await using listed = example("top_talkers.ts", [`${talker.pid}`, "2"]);
    await listed.seen("stderr", /Capturing/);
    await talker.writeLine();
    const { stdout, code, stderr } = await listed.ended();
    assert.equal(code, 0, stderr);
    // 16 bytes of link header, 28 of IP and UDP, 8 of payload.
    assert.deepEqual(stdout.trim().split("\n"), [
      `udp 127.0.0.1 ${large}  sent ${3 * 52}  received 0`,
      `udp 127.0.0.1 ${small}  sent 52  received 0`,
    ]);
    await talker.writeLine();
    await talker.ended();
  },
);

libraryTest("examples/allowed_hosts_test.ts passes and fails", async () => {
  await withServer(async (port) => {
    const env = { PROGRAM: `/usr/bin/python3 -c '${askingScript(port)}'` };
    const allowed = { ...env, ALLOWED: "127.0.0.1" };
    await using passing = example("allowed_hosts_test.ts", [], allowed);
    const passed = await passing.ended();
    assert.equal(passed.code, 0, passed.stdout);
    await using failing = example("allowed_hosts_test.ts", [], {
      ...env,
      ALLOWED: "192.0.2.1",
    });
    const { code, stdout } = await failing.ended();
    assert.equal(code, 1);
    assert.match(stdout, /no other host was contacted[^]*'127\.0\.0\.1'/);
  });
});

libraryTest("examples/http_requests.ts streams requests", async () => {
  await withServer(async (port) => {
    const script = `${askingScript(port)}raise SystemExit(5)`;
    const args = ["/usr/bin/python3", "-c", script];
    await using requests = example("http_requests.ts", args);
    const { stdout, stderr, code } = await requests.ended();
    assert.equal(code, 5, stderr);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ method, host, target, comm }) => [
        method,
        host,
        target,
        comm,
      ]),
      [
        ["GET", `127.0.0.1:${port}`, "/one", "python3"],
        ["GET", `127.0.0.1:${port}`, "/two?x=1", "python3"],
      ],
    );
  });
});
