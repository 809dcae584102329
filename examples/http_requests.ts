// deno-lint-ignore-file no-console
/**
 * The HTTP requests of a command, as they are sent: one line of JSON each. The
 * command's exit status is this program's own.
 *
 * ```sh
 * sudo deno run -A examples/http_requests.ts COMMAND [ARGUMENT...]
 * ```
 *
 * @module
 */
import { openTrace } from "../mod.ts";

const [command, ...args] = Deno.args;
if (command === undefined) {
  console.error("Usage: http_requests.ts COMMAND [ARGUMENT...]");
  Deno.exit(2);
}

const trace = openTrace([`cmd:${command}`, ...args], { filter: "tcp" });
for await (const packet of trace) {
  const http = packet.layer("http");
  if (http?.method === undefined || packet.direction !== "out") continue;
  const host = http.fields.find(({ name }) => /^host$/i.test(name));
  console.log(JSON.stringify({
    time: packet.time,
    pid: packet.process?.pid,
    comm: packet.process?.comm,
    method: http.method,
    host: host?.value,
    target: http.target,
  }));
}
Deno.exitCode = trace.exit?.kind === "exited" ? trace.exit.code : 1;
