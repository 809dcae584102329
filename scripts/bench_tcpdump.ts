/**
 * tcpdump, with which captures are compared.
 *
 * @module
 */
import type { Child } from "../tests/support/processes.ts";
import { requireProgram, type Workspace } from "./bench_workspace.ts";

/** Kernel buffer of all that capture, in MiB. */
export const BUFFER = 16;

/** Starts `tcpdump -w` on the loopback interface. */
export async function startTcpdump(
  workspace: Workspace,
  filter: readonly string[],
  output: string,
): Promise<Child> {
  const child = workspace.start([
    ...[requireProgram("tcpdump"), "-i", "lo", "-n", "-Z", "root"],
    ...["-B", String(BUFFER * 1024), "-w", output, ...filter],
  ]);
  await child.seen("stderr", /listening on/);
  return child;
}

/** Reads what tcpdump prints at its end. */
export function parseTcpdump(
  stderr: string,
): { packets: number; drops: number } {
  const packets = stderr.match(/^(\d+) packets? captured$/m);
  const drops = stderr.match(/^(\d+) packets? dropped by kernel$/m);
  if (packets === null || drops === null) {
    throw new Error(`tcpdump did not tell: ${stderr}`);
  }
  return { packets: Number(packets[1]), drops: Number(drops[1]) };
}
