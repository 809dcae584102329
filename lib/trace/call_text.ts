/**
 * Watched calls as text, for debug notices.
 *
 * @module
 */
import { errnoName } from "../../ffi/errno.ts";
import { isMapped } from "../../ffi/sockaddr.ts";
import { formatAddress } from "../packet/address.ts";
import type { SocketCall } from "./call_arguments.ts";

/** A call as strace(1) would write it, in short. */
export function formatCall(
  { kind, fd, endpoints }: SocketCall,
  result: number,
): string {
  const names = endpoints.map(({ address, port }) =>
    isMapped(address)
      ? `${address.subarray(12).join(".")}:${port}`
      : `[${formatAddress(address)}]:${port}`
  );
  const value = result < 0 ? `-1 ${errnoName(-result)}` : `${result}`;
  return `${kind}(${[fd, ...names].join(", ")}) = ${value}`;
}
