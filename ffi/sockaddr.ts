/**
 * struct sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)) as protocol-neutral
 * endpoints.
 *
 * @module
 */

/** AF_INET, bits/socket.h. */
export const AF_UNSPEC = 0;
/** AF_UNIX. */
export const AF_UNIX = 1;
/** AF_INET. */
export const AF_INET = 2;
/** AF_INET6. */
export const AF_INET6 = 10;

/** sizeof(struct sockaddr_in6), the largest address handled here. */
export const SOCKADDR_IN6_LENGTH = 28;
/** sizeof(struct sockaddr_in). */
const SOCKADDR_IN_LENGTH = 16;

/** An address and port; IPv4 addresses are kept v4-mapped (RFC 4291 2.5.5.2). */
export interface Endpoint {
  /** AF_INET or AF_INET6 as the socket said; AF_UNSPEC for none. */
  family: number;
  port: number;
  /** 16 bytes; IPv4 as ::ffff:a.b.c.d. */
  readonly address: Uint8Array<ArrayBuffer>;
}

/** An endpoint that says nothing: family AF_UNSPEC, port 0, `::`. */
export function emptyEndpoint(): Endpoint {
  return { family: AF_UNSPEC, port: 0, address: new Uint8Array(16) };
}

/**
 * Reads a socket address into `endpoint`.
 *
 * @returns false, with the endpoint emptied, when it is not an Internet
 * address or shorter than its family needs
 */
export function readSockaddr(
  bytes: Uint8Array,
  length: number,
  endpoint: Endpoint,
): boolean {
  endpoint.family = AF_UNSPEC;
  endpoint.port = 0;
  endpoint.address.fill(0);
  if (length < 2) return false;
  const family = bytes[0]! | bytes[1]! << 8; // host order, little-endian
  if (family === AF_INET && length >= SOCKADDR_IN_LENGTH) {
    // 0 sin_family, 2 sin_port, 4 sin_addr
    endpoint.address[10] = 0xff;
    endpoint.address[11] = 0xff;
    for (let i = 0; i < 4; i++) endpoint.address[12 + i] = bytes[4 + i]!;
  } else if (family === AF_INET6 && length >= 24) {
    // 0 sin6_family, 2 sin6_port, 4 sin6_flowinfo, 8 sin6_addr, 24 scope_id;
    // the kernel accepts addresses without the scope (SIN6_LEN_RFC2133).
    for (let i = 0; i < 16; i++) endpoint.address[i] = bytes[8 + i]!;
  } else {
    if (family === AF_INET || family === AF_INET6) return false;
    endpoint.family = family === AF_UNSPEC ? AF_UNSPEC : family;
    return false;
  }
  endpoint.family = family;
  endpoint.port = bytes[2]! << 8 | bytes[3]!;
  return true;
}

/** Whether an address is `0.0.0.0` or `::`. */
export function isAnyAddress(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  const tail =
    (address[12]! | address[13]! | address[14]! | address[15]!) === 0;
  return tail && (isMapped(address) || (address[10]! | address[11]!) === 0);
}

/** Whether an address is IPv4 in its v4-mapped form. */
export function isMapped(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}
