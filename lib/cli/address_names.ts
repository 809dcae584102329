/**
 * Names of hosts that a pcapng file tells in its name resolution blocks.
 *
 * @module
 */

import { formatAddress } from "../packet/address.ts";
import type { CaptureBlock } from "../pcap/capture_stream.ts";
import { decodeNameResolution } from "../pcap/pcapng/blocks.ts";
import { BlockType } from "../pcap/pcapng/format.ts";

/** So many names are kept, so that memory stays bounded. */
const MOST_NAMES = 65_536;

/** Gathers names as their blocks come. */
export class AddressNames {
  readonly #names = new Map<string, string>();

  /** Takes the names that a block tells, if it does. */
  learn(block: CaptureBlock): void {
    if (block.type !== BlockType.NAME_RESOLUTION) return;
    for (const { address, names: [name] } of decodeNameResolution(block)) {
      if (name === undefined || this.#names.size >= MOST_NAMES) continue;
      this.#names.set(formatAddress(address), name);
    }
  }

  /** The name of an address, if it was told. */
  nameOf(address: string): string | undefined {
    return this.#names.get(address);
  }
}
