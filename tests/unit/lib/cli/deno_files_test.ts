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
