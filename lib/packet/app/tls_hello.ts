/**
 * The hello messages with which a TLS connection begins.
 *
 * Reference: RFC 8446 section 4.1, RFC 6066 section 3 (server name), RFC 7301
 * (ALPN), RFC 8701 (GREASE).
 *
 * ```
 * ClientHello                           ServerHello
 *  version (2), random (32)              version (2), random (32)
 *  session id, after its length (1)      session id, after its length (1)
 *  cipher suites, after their length (2) cipher suite (2)
 *  compressions, after their length (1)  compression (1)
 *  extensions, after their length (2)    extensions, after their length (2)
 *
 * Extension
 *  +----------+------------+------+
 *  | type (2) | length (2) | data |
 *  +----------+------------+------+
 * ```
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import { ByteReader, Truncated } from "../../bytes/reader.ts";

const RANDOM_LENGTH = 32;
/**
 * Random with which a ServerHello asks for another ClientHello: the SHA-256 of
 * "HelloRetryRequest" (RFC 8446 section 4.1.3).
 */
const RETRY_RANDOM: readonly number[] = [
  ...[0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11],
  ...[0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91],
  ...[0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e],
  ...[0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c],
];
const HOST_NAME = 0;
/** Values that mean nothing and keep servers tolerant: 0x0a0a to 0xfafa. */
const GREASE_MASK = 0x0f0f;
const GREASE_PATTERN = 0x0a0a;

/** Extensions that are decoded. */
const Extension = {
  SERVER_NAME: 0,
  ALPN: 16,
  SUPPORTED_VERSIONS: 43,
} as const;

/**
 * A ClientHello or ServerHello, as far as it is captured.
 * See {@linkcode decodePacket}.
 */
export interface TlsHello {
  /** Whether it is the client's. */
  readonly isClient: boolean;
  /** The server's asks the client for another one. */
  readonly isRetry: boolean;
  /** Best version that the client offers, or the one the server chose. */
  readonly version: number;
  /** Host that the client wants to reach (SNI). */
  readonly serverName: string | undefined;
  /** Application protocols that are offered, or the chosen one (ALPN). */
  readonly protocols: readonly string[];
  /** Cipher suites that are offered, or the chosen one. */
  readonly cipherSuites: readonly number[];
  /** It goes on in the next segment or was not captured wholly. */
  readonly isCut: boolean;
}

/**
 * Decodes a hello message.
 *
 * @param bytes Data.
 * @param start Offset of the message's body.
 * @param end Offset after its last byte that is there.
 * @param isClient Whether it is a ClientHello.
 */
export function decodeTlsHello(
  bytes: Uint8Array,
  start: number,
  end: number,
  isClient: boolean,
): TlsHello | undefined {
  const reader = new ByteReader(bytes, start, end);
  const hello = {
    isClient,
    isRetry: false,
    version: 0,
    serverName: undefined as string | undefined,
    protocols: [] as string[],
    cipherSuites: [] as number[],
    isCut: false,
  };
  try {
    hello.version = reader.u16();
    const random = reader.take(RANDOM_LENGTH);
    hello.isRetry = !isClient &&
      RETRY_RANDOM.every((byte, index) => byte === random[index]);
    reader.skip(reader.u8());
    if (isClient) {
      const suites = reader.take(reader.u16());
      hello.cipherSuites = numbers(suites).filter((suite) => !isGrease(suite));
      reader.skip(reader.u8());
    } else {
      hello.cipherSuites = [reader.u16()];
      reader.skip(1);
    }
    if (reader.remaining > 0) {
      reader.skip(2);
      while (reader.remaining > 0) readExtension(reader, hello);
    }
  } catch (error) {
    if (!(error instanceof Truncated)) throw error;
    if (hello.version === 0) return undefined;
    hello.isCut = true;
  }
  return hello;
}

/** What the extensions fill in. */
interface Unfinished {
  readonly isClient: boolean;
  version: number;
  serverName: string | undefined;
  protocols: string[];
}

function readExtension(reader: ByteReader, hello: Unfinished): void {
  const type = reader.u16();
  const data = reader.take(reader.u16());
  const inner = new ByteReader(data);
  try {
    switch (type) {
      case Extension.SERVER_NAME:
        // Servers answer with an empty one.
        if (!hello.isClient) return;
        inner.skip(2);
        if (inner.u8() === HOST_NAME) {
          hello.serverName = text(inner.take(inner.u16()));
        }
        return;
      case Extension.ALPN:
        inner.skip(2);
        while (inner.remaining > 0) {
          const protocol = inner.take(inner.u8());
          const isFiller = protocol.length === 2 &&
            isGrease(readUint16(protocol, 0));
          if (!isFiller) hello.protocols.push(text(protocol));
        }
        return;
      case Extension.SUPPORTED_VERSIONS: {
        const versions = hello.isClient
          ? numbers(inner.take(inner.u8())).filter((value) => !isGrease(value))
          : [inner.u16()];
        for (const version of versions) {
          hello.version = Math.max(hello.version, version);
        }
      }
    }
  } catch (error) {
    // An extension that contradicts its length says nothing.
    if (!(error instanceof Truncated)) throw error;
  }
}

function numbers(bytes: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    values.push(readUint16(bytes, at));
  }
  return values;
}

function isGrease(value: number): boolean {
  return (value & GREASE_MASK) === GREASE_PATTERN &&
    value >>> 8 === (value & 0xff);
}

/** Printable ASCII; anything else becomes a question mark. */
function text(bytes: Uint8Array): string {
  let result = "";
  for (const byte of bytes) {
    result += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?";
  }
  return result;
}
