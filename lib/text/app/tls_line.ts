/**
 * TLS: `TLS 1.3 client hello, SNI example.org, ALPN h2,http/1.1`. Records that
 * are encrypted are not mentioned.
 *
 * @module
 */

import {
  decodeTlsRecords,
  formatTlsAlert,
  formatTlsVersion,
  type TlsRecord,
} from "../../packet/app/tls.ts";
import { formatCipherSuite } from "../../packet/app/tls_cipher_suites.ts";
import type { TlsHello } from "../../packet/app/tls_hello.ts";
import type { Line } from "../line.ts";

const TLS_1_2 = 0x0303;

/**
 * Prints the hello messages and alerts that begin in a segment.
 *
 * @param line Before it.
 * @param at Where the segment's payload begins.
 * @param length Bytes of it.
 * @returns false when there are none.
 */
export function printTls(line: Line, at: number, length: number): boolean {
  const end = Math.min(line.end, at + length);
  const texts = decodeTlsRecords(line.bytes, at, end).flatMap(formatRecord);
  if (texts.length === 0) return false;
  line.subject = "tls";
  line.text += `: ${texts.join("; ")}`;
  return true;
}

function formatRecord({ hello, alert }: TlsRecord): string[] {
  if (hello !== undefined) return [formatHello(hello)];
  if (alert === undefined) return [];
  const level = alert.isFatal ? "fatal" : "warning";
  const name = formatTlsAlert(alert.description);
  return [`TLS alert ${level} ${name}`];
}

function formatHello(hello: TlsHello): string {
  // The best version stands in an extension that may have been cut off.
  const version = hello.isClient && hello.isCut && hello.version <= TLS_1_2
    ? "TLS"
    : formatTlsVersion(hello.version);
  const protocols = hello.protocols.length === 0
    ? ""
    : `, ALPN ${hello.protocols.join(",")}`;
  const cut = hello.isCut ? " [|tls]" : "";
  if (!hello.isClient) {
    const suite = hello.cipherSuites[0];
    const cipher = suite === undefined ? "" : `, ${formatCipherSuite(suite)}`;
    const name = hello.isRetry ? "hello retry request" : "server hello";
    return `${version} ${name}${cipher}${protocols}${cut}`;
  }
  const name = hello.serverName === undefined
    ? ""
    : `, SNI ${hello.serverName}`;
  return `${version} client hello${name}${protocols}${cut}`;
}
