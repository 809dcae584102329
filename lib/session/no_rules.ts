/**
 * Kernel rules that somebody else keeps.
 *
 * @module
 */
import type { KernelRules } from "../sockets/kernel_rules.ts";

/** For the registry where programs in the kernel keep the rules themselves. */
export const NO_RULES: KernelRules = {
  openPort: () => {},
  openCoveredPort: () => {},
  closePort: () => {},
  openRemote: () => {},
  closeRemote: () => {},
  apply: () => {},
};
