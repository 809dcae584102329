/**
 * syscall(2): calls that the C library has no function for, or has it only in
 * later versions.
 *
 * @module
 */
import { libc } from "./libc.ts";

/** Makes a system call; -1 with errno when it fails. */
export function syscall(
  number: number,
  a = 0,
  b = 0,
  c = 0,
  d = 0,
): number {
  return libc().syscall(
    BigInt(number),
    BigInt(a),
    BigInt(b),
    BigInt(c),
    BigInt(d),
    0n,
    0n,
  );
}
