/**
 * Captures a command by eBPF with a ring of events that holds a few dozen only.
 *
 * Arguments: the file, the command, its arguments. What the capture says goes
 * to standard error.
 *
 * @module
 */
import { startLive } from "../../lib/session/capture.ts";

/** One page, the least there is. */
const EVENT_RING = 4096;

const [output, command, ...args] = Deno.args;
const capture = await startLive({
  target: { kind: "command", command: command!, args },
  output: output!,
  snaplen: 0,
  nanoseconds: true,
  interfaces: [],
  follow: true,
  bufferSize: 64,
  linger: 2000,
  debug: 1,
  tracker: "ebpf",
  eventRing: EVENT_RING,
}, {
  notice: ({ severity, text }) => {
    const line = `tracedump: ${
      severity === "warning" ? "warning: " : ""
    }${text}`;
    Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
  },
});
const { error, exit } = await capture.finished;
if (error !== undefined) throw error;
Deno.exit(exit?.kind === "exited" ? exit.code : 1);
