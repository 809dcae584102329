import type { Line } from "./line.ts";

/** Prints what a segment carries, when it is known. */
export function printStream(
  _line: Line,
  _at: number,
  _length: number,
  _sourcePort: number,
  _destinationPort: number,
): void {
}
