import type { Line } from "./line.ts";

/** Prints what a datagram carries; false when it is not known. */
export function printDatagram(
  _line: Line,
  _at: number,
  _length: number,
  _sourcePort: number,
  _destinationPort: number,
): boolean {
  return false;
}
