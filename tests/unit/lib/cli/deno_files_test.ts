import assert from "node:assert/strict";
import { denoFiles } from "../../../../lib/cli/deno_files.ts";

Deno.test("denoFiles() takes no folder for a capture file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/tcp`;
    await Deno.writeTextFile(file, "");
    const files = denoFiles();
    assert.equal(files.exists(file), true);
    assert.equal(files.exists(folder), false);
    assert.equal(files.exists(`${folder}/none`), false);
    assert.equal(files.areSame(file, `${folder}/./tcp`), true);
    assert.equal(files.areSame(file, folder), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("denoFiles() gives all of a file, each part until the next", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/large`;
    const written = new Uint8Array(5 * 2 ** 20 + 7).map((_, i) => i * 31 >> 8);
    await Deno.writeFile(path, written);
    let at = 0;
    for await (const chunk of denoFiles().open(path)) {
      // Time for a part that is read too early to get in the way.
      await Deno.stat(path);
      const expected = written.subarray(at, at + chunk.length);
      assert(chunk.every((byte, i) => byte === expected[i]), `from ${at}`);
      at += chunk.length;
    }
    assert.equal(at, written.length);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("denoFiles() closes a file that is not read to its end", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/large`;
    await Deno.writeFile(path, new Uint8Array(5 * 2 ** 20));
    for await (const chunk of denoFiles().open(path)) {
      assert(chunk.length > 0);
      break;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
