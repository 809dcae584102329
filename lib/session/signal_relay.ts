/**
 * Passing signals on to the command. The terminal sends its signals to the
 * command as well as to this program: it must not get them twice.
 *
 * @module
 */

/** How close together signals count as the same one, ms. */
const SAME_SIGNAL = 100;

/** Passes signals on that the command has not got by itself. */
export class SignalRelay {
  readonly #send: (signal: number) => void;
  /** When signals were delivered last, by performance.now(). */
  readonly #times = new Map<number, number>();

  /** @param send sends a signal to the command, if that is still there */
  constructor(send: (signal: number) => void) {
    this.#send = send;
  }

  /** The command got a signal, whoever sent it. */
  delivered(signal: number): void {
    this.#times.set(signal, performance.now());
  }

  /** Passes a signal on unless the command has just got the same one. */
  async forward(signal: number): Promise<void> {
    const began = performance.now();
    const seen = (): boolean => {
      const time = this.#times.get(signal);
      return time !== undefined && time > began - SAME_SIGNAL;
    };
    if (seen()) return;
    await new Promise((resolve) => setTimeout(resolve, SAME_SIGNAL / 2));
    if (!seen()) this.#send(signal);
  }
}
