/**
 * The process's own environment as the C library holds it: bytes, in their
 * order, which JavaScript strings would not keep.
 *
 * @module
 */
import { libcAddresses } from "./libc.ts";
import { textAt } from "./memory.ts";

/** An entry such as `HOME=/root`. */
export interface EnvironmentEntry {
  /** Where the C string begins. */
  readonly address: number;
  /** The text, for looking at; not for passing on. */
  readonly text: string;
}

/** Address of the array of entries: an `envp` for execve(2). */
export function environmentAddress(): number {
  const variable = new Deno.UnsafePointerView(libcAddresses().environ);
  return Number(variable.getBigUint64());
}

/** The entries, in their order. */
export function environmentEntries(): EnvironmentEntry[] {
  const entries: EnvironmentEntry[] = [];
  const list = Deno.UnsafePointer.create(BigInt(environmentAddress()));
  if (list === null) return entries;
  const view = new Deno.UnsafePointerView(list);
  for (let at = 0;; at += 8) {
    const entry = view.getPointer(at);
    if (entry === null) return entries;
    entries.push({
      address: Number(Deno.UnsafePointer.value(entry)),
      text: textAt(entry),
    });
  }
}
