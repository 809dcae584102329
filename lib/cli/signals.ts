/**
 * Signal names and numbers (signal(7); x86 and ARM share them), and which
 * signals a process ignores.
 *
 * @module
 */

/** Numbers of the standard signals, asm-generic/signal.h. */
export const SIGNAL_NUMBERS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

/** Name of a standard signal. */
export type SignalName = keyof typeof SIGNAL_NUMBERS;

const NAMES: ReadonlyMap<number, SignalName> = new Map(
  Object.entries(SIGNAL_NUMBERS).map((
    [name, number],
  ) => [number, name as SignalName]),
);

/** Returns the name of a signal; `undefined` for real-time signals. */
export function signalName(signal: number): SignalName | undefined {
  return NAMES.get(signal);
}

/**
 * Reads the `SigIgn:` line of `/proc/PID/status` (proc_pid_status(5)): a
 * hexadecimal mask whose bit n-1 stands for signal n.
 *
 * @returns The ignored standard signals; none when there is no such line.
 */
export function parseIgnoredSignals(status: string): ReadonlySet<SignalName> {
  const digits = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  const mask = BigInt(`0x${digits}`);
  const ignored = new Set<SignalName>();
  for (const [number, name] of NAMES) {
    if ((mask >> BigInt(number - 1)) & 1n) ignored.add(name);
  }
  return ignored;
}
