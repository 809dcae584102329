/**
 * What became of fragmented packets: the first fragment has the ports and
 * speaks for the later ones, which have none.
 *
 * @module
 */
import type { FlowFields } from "../packet/flow_fields.ts";

/** {@linkcode FragmentVerdicts.recall}: the first fragment was not seen. */
export const UNSEEN = -4;

/** Packets that share a place in memory, of which the last few are kept. */
const WAYS = 4;
const SETS = 1 << 10;

/**
 * How long a first fragment speaks for later ones, seconds. Identifications
 * repeat after 65,536 packets (RFC 791), which a fast sender has sent soon.
 */
const LIFETIME = 2;

/*
 * A verdict, in words: 0 identification, 1 kind, 2 verdict, 3 seconds,
 * 4-7 source, 8-11 destination.
 */
const WORDS = 12;
const ID = 0;
const KIND = 1;
const VERDICT = 2;
const SECONDS = 3;
const SOURCE = 4;
const DESTINATION = 8;

/** Verdicts about the fragmented packets of late. */
export class FragmentVerdicts {
  readonly #words = new Int32Array(SETS * WAYS * WORDS);
  /** Which of a set's places is written next. */
  readonly #next = new Uint8Array(SETS);

  /**
   * Notes the verdict about a first fragment.
   *
   * @param sent which of the two sides the verdict is about
   * @param seconds time stamp of the packet
   */
  remember(
    fields: FlowFields,
    sent: boolean,
    seconds: number,
    verdict: number,
  ): void {
    const kind = kindOf(fields, sent);
    const set = setOf(fields, kind);
    let at = this.#find(fields, kind, set);
    if (at < 0) {
      at = (set * WAYS + this.#next[set]!) * WORDS;
      this.#next[set] = (this.#next[set]! + 1) % WAYS;
    }
    const words = this.#words;
    words[at + ID] = fields.fragmentId;
    words[at + KIND] = kind;
    words[at + VERDICT] = verdict;
    words[at + SECONDS] = seconds;
    for (let i = 0; i < 4; i++) {
      words[at + SOURCE + i] = fields.source[i]!;
      words[at + DESTINATION + i] = fields.destination[i]!;
    }
  }

  /** The verdict about a later fragment, or {@linkcode UNSEEN}. */
  recall(fields: FlowFields, sent: boolean, seconds: number): number {
    const kind = kindOf(fields, sent);
    const at = this.#find(fields, kind, setOf(fields, kind));
    if (at < 0 || seconds - this.#words[at + SECONDS]! > LIFETIME) {
      return UNSEEN;
    }
    return this.#words[at + VERDICT]!;
  }

  #find(fields: FlowFields, kind: number, set: number): number {
    const words = this.#words;
    for (let way = 0; way < WAYS; way++) {
      const at = (set * WAYS + way) * WORDS;
      if (
        words[at + ID] === fields.fragmentId && words[at + KIND] === kind &&
        sameWords(words, at + SOURCE, fields.source) &&
        sameWords(words, at + DESTINATION, fields.destination)
      ) {
        return at;
      }
    }
    return -1;
  }
}

/**
 * A number that all fragments of a packet have in common, and hardly any
 * others.
 */
export function fragmentKey(fields: FlowFields): number {
  let key = fields.fragmentId ^ kindOf(fields, false);
  for (let i = 0; i < 4; i++) {
    key = Math.imul(key ^ fields.source[i]!, 0x85eb_ca6b);
    key = Math.imul(key ^ key >>> 15 ^ fields.destination[i]!, 0xc2b2_ae35);
  }
  return key;
}

/**
 * A number that the packets of a connection have in common, in both
 * directions, and hardly any others.
 */
export function connectionKey(fields: FlowFields): number {
  return endKey(fields.source, fields.sourcePort) +
      endKey(fields.destination, fields.destinationPort) | 0;
}

function endKey(address: Int32Array, port: number): number {
  let key = port;
  for (let i = 0; i < 4; i++) {
    key = Math.imul(key ^ key >>> 15 ^ address[i]!, 0x85eb_ca6b);
  }
  return key;
}

/** Bit of a kind that tells a verdict from unused memory. */
const USED = 0x1000;

/**
 * Protocol and side of a fragmented packet. IPv6 fragments do not agree on
 * the protocol where extension headers follow the fragment header.
 */
function kindOf({ version, protocol }: FlowFields, sent: boolean): number {
  return USED | (version === 4 ? protocol << 1 : 0) | (sent ? 1 : 0);
}

function setOf(fields: FlowFields, kind: number): number {
  const hash = Math.imul(fields.fragmentId, 0x9e37_79b1) ^
    Math.imul(fields.source[3]! ^ kind, 0x85eb_ca6b) ^
    Math.imul(fields.destination[3]!, 0xc2b2_ae35);
  return (hash ^ hash >>> 15) & (SETS - 1);
}

/** Whether four words, from `at` on, are an address. */
export function sameWords(
  words: Int32Array,
  at: number,
  address: Int32Array,
): boolean {
  return words[at + 3] === address[3] && words[at] === address[0] &&
    words[at + 1] === address[1] && words[at + 2] === address[2];
}
