/**
 * Names that are printed instead of numbers.
 *
 * @module
 */

import type { PrintNames } from "../text/print_options.ts";

/** Lines such as `http 80/tcp www`. */
const SERVICE_REGEXP = /^([^\s#]+)\s+(\d+)\/(tcp|udp)\b/gm;

/**
 * Makes the names of ports from the system's file.
 *
 * @param services Text of /etc/services.
 */
export function portNames(services: string): NonNullable<PrintNames["port"]> {
  const names = new Map<string, string>();
  for (const [, name, port, protocol] of services.matchAll(SERVICE_REGEXP)) {
    const key = `${protocol} ${port}`;
    if (!names.has(key)) names.set(key, name!);
  }
  return (port, protocol) => names.get(`${protocol} ${port}`);
}
