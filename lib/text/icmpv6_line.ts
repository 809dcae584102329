import type { IpHeader } from "./ip_payload.ts";
import type { Line } from "./line.ts";

/** Prints the message. */
export function printIcmpv6(
  line: Line,
  ip: IpHeader,
  _at: number,
  length: number,
): void {
  line.subject = "icmp";
  line.text += ` ip-proto-${ip.protocol} ${length}`;
}
