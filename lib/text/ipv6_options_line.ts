/**
 * Options of IPv6 extension headers, as `-v` prints them:
 * `(rtalert: 0x0000) (padn)`.
 *
 * Reference: RFC 8200 section 4.2, RFC 2711 (router alert), RFC 2675 (jumbo
 * payload), RFC 6275 section 6.3 (home address).
 *
 * @module
 */

import { hex } from "./hex.ts";
import type { Line } from "./line.ts";

const OptionType = {
  PAD1: 0x00,
  PADN: 0x01,
  ROUTER_ALERT: 0x05,
  JUMBO_PAYLOAD: 0xc2,
  HOME_ADDRESS: 0xc9,
} as const;

const ROUTER_ALERT_LENGTH = 2;
const JUMBO_LENGTH = 4;
const HOME_ADDRESS_LENGTH = 16;
/** Shorter payloads do not need the option. */
const MIN_JUMBO = 65_536;

/**
 * Prints options; without `-v` only what is wrong with them.
 *
 * @param line Before them; they are captured.
 * @param start Where they begin.
 * @param end Where they end.
 * @param payloadLength Payload length field of the IPv6 header; only after it
 *   a jumbo payload option counts.
 * @returns The length of a valid jumbo payload option; `cut` when an option
 *   does not fit, `none` otherwise.
 */
export function printExtensionOptions(
  line: Line,
  start: number,
  end: number,
  payloadLength?: number,
): number | "none" | "cut" {
  const isVerbose = line.style.verbosity > 0;
  const say = (text: string): void => {
    if (isVerbose) line.text += text;
  };
  let jumbo: number | "none" = "none";
  let hasJumbo = false;
  for (let at = start; at < end;) {
    const type = line.u8(at);
    if (type === OptionType.PAD1) {
      say("(pad1)");
      at++;
      continue;
    }
    const length = at + 1 < end ? line.u8(at + 1) : -1;
    const data = at + 2;
    if (length < 0 || data + length > end) return cut(line);
    switch (type) {
      case OptionType.PADN:
        say("(padn)");
        break;
      case OptionType.ROUTER_ALERT:
        if (length !== ROUTER_ALERT_LENGTH) {
          return cut(line, wrong("rtalert", end - at, 4, length));
        }
        say(`(rtalert: ${hex(line.u16(data), 4)}) `);
        break;
      case OptionType.JUMBO_PAYLOAD: {
        if (length !== JUMBO_LENGTH) {
          return cut(line, wrong("jumbo", end - at, 6, length));
        }
        const stated = line.u32(data);
        const problem = hasJumbo
          ? " - already seen"
          : payloadLength === undefined
          ? " - not a hop-by-hop option"
          : payloadLength !== 0
          ? " - payload len != 0"
          : stated < MIN_JUMBO
          ? " - < 65536"
          : "";
        if (problem === "") jumbo = stated;
        hasJumbo = true;
        say(`(jumbo: ${stated}${problem}) `);
        break;
      }
      case OptionType.HOME_ADDRESS:
        if (length < HOME_ADDRESS_LENGTH) {
          return cut(line, wrong("homeaddr", end - at, 18, length));
        }
        say(`(homeaddr: ${line.ipv6(data)})`);
        break;
      default:
        say(`(opt_type ${hex(type, 2)}: len=${length})`);
    }
    at = data + length;
  }
  say(" ");
  return jumbo;
}

function cut(line: Line, complaint = ""): "cut" {
  line.text += complaint;
  line.cut();
  return "cut";
}

function wrong(
  name: string,
  left: number,
  needed: number,
  length: number,
): string {
  return left < needed
    ? `(${name}: trunc)`
    : `(${name}: invalid len ${length})`;
}
