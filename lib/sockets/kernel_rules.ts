/**
 * The kernel's packet filter from the point of view of sockets.
 *
 * @module
 */

/**
 * The kernel's packet filter, as far as sockets need it: a superset of the
 * program's packets is enough. Changes may be put off until `apply`.
 */
export interface KernelRules {
  /** Lets packets of a local port through. */
  openPort(protocol: number, port: number): void;
  /**
   * Lets packets of a local port through that a remote endpoint opened before
   * lets through already.
   */
  openCoveredPort(protocol: number, port: number): void;
  /** Ends one {@linkcode KernelRules.openPort} or covered port. */
  closePort(protocol: number, port: number): void;
  /** Lets packets from and to a remote endpoint through. */
  openRemote(protocol: number, address: Uint8Array, port: number): void;
  /** Ends one {@linkcode KernelRules.openRemote}, at some later time. */
  closeRemote(protocol: number, address: Uint8Array, port: number): void;
  /** Everything opened before is in force when this returns. */
  apply(): void;
}
