/**
 * LINKTYPE_RAW, LINKTYPE_IPV4 and LINKTYPE_IPV6: IP packets without a link
 * header.
 *
 * Reference: the pages of the link-type registry; the version field is the
 * high half of the first byte (RFC 791 section 3.1, RFC 8200 section 3).
 *
 * @module
 */

import { type PacketCursor, Space } from "../cursor.ts";
import { EtherType } from "../ether_type.ts";

const VERSION_SHIFT = 4;
const KIND = "raw";

/**
 * Finds out which version of IP begins at the cursor. There is no header, so
 * there is no layer.
 *
 * @param cursor At the first byte of the packet.
 */
export function decodeRaw(cursor: PacketCursor): undefined {
  if (!cursor.has(KIND, 1)) return undefined;
  const version = cursor.bytes[cursor.offset]! >>> VERSION_SHIFT;
  if (version === 4) {
    cursor.advance(KIND, 0, Space.ETHER_TYPE, EtherType.IPV4);
  } else if (version === 6) {
    cursor.advance(KIND, 0, Space.ETHER_TYPE, EtherType.IPV6);
  } else {
    cursor.reject(KIND, cursor.offset, `IP version ${version} is unknown`);
  }
  return undefined;
}
