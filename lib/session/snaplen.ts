/**
 * How much of a packet is looked at, kept, and announced in the file.
 *
 * @module
 */
import { MAXIMUM_SNAPLEN } from "../pcap/format.ts";
import { SLL_HEADER_LENGTH } from "../pcap/sll.ts";
import { COOKED_ROOM } from "./cooked_packet.ts";

/**
 * Bytes of a packet that are needed to tell whose it is and to read names in
 * DNS answers, whatever is kept of it.
 */
const LOOK_AT = 512;

/** Bytes that the kernel shall hand over where `snaplen` bytes are kept. */
export function kernelSnaplen(snaplen: number): number {
  return snaplen === 0 ? 0 : Math.max(snaplen, LOOK_AT);
}

/** Bytes of a record's data that a file's snaplen field must allow. */
export function fileSnaplen(snaplen: number): number {
  const most = MAXIMUM_SNAPLEN;
  return snaplen === 0 ? most : Math.min(most, snaplen + SLL_HEADER_LENGTH);
}

/** Bytes that are kept of an IP packet at most. */
export function mostKept(snaplen: number): number {
  const most = MAXIMUM_SNAPLEN - COOKED_ROOM;
  return snaplen === 0 ? most : Math.min(most, snaplen);
}
