/**
 * The program.
 *
 * @module
 */

import { denoHost } from "./lib/cli/deno_host.ts";
import { run } from "./lib/cli/run.ts";

if (import.meta.main) {
  const host = denoHost();
  // The engine is loaded only when there is something to capture.
  await host.end(
    await run(host, async (options, observer) => {
      const { startCapture } = await import("./lib/session/capture.ts");
      return await startCapture(options, observer);
    }),
  );
}
