import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import {
  namedNamespaces,
  type NamespaceOptions,
  NetworkNamespaces,
} from "../../../../lib/session/network_namespaces.ts";

/** Those of namespaces of which none is entered. */
const OPTIONS: NamespaceOptions = {
  ring: { blockSize: 1 << 18, blockCount: 2, timeout: 16 },
  interfaces: [],
  isHurried: true,
  attachFilter: () => assert.fail("nothing is opened"),
  opened: () => assert.fail("nothing is opened"),
  refused: () => assert.fail("nothing is refused"),
};

Deno.test("namedNamespaces() finds the processes that a command line names", () => {
  const paths = (...words: string[]): string[] =>
    namedNamespaces(words).filter((path) => path.startsWith("/proc/"));
  assert.deepEqual(paths("nsenter", "-t", "42", "-n", "true"), [
    "/proc/42/ns/net",
  ]);
  assert.deepEqual(paths("nsenter", "--net=/proc/43/ns/net", "true"), [
    "/proc/43/ns/net",
  ]);
  assert.deepEqual(paths("sh", "-c", "nsenter -t 44 -n curl x | cat"), [
    "/proc/44/ns/net",
  ]);
  assert.deepEqual(paths("curl", "http://a1.example/b2", "12345678"), []);
});

Deno.test("NetworkNamespaces needs not enter its own, nor one without a name", () => {
  const namespaces = new NetworkNamespaces(OPTIONS);
  for (const cookie of [0n, namespaces.own]) {
    assert.ok(!namespaces.isNew(cookie));
    assert.ok(namespaces.enter(cookie, 1, []));
  }
  assert.equal(namespaces.size, 0);
});

Deno.test("NetworkNamespaces tells once of one that is gone", () => {
  const told: string[] = [];
  const namespaces = new NetworkNamespaces({
    ...OPTIONS,
    refused: (pid, reason) => told.push(`${pid} ${reason}`),
  });
  // Older kernels tell of none.
  if (namespaces.own === 0n) return;
  for (let i = 0; i < 2; i++) {
    assert.ok(!namespaces.enter(0xffff_ffffn, 42, []));
  }
  assert.deepEqual(told, ["42 it was gone before it could be entered"]);
});

Deno.test("NetworkNamespaces.cookieOf() knows one namespace where ours has no cookie", () => {
  const old = new NetworkNamespaces(OPTIONS, 0n);
  assert.equal(old.cookieOf(4099n), 0n);
  assert.ok(!old.isNew(old.cookieOf(4099n)));
  const newer = new NetworkNamespaces(OPTIONS, 1n);
  assert.equal(newer.cookieOf(4099n), 4099n);
  assert.ok(newer.isNew(newer.cookieOf(4099n)));
  assert.equal(newer.cookieOf(0n), 1n);
});
