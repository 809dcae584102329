/**
 * The pcapng format of live captures: Linux cooked packets by interface, each
 * with its direction and its process.
 *
 * @module
 */
import { interfaceName } from "../../ffi/packet.ts";
import { joinBytes } from "../bytes/join.ts";
import type { PacketRing } from "../capture/packet_ring.ts";
import { parseAddress } from "../packet/address.ts";
import { LinkType } from "../pcap/format.ts";
import {
  encodeDecryptionSecrets,
  encodeInterface,
  encodeInterfaceStatistics,
  encodeNameResolution,
  encodeProcessBlock,
  encodeProcessEvent,
  encodeSectionHeader,
} from "../pcap/pcapng/encode.ts";
import type { ResolvedName, SectionHeader } from "../pcap/pcapng/blocks.ts";
import { PacketFlag, SecretsType } from "../pcap/pcapng/format.ts";
import {
  completeBlocksLength,
  encodeComment,
  NO_EVENT,
  PACKET_HEAD_LENGTH,
  PACKET_TAIL_LENGTH,
  writePacketHead,
  writePacketTail,
} from "../pcap/pcapng/packet_writer.ts";
import { formatProcessComment } from "../pcap/pcapng/process_comment.ts";
import type { Owner, OwnerTable } from "../trace/owner_table.ts";
import { cookedLength } from "./cooked_packet.ts";
import type { CaptureStatistics, FileFormat } from "./file_format.ts";
import { fileSnaplen } from "./snaplen.ts";
import type { CommentChoice } from "./types.ts";

/** What a file says beside its packets; plain data. */
export interface PcapngSetup {
  /** Machine, program and capture. */
  readonly section: SectionHeader;
  /** Bytes kept of each IP packet, 0 for all. */
  readonly snaplen: number;
  /** The user's filter. */
  readonly filter: string | undefined;
  /** `first`: the first packet of each connection. */
  readonly comments: CommentChoice;
  /** Also Wireshark's own process blocks. */
  readonly processBlocks: boolean;
}

/** Bytes kept of a command line in a comment. */
const MOST_ARGS = 1024;

/** Stands for an owner that is not known. */
const NOBODY: Owner = { pid: 0, tid: 0, comm: "", args: [] };

/** An interface of the present file. */
interface Interface {
  readonly id: number;
  /** Nanoseconds since 1970 of its first packet. */
  readonly startTime: bigint;
  packets: number;
}

/** The interface of the current packet: indexes are those of a namespace. */
function interfaceKey({ socket, interfaceIndex }: PacketRing): number {
  return socket * 2 ** 32 + interfaceIndex;
}

/** An owner as packets tell of it. */
interface Process {
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly args: readonly string[];
  /** A comment about it, as an option. */
  readonly comment: Uint8Array;
  /** Number of its process event in the present file. */
  event: number;
}

/** See {@linkcode FileFormat}. */
export class PcapngFormat implements FileFormat {
  readonly headLength = PACKET_HEAD_LENGTH;
  readonly hasSecrets: boolean;
  readonly #setup: PcapngSetup;
  readonly #owners: Pick<OwnerTable, "get">;
  readonly #newSecrets: (() => Uint8Array | undefined) | undefined;
  /** All secrets until now: each file has to have them. */
  #secrets: Uint8Array[] = [];
  /** See `interfaceKey`. */
  readonly #interfaces = new Map<number, Interface>();
  /** By owner number. */
  readonly #processes = new Map<number, Process>();
  /** Number of the process event by process: threads have the same. */
  readonly #events = new Map<string, number>();

  /** @param newSecrets lines of `SSLKEYLOGFILE` since the last time */
  constructor(
    setup: PcapngSetup,
    owners: Pick<OwnerTable, "get">,
    newSecrets?: () => Uint8Array | undefined,
  ) {
    this.hasSecrets = newSecrets !== undefined;
    this.#setup = setup;
    this.#owners = owners;
    this.#newSecrets = newSecrets;
  }

  tailLength(owner: number): number {
    return PACKET_TAIL_LENGTH + this.#processOf(owner).comment.length;
  }

  begin(): Uint8Array {
    this.#interfaces.clear();
    this.#events.clear();
    for (const process of this.#processes.values()) process.event = NO_EVENT;
    return joinBytes([
      encodeSectionHeader(this.#setup.section),
      ...this.#secrets.map(encodeSecrets),
    ]);
  }

  before(ring: PacketRing, owner: number): Uint8Array | undefined {
    const isKnown = this.#interfaces.has(interfaceKey(ring));
    const process = this.#processOf(owner);
    const isTold = process.event !== NO_EVENT || process.pid === 0;
    if (isKnown && isTold) return undefined;
    const blocks: Uint8Array[] = [];
    if (!isKnown) blocks.push(this.#addInterface(ring));
    if (!isTold) blocks.push(...this.#addProcess(process));
    return joinBytes(blocks);
  }

  secrets(): Uint8Array | undefined {
    const secrets = this.#newSecrets?.();
    if (secrets === undefined) return undefined;
    this.#secrets.push(secrets);
    return encodeSecrets(secrets);
  }

  record(
    ring: PacketRing,
    start: number,
    end: number,
    owner: number,
    sent: boolean,
    first: boolean,
  ): number {
    const { view } = ring;
    const seen = this.#interfaces.get(interfaceKey(ring))!;
    const process = this.#processOf(owner);
    seen.packets++;
    const length = end - start;
    const at = start - PACKET_HEAD_LENGTH;
    writePacketHead(
      view,
      at,
      seen.id,
      ring.seconds,
      ring.nanoseconds,
      length,
      cookedLength(ring),
    );
    const { comments } = this.#setup;
    return writePacketTail(
      view,
      at,
      length,
      sent ? PacketFlag.OUTBOUND : PacketFlag.INBOUND,
      process.pid,
      process.tid,
      process.event,
      comments === "all" || comments === "first" && first
        ? process.comment
        : undefined,
    );
  }

  end({ drops, names, time }: CaptureStatistics): Uint8Array {
    const blocks: Uint8Array[] = [];
    const resolved = resolvedNames(names);
    if (resolved.length > 0) blocks.push(encodeNameResolution(resolved));
    // One socket serves all interfaces, and so do the figures of the kernel.
    let systemDrops: bigint | undefined = BigInt(drops);
    for (const seen of this.#interfaces.values()) {
      const packets = BigInt(seen.packets);
      blocks.push(encodeInterfaceStatistics({
        interface: seen.id,
        time,
        startTime: seen.startTime,
        endTime: time,
        received: packets,
        interfaceDrops: 0n,
        filterAccepted: packets,
        ...systemDrops === undefined ? {} : { systemDrops },
        delivered: packets,
      }));
      systemDrops = undefined;
    }
    return joinBytes(blocks);
  }

  completeLength(bytes: Uint8Array): number {
    return completeBlocksLength(bytes);
  }

  #addInterface(ring: PacketRing): Uint8Array {
    const index = ring.interfaceIndex;
    const id = this.#interfaces.size;
    const startTime = timeOf(ring);
    this.#interfaces.set(interfaceKey(ring), { id, startTime, packets: 0 });
    return encodeInterface({
      linkType: LinkType.LINUX_SLL,
      snaplen: fileSnaplen(this.#setup.snaplen),
      name: interfaceName(ring.socket, index) ?? `if${index}`,
      filter: this.#setup.filter,
    });
  }

  #processOf(number: number): Process {
    const known = this.#processes.get(number);
    if (known !== undefined) return known;
    const owner = this.#owners.get(number) ?? NOBODY;
    const args = owner.args.join(" ").slice(0, MOST_ARGS);
    const comment = encodeComment(formatProcessComment({ ...owner, args }));
    const process = { ...owner, comment, event: NO_EVENT };
    this.#processes.set(number, process);
    return process;
  }

  /** Gives a process its event; threads have the same. */
  #addProcess(process: Process): Uint8Array[] {
    const { pid, comm, args } = process;
    const key = `${pid} ${comm}`;
    const known = this.#events.get(key);
    process.event = known ?? this.#events.size;
    if (known !== undefined) return [];
    this.#events.set(key, process.event);
    const blocks = [encodeProcessEvent({ pid, comm })];
    if (this.#setup.processBlocks) {
      blocks.push(encodeProcessBlock({ pid, comm, args }));
    }
    return blocks;
  }
}

function encodeSecrets(data: Uint8Array): Uint8Array {
  return encodeDecryptionSecrets({ type: SecretsType.TLS_KEY_LOG, data });
}

function timeOf({ seconds, nanoseconds }: PacketRing): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function resolvedNames(names: ReadonlyMap<string, string>): ResolvedName[] {
  const resolved: ResolvedName[] = [];
  for (const [text, name] of names) {
    const address = parseAddress(text);
    if (address !== undefined) resolved.push({ address, names: [name] });
  }
  return resolved;
}
