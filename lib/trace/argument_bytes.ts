/**
 * The bytes of a command's arguments. JavaScript strings cannot hold arguments
 * that are not UTF-8; the kernel still has those of this program itself.
 *
 * @module
 */
import { cString } from "../../ffi/memory.ts";

const OWN_COMMAND_LINE = "/proc/self/cmdline";

/**
 * C strings of a command and its arguments. When they are the last arguments
 * of this program, their very bytes are taken.
 */
export function argumentBytes(
  texts: readonly string[],
  commandLine: Uint8Array = Deno.readFileSync(OWN_COMMAND_LINE),
): Uint8Array<ArrayBuffer>[] {
  const given = splitAtNul(commandLine).slice(-texts.length);
  const decoder = new TextDecoder();
  const same = given.length === texts.length &&
    texts.every((text, i) => text === decoder.decode(given[i]));
  return same
    ? given.map((bytes) => Uint8Array.from([...bytes, 0]))
    : texts.map(cString);
}

function splitAtNul(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
    parts.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return parts;
}
