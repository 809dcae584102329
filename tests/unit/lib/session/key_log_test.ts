import assert from "node:assert/strict";
import {
  keyLogEnvironment,
  KeyLogFile,
  KeyLogReader,
} from "../../../../lib/session/key_log.ts";

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

Deno.test("KeyLogFile is private, and gone afterwards", () => {
  let path: string;
  {
    using file = new KeyLogFile(undefined);
    path = file.path;
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    const folder = path.slice(0, path.lastIndexOf("/"));
    assert.equal(Deno.statSync(folder).mode! & 0o777, 0o700);
  }
  assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
});

Deno.test("KeyLogFile leaves a file of the user alone", () => {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "OLD LINE\n");
  Deno.env.set("SSLKEYLOGFILE", path);
  try {
    {
      using file = new KeyLogFile(undefined);
      assert.deepEqual([file.path, file.start], [path, 9]);
      using reader = new KeyLogReader(file);
      Deno.writeTextFileSync(path, "NEW LINE\n", { append: true });
      assert.equal(text(reader.read()), "NEW LINE\n");
    }
    assert.equal(Deno.readTextFileSync(path), "OLD LINE\nNEW LINE\n");
  } finally {
    Deno.env.delete("SSLKEYLOGFILE");
    Deno.removeSync(path);
  }
});

Deno.test("KeyLogFile takes nothing that cannot be read back", () => {
  for (const path of ["/dev/null", "/tmp"]) {
    Deno.env.set("SSLKEYLOGFILE", path);
    try {
      assert.throws(() => new KeyLogFile(undefined), {
        name: "CaptureError",
        message: `Cannot read TLS keys from ${path}: it is not a file`,
      });
    } finally {
      Deno.env.delete("SSLKEYLOGFILE");
    }
  }
});

Deno.test("KeyLogReader gives whole lines", () => {
  using file = new KeyLogFile(undefined);
  using reader = new KeyLogReader(file);
  const append = (more: string): void =>
    Deno.writeTextFileSync(file.path, more, { append: true });
  assert.equal(reader.read(), undefined);
  append("ONE\nTW");
  assert.equal(text(reader.read()), "ONE\n");
  assert.equal(reader.read(), undefined);
  append("O\n");
  assert.equal(text(reader.read()), "TWO\n");
  const long = `${"x".repeat(200_000)}\n`;
  append(long);
  assert.equal(text(reader.read()), long);
});

Deno.test("KeyLogReader waits for a file that is not there yet", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/keys`;
  using reader = new KeyLogReader({ path, start: 0 });
  assert.equal(reader.read(), undefined);
  Deno.writeTextFileSync(path, "ONE\n");
  assert.equal(text(reader.read()), "ONE\n");
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("keyLogEnvironment() keeps the options of Node.js", () => {
  assert.deepEqual(keyLogEnvironment(undefined), {});
  const before = Deno.env.get("NODE_OPTIONS");
  Deno.env.set("NODE_OPTIONS", "--no-warnings");
  try {
    assert.deepEqual(keyLogEnvironment({ path: "/tmp/a b", start: 0 }), {
      SSLKEYLOGFILE: "/tmp/a b",
      NODE_OPTIONS: '--no-warnings --tls-keylog="/tmp/a b"',
    });
  } finally {
    if (before === undefined) Deno.env.delete("NODE_OPTIONS");
    else Deno.env.set("NODE_OPTIONS", before);
  }
});
