import type { Line } from "./line.ts";

/** Prints the message. */
export function printIgmp(line: Line, _at: number, length: number): void {
  line.text += ` ip-proto-2 ${length}`;
}
