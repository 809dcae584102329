/**
 * What the programs behind a view are to tell. Everything else is left out of
 * the code, so that a view costs what it needs.
 *
 * @module
 */

/** What is told, and about whom. */
export interface ViewFeatures {
  /** Outcomes of connect(2) of TCP sockets. */
  readonly attempts?: boolean;
  /** The same of UDP sockets, and first datagrams of unconnected ones. */
  readonly datagrams?: boolean;
  /** Connections that this machine's processes opened. */
  readonly connects?: boolean;
  /** Connections that were accepted. */
  readonly accepts?: boolean;
  /** Ends of connections. */
  readonly closes?: boolean;
  /** Every change of a TCP socket's state. */
  readonly states?: boolean;
  /** Segments that are sent again. */
  readonly retransmits?: boolean;
  /**
   * Attempts are found when the state of a socket changes, not when they are
   * called: without those that fail at once, and without UDP.
   */
  readonly hookless?: boolean;
  /** Only processes in the map of targets. */
  readonly filtered: boolean;
}

/** What the kernel permits; less on older ones. */
export interface ViewAbilities {
  /**
   * Programs at tracepoints may follow the pointers that they get (`tp_btf`).
   * Otherwise (`raw_tracepoint`) everything is read by address.
   */
  readonly typed: boolean;
  /** What is kept of sockets has slots: needs atomic exchange, kernel 5.12. */
  readonly slots: boolean;
  /**
   * Read kernel memory by address: who accepts a connection, and the local end
   * of attempts that failed at once. Lockdown in the mode "confidentiality"
   * forbids it.
   */
  readonly probe: boolean;
}

/** Ways to get at a socket in a tracepoint, best first. */
export const VIEW_ABILITIES: readonly ViewAbilities[] = [
  { typed: true, slots: true, probe: true },
  { typed: true, slots: false, probe: true },
  { typed: false, slots: false, probe: true },
];

/** Whether sockets are remembered from their birth on. */
export function tracksSessions(features: ViewFeatures): boolean {
  const { connects, accepts, closes, states, retransmits } = features;
  return [connects, accepts, closes, states, retransmits].includes(true);
}

/** Whether calls of connect(2) are remembered until their outcome. */
export function tracksAttempts(features: ViewFeatures): boolean {
  return features.attempts === true || features.datagrams === true;
}

/** Who accepts a connection, as far as it can be found out. */
export type AcceptHook =
  /** At the end of inet_csk_accept(), where functions have trampolines. */
  | "function"
  /** At the end of every system call. */
  | "call"
  /** Nowhere: whoever closes it is taken for its owner. */
  | "none";
