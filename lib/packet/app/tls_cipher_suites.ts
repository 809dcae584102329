/**
 * Names of TLS cipher suites, those that servers of today choose.
 *
 * Reference: IANA TLS Cipher Suites; RFC 8446 appendix B.4, RFC 5289, RFC 7905.
 *
 * @module
 */

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x1301, "TLS_AES_128_GCM_SHA256"],
  [0x1302, "TLS_AES_256_GCM_SHA384"],
  [0x1303, "TLS_CHACHA20_POLY1305_SHA256"],
  [0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],
  [0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
  [0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
  [0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
  [0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"],
  [0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"],
  [0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"],
  [0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"],
]);

/**
 * Name of a cipher suite.
 *
 * @param suite Its number.
 * @returns For example `TLS_AES_128_GCM_SHA256`, or `0x00ff`.
 */
export function formatCipherSuite(suite: number): string {
  return NAMES.get(suite) ?? `0x${suite.toString(16).padStart(4, "0")}`;
}
