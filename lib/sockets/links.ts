/**
 * Network devices that stand on others, by way of rtnetlink(7): bridges, bonds,
 * VLANs. Pure: bytes in, values out.
 *
 * ```text
 *  0        1    2       4           8       12       16
 * +--------+----+-------+-----------+-------+--------+-----------
 * | family | 0  | type  | index     | flags | change | attributes
 * +--------+----+-------+-----------+-------+--------+-----------
 *
 *  0        2      4
 * +--------+------+------
 * | length | type | value                               attribute
 * +--------+------+------
 * ```
 *
 * Sources: linux/rtnetlink.h, linux/if_link.h.
 *
 * @module
 */
import {
  align,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_HDRLEN,
  splitNetlinkMessages,
  writeNetlinkHeader,
} from "./sock_diag.ts";

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const IFINFO_LENGTH = 16;
const IFINFO_INDEX = 4;
const ATTRIBUTE_HEADER = 4;
/** Bits of an attribute's type that are flags. */
const TYPE_MASK = 0x3fff;

const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VLAN_ID = 1;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;

/** A network device. */
export interface Link {
  readonly index: number;
  /** Such as `bridge`, `bond`, `vlan`, `veth`; empty for others. */
  readonly kind: string;
  /** The device that this one is a part of, such as a bridge; 0 for none. */
  readonly master: number;
  /** The device below this one, such as that of a VLAN; 0 for none. */
  readonly below: number;
  /** The VLAN's number; -1 for none. */
  readonly vlan: number;
}

/** Writes a request for all devices. */
export function encodeLinkRequest(sequence: number): Uint8Array<ArrayBuffer> {
  const attributeAt = NLMSG_HDRLEN + IFINFO_LENGTH;
  const bytes = new Uint8Array(attributeAt + ATTRIBUTE_HEADER + 4);
  const view = new DataView(bytes.buffer);
  writeNetlinkHeader(view, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  view.setUint16(attributeAt, ATTRIBUTE_HEADER + 4, true);
  view.setUint16(attributeAt + 2, IFLA_EXT_MASK, true);
  view.setUint32(attributeAt + 4, RTEXT_FILTER_SKIP_STATS, true);
  return bytes;
}

/** Reads the devices in a datagram of the answer. Never throws. */
export function decodeLinks(view: DataView): Link[] {
  const links: Link[] = [];
  for (const { type, start, end } of splitNetlinkMessages(view).messages) {
    if (type !== RTM_NEWLINK || end - start < IFINFO_LENGTH) continue;
    const index = view.getInt32(start + IFINFO_INDEX, true);
    let kind = "";
    let master = 0;
    let below = 0;
    let vlan = -1;
    for (const attribute of attributes(view, start + IFINFO_LENGTH, end)) {
      if (attribute.type === IFLA_MASTER) master = word(view, attribute);
      else if (attribute.type === IFLA_LINK) below = word(view, attribute);
      else if (attribute.type !== IFLA_LINKINFO) continue;
      for (const info of attributes(view, attribute.start, attribute.end)) {
        if (info.type === IFLA_INFO_KIND) kind = text(view, info);
        if (info.type !== IFLA_INFO_DATA || kind !== "vlan") continue;
        for (const data of attributes(view, info.start, info.end)) {
          if (data.type !== IFLA_VLAN_ID || data.end - data.start < 2) continue;
          vlan = view.getUint16(data.start, true);
        }
      }
    }
    links.push({ index, kind, master, below, vlan });
  }
  return links;
}

interface Attribute {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

function* attributes(
  view: DataView,
  start: number,
  limit: number,
): Generator<Attribute> {
  let at = start;
  while (at + ATTRIBUTE_HEADER <= limit) {
    const end = at + view.getUint16(at, true);
    if (end < at + ATTRIBUTE_HEADER || end > limit) return;
    const type = view.getUint16(at + 2, true) & TYPE_MASK;
    yield { type, start: at + ATTRIBUTE_HEADER, end };
    at = align(end);
  }
}

function word(view: DataView, { start, end }: Attribute): number {
  return end - start < 4 ? 0 : view.getUint32(start, true);
}

/** Text up to its NUL. */
function text(view: DataView, { start, end }: Attribute): string {
  let length = 0;
  while (start + length < end && view.getUint8(start + length) !== 0) length++;
  return new TextDecoder().decode(
    new Uint8Array(view.buffer, view.byteOffset + start, length),
  );
}

/** Devices whose parts show each packet, too: on its way out or in. */
const SHOWN_TWICE: ReadonlySet<string> = new Set([
  "bridge",
  "bond",
  "team",
  "openvswitch",
]);

/** What is known of the devices of one network namespace. */
export class StackedDevices {
  /** Devices that are part of one that shows their packets again. */
  readonly #parts = new Set<number>();
  /** Numbers of the VLANs by the device that is below them. */
  readonly #vlans = new Map<number, Set<number>>();

  /** Sorts devices by what stands on them. */
  constructor(links: readonly Link[]) {
    const kinds = new Map(links.map(({ index, kind }) => [index, kind]));
    for (const { index, kind, master, below, vlan } of links) {
      if (SHOWN_TWICE.has(kinds.get(master) ?? "")) this.#parts.add(index);
      if (kind !== "vlan") continue;
      const numbers = this.#vlans.get(below) ?? new Set();
      this.#vlans.set(below, numbers.add(vlan));
    }
  }

  /** Whether no packet is shown twice. */
  get isEmpty(): boolean {
    return this.#parts.size === 0 && this.#vlans.size === 0;
  }

  /**
   * Whether a packet that a device shows is shown by one above it, too.
   *
   * @param vlan number of the packet's VLAN tag; -1 for none
   */
  isShownAbove(index: number, vlan: number): boolean {
    return this.#parts.has(index) ||
      vlan >= 0 && (this.#vlans.get(index)?.has(vlan) ?? false);
  }
}
