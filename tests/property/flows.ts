/**
 * Packets as the matcher and the counters take them, written as text.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parseAddress } from "../../lib/packet/address.ts";
import {
  FlowFields,
  Fragment,
  PROTOCOL_TCP,
  TcpFlag,
} from "../../lib/packet/flow_fields.ts";

/** What a test says about a packet. */
export interface FlowText {
  /** 6 or 17; TCP by default. */
  readonly protocol?: number;
  /** `192.0.2.1:80` or `[2001:db8::1]:80`. */
  readonly source: string;
  readonly destination: string;
  /** Letters of TCP flags as tcpdump writes them: `S`, `S.`, `F.`, `R`. */
  readonly flags?: string;
  /** A `Fragment`. */
  readonly fragment?: number;
  readonly fragmentId?: number;
}

const FLAG_LETTERS: Readonly<Record<string, number>> = {
  F: TcpFlag.FIN,
  S: TcpFlag.SYN,
  R: TcpFlag.RST,
  ".": TcpFlag.ACK,
};

/** The fields of a packet. */
export function fieldsOf(text: FlowText): FlowFields {
  const { protocol = PROTOCOL_TCP, flags = ".", fragment, fragmentId } = text;
  const fields = new FlowFields();
  const source = endpoint(text.source);
  const destination = endpoint(text.destination);
  fields.version = text.source.startsWith("[") ? 6 : 4;
  fields.protocol = protocol;
  fields.fragment = fragment ?? Fragment.NONE;
  fields.fragmentId = fragmentId ?? 0;
  if (fields.fragment !== Fragment.LATER) {
    fields.sourcePort = source.port;
    fields.destinationPort = destination.port;
  }
  if (protocol === PROTOCOL_TCP) {
    for (const letter of flags) {
      const bit = FLAG_LETTERS[letter];
      assert.ok(bit !== undefined, `flag ${letter}`);
      fields.tcpFlags |= bit;
    }
  }
  fields.source.set(wordsOf(source.address));
  fields.destination.set(wordsOf(destination.address));
  return fields;
}

/** An address as 16 bytes, IPv4 v4-mapped. */
export function address(text: string): Uint8Array<ArrayBuffer> {
  const parsed = parseAddress(text);
  assert.ok(parsed !== undefined, text);
  const bytes = new Uint8Array(16);
  if (parsed.length === 4) bytes.set([0xff, 0xff], 10);
  bytes.set(parsed, 16 - parsed.length);
  return bytes;
}

/** An address and a port, written as `192.0.2.1:80` or `[::1]:80`. */
export function endpoint(
  text: string,
): { readonly address: Uint8Array<ArrayBuffer>; readonly port: number } {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { address: address(host), port: Number(text.slice(colon + 1)) };
}

/** The four words of an address, in the byte order of the machine's fields. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at, true));
}
