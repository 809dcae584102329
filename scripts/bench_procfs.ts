/**
 * What /proc tells about processes, for measurements.
 *
 * @module
 */

/** Clock ticks per second of /proc/PID/stat, the same on every machine. */
const TICKS_PER_SECOND = 100;

/** Memory of a process in bytes. */
export interface Memory {
  /** All that is in memory, including mapped files and packet rings. */
  readonly resident: number;
  /** Heaps and stacks. */
  readonly anonymous: number;
}

/** Reads the fields of a /proc/PID/stat line behind the name; proc(5). */
export function parseCpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // utime and stime are fields 14 and 15; the state, field 3, comes first.
  return Number(fields[11]) + Number(fields[12]);
}

/** Reads the sizes out of the text of /proc/PID/status; proc(5). */
export function parseMemory(status: string): Memory {
  return {
    resident: kibibytes(status, "VmRSS"),
    anonymous: kibibytes(status, "RssAnon"),
  };
}

function kibibytes(status: string, name: string): number {
  const match = status.match(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m"));
  return match === null ? NaN : 1024 * Number(match[1]);
}

/** Seconds of processor time that a process has taken, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return parseCpuTicks(stat) / TICKS_PER_SECOND;
}

/** Memory that a process has now. */
export function memoryOf(pid: number): Memory {
  return parseMemory(Deno.readTextFileSync(`/proc/${pid}/status`));
}

/** Processes that a process has started and that still run. */
export function childrenOf(pid: number): number[] {
  const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter((word) => word !== "").map(Number);
}

/** Whether a process exists and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat[stat.lastIndexOf(")") + 2] !== "Z";
  } catch {
    return false;
  }
}

/** Whether somebody traces a process. */
export function isTraced(pid: number): boolean {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return !/^TracerPid:\s+0$/m.test(status);
}

/** Waits until a process takes no processor time to speak of any more. */
export async function untilIdle(pid: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  let quiet = 0;
  let before = cpuSeconds(pid);
  while (quiet < 4 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = cpuSeconds(pid);
    quiet = now - before < 0.015 ? quiet + 1 : 0;
    before = now;
  }
}
