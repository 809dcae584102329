/**
 * Decides for each packet, exactly, whether it is the program's: by the
 * protocol, both endpoints, the direction and the time.
 *
 * A sent packet is taken when it leaves (PACKET_OUTGOING), a received one when
 * it arrives. The loopback interface shows each packet both ways: what was
 * taken when it left is not taken again.
 *
 * @module
 */
import {
  type FlowFields,
  Fragment,
  PROTOCOL_TCP,
  TcpFlag,
} from "../packet/flow_fields.ts";
import { FragmentVerdicts, sameWords, UNSEEN } from "./fragments.ts";
import {
  Ending,
  NO_END,
  NO_SLOT,
  SlotFlag,
  SlotKind,
  SlotWord,
  SocketTable,
  wrappedAge,
  wrappedTime,
} from "./table.ts";

/** Answers of the matcher below the slot numbers. */
export const Match = {
  /** The packet is not the program's. */
  FOREIGN: -1,
  /** A call under way must be settled before that is known. */
  UNDECIDED: -2,
  /** The packet is the program's, and was taken when it left. */
  TAKEN: -3,
  /**
   * More has to be seen first: a fragment came before the first one, which has
   * the ports; or a connection begins at a port that other programs share, and
   * it is not known who will accept it.
   */
  EARLY: UNSEEN,
} as const;

const PACKET_OTHERHOST = 3;
const PACKET_OUTGOING = 4;

/** The reader of a socket table, for the packets of one network namespace. */
export class Matcher {
  readonly #table: SocketTable;
  readonly #words: Int32Array;
  readonly #fragments = new FragmentVerdicts();
  readonly #netns: number;
  /** Whether the last match was a packet that the program sent. */
  sent = false;
  /** The slot that the last match was decided by, for {@linkcode Match.TAKEN}. */
  taker = 0;
  /**
   * The slot of the other side, where the last match was about a packet that
   * the program sends to itself and that opens or ends a connection; else
   * below 0.
   */
  receiver = -1;
  /**
   * Whether later packets between the same ends are judged as the last one, as
   * long as the table stays as it is: no slot was passed over because of the
   * time, and none was found that has an end.
   */
  holds = true;

  /**
   * Opens a table for reading.
   *
   * @param netns the network namespace that the packets come from
   */
  constructor(memory: SharedArrayBuffer, netns = 0) {
    this.#table = new SocketTable(memory);
    this.#words = this.#table.words;
    this.#netns = netns;
  }

  /** The table that is read. */
  get table(): SocketTable {
    return this.#table;
  }

  /** Owner of a slot. */
  ownerOf(slot: number): number {
    return this.#words[this.#table.slotAt(slot) + SlotWord.OWNER]!;
  }

  /** Since when packets are those of a slot: seconds. */
  secondsOf(slot: number): number {
    return this.#words[this.#table.slotAt(slot) + SlotWord.FROM]!;
  }

  /** Since when packets are those of a slot: nanoseconds of that second. */
  nanosecondsOf(slot: number): number {
    return this.#words[this.#table.slotAt(slot) + SlotWord.FROM + 1]!;
  }

  /** Kind of a slot. */
  kindOf(slot: number): number {
    return this.#words[this.#table.slotAt(slot) + SlotWord.KIND]!;
  }

  /**
   * Looks a packet up.
   *
   * @param packetType sll_pkttype
   * @param loopback whether the interface shows each packet both ways
   * @returns a slot, or one of {@linkcode Match}
   */
  match(
    fields: FlowFields,
    packetType: number,
    loopback: boolean,
    seconds: number,
    nanoseconds: number,
  ): number {
    this.holds = true;
    this.receiver = -1;
    if (packetType === PACKET_OTHERHOST) return Match.FOREIGN;
    if (packetType === PACKET_OUTGOING) {
      this.sent = true;
      const slot = this.#lookUp(fields, true, seconds, nanoseconds);
      if (loopback && slot >= 0) this.#arrive(fields, seconds, nanoseconds);
      return slot;
    }
    this.sent = false;
    if (loopback) {
      const sender = this.#lookUp(fields, true, seconds, nanoseconds);
      if (sender >= 0) {
        this.taker = sender;
        return Match.TAKEN;
      }
      if (sender !== Match.FOREIGN) return sender;
    }
    return this.#lookUp(fields, false, seconds, nanoseconds);
  }

  /**
   * Looks an ICMP error up by the packet that it quotes: an error that arrives
   * quotes a packet that the program sent, one that leaves quotes a packet
   * that was sent to the program.
   */
  matchQuoted(
    fields: FlowFields,
    packetType: number,
    loopback: boolean,
    seconds: number,
    nanoseconds: number,
  ): number {
    if (packetType === PACKET_OTHERHOST) return Match.FOREIGN;
    this.sent = packetType === PACKET_OUTGOING;
    if (!this.sent && loopback) {
      const taken = this.#lookUp(fields, false, seconds, nanoseconds);
      if (taken >= 0) return Match.TAKEN;
    }
    return this.#lookUp(fields, !this.sent, seconds, nanoseconds);
  }

  #lookUp(
    fields: FlowFields,
    sent: boolean,
    seconds: number,
    nanoseconds: number,
  ): number {
    if (fields.fragment === Fragment.LATER) {
      return this.#fragments.recall(fields, sent, seconds);
    }
    let slot: number;
    let version: number;
    do {
      version = this.#table.version();
      slot = this.#searchSide(fields, sent, seconds, nanoseconds);
      // A call that was settled meanwhile may have shown neither of its faces.
    } while (slot === Match.FOREIGN && version !== this.#table.version());
    if (fields.fragment === Fragment.FIRST && slot !== Match.UNDECIDED) {
      this.#fragments.remember(fields, sent, seconds, slot);
    }
    return slot;
  }

  #searchSide(
    fields: FlowFields,
    sent: boolean,
    seconds: number,
    nanoseconds: number,
  ): number {
    return sent
      ? this.#search(
        fields,
        fields.source,
        fields.sourcePort,
        fields.destination,
        fields.destinationPort,
        true,
        seconds,
        nanoseconds,
      )
      : this.#search(
        fields,
        fields.destination,
        fields.destinationPort,
        fields.source,
        fields.sourcePort,
        false,
        seconds,
        nanoseconds,
      );
  }

  #search(
    fields: FlowFields,
    local: Int32Array,
    localPort: number,
    remote: Int32Array,
    remotePort: number,
    sent: boolean,
    seconds: number,
    nanoseconds: number,
  ): number {
    const { protocol } = fields;
    const words = this.#words;
    const netns = this.#netns;
    const table = this.#table;
    const ports = protocol << 16 | localPort;

    let slot = words[
      table.connectedHead(protocol, localPort, remotePort, remote[3]!)
    ]!;
    while (slot !== NO_SLOT) {
      const at = table.slotAt(slot);
      if (
        words[at + SlotWord.LOCAL] === ports &&
        (words[at + SlotWord.REMOTE]! & 0xffff) === remotePort &&
        words[at + SlotWord.KIND] === SlotKind.CONNECTED &&
        words[at + SlotWord.NETNS] === netns &&
        sameWords(words, at + SlotWord.REMOTE_ADDRESS, remote) &&
        this.#localMatches(at, local, fields.version)
      ) {
        if (!this.#inTime(at, seconds, nanoseconds)) this.holds = false;
        else if (
          protocol !== PROTOCOL_TCP ||
          this.#continues(at, fields, sent, seconds, nanoseconds)
        ) return slot;
      }
      slot = words[at + SlotWord.NEXT]!;
    }

    slot = words[table.localHead(protocol, localPort)]!;
    while (slot !== NO_SLOT) {
      const at = table.slotAt(slot);
      if (
        words[at + SlotWord.KIND] === SlotKind.LOCAL &&
        words[at + SlotWord.NETNS] === netns &&
        (sent || (words[at + SlotWord.REMOTE]! & SlotFlag.SENT_ONLY) === 0) &&
        this.#localMatches(at, local, fields.version)
      ) {
        if (!this.#inTime(at, seconds, nanoseconds)) {
          this.holds = false;
          slot = words[at + SlotWord.NEXT]!;
          continue;
        }
        const isShared = words[at + SlotWord.REMOTE]! & SlotFlag.SHARED;
        return isShared === 0 ? slot : Match.EARLY;
      }
      slot = words[at + SlotWord.NEXT]!;
    }

    if (!table.hasPending()) return Match.FOREIGN;
    slot = words[table.pendingRemoteHead(protocol, remotePort)]!;
    while (slot !== NO_SLOT) {
      const at = table.slotAt(slot);
      if (
        words[at + SlotWord.KIND] === SlotKind.PENDING_REMOTE &&
        words[at + SlotWord.NETNS] === netns &&
        sameWords(words, at + SlotWord.REMOTE_ADDRESS, remote) &&
        this.#inTime(at, seconds, nanoseconds)
      ) {
        return Match.UNDECIDED;
      }
      slot = words[at + SlotWord.NEXT]!;
    }

    slot = words[table.pendingLocalHead(protocol, localPort)]!;
    while (slot !== NO_SLOT) {
      const at = table.slotAt(slot);
      if (
        words[at + SlotWord.KIND] === SlotKind.PENDING_LOCAL &&
        words[at + SlotWord.NETNS] === netns &&
        this.#inTime(at, seconds, nanoseconds)
      ) {
        return Match.UNDECIDED;
      }
      slot = words[at + SlotWord.NEXT]!;
    }
    return Match.FOREIGN;
  }

  #localMatches(at: number, local: Int32Array, version: number): boolean {
    const flags = this.#words[at + SlotWord.REMOTE]!;
    if (version === 4 ? flags & SlotFlag.ANY_IPV4 : flags & SlotFlag.ANY_IPV6) {
      return true;
    }
    return sameWords(this.#words, at + SlotWord.LOCAL_ADDRESS, local);
  }

  #inTime(at: number, seconds: number, nanoseconds: number): boolean {
    const words = this.#words;
    const from = words[at + SlotWord.FROM]!;
    if (words[at + SlotWord.UNTIL] !== NO_END) this.holds = false;
    return (seconds > from ||
      seconds === from && nanoseconds >= words[at + SlotWord.FROM + 1]!) &&
      !isAfter(words, at + SlotWord.UNTIL, seconds, nanoseconds);
  }

  /**
   * Whether a segment belongs to the connection of a slot, which it does
   * unless it opens a new one between the same ends. New connections of the
   * program have slots of their own.
   */
  #continues(
    at: number,
    fields: FlowFields,
    sent: boolean,
    seconds: number,
    nanoseconds: number,
  ): boolean {
    const words = this.#words;
    const { tcpFlags } = fields;
    const ending = TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST;
    const ended = words[at + SlotWord.ENDING]!;
    if ((ended & Ending.REUSED) !== 0) return false;
    if ((tcpFlags & ending) === 0) return true;
    if ((tcpFlags & (TcpFlag.SYN | TcpFlag.ACK)) === TcpFlag.SYN) {
      const over = (ended & Ending.BOTH) === Ending.BOTH ||
        (ended & Ending.RESET) !== 0 ||
        isAfter(words, at + SlotWord.CLOSED, seconds, nanoseconds);
      if (over) {
        words[at + SlotWord.ENDING] = ended | Ending.REUSED;
        this.#table.changed();
        return false;
      }
    }
    if ((tcpFlags & TcpFlag.SYN) !== 0) {
      this.#timeHandshake(at, sent, wrappedTime(seconds, nanoseconds));
    }
    this.#noteEnd(at, tcpFlags, sent, seconds, nanoseconds);
    return true;
  }

  /**
   * Notes that a segment ends the connection of a slot, which it is known to
   * belong to.
   *
   * @param tcpFlags FIN, RST or both
   */
  noteEnd(
    slot: number,
    tcpFlags: number,
    sent: boolean,
    seconds: number,
    nanoseconds: number,
  ): void {
    const at = this.#table.slotAt(slot);
    if (this.#words[at + SlotWord.KIND] !== SlotKind.CONNECTED) return;
    this.#noteEnd(at, tcpFlags, sent, seconds, nanoseconds);
  }

  #noteEnd(
    at: number,
    tcpFlags: number,
    sent: boolean,
    seconds: number,
    nanoseconds: number,
  ): void {
    const words = this.#words;
    const ended = words[at + SlotWord.ENDING]!;
    if ((tcpFlags & TcpFlag.FIN) !== 0) {
      words[at + SlotWord.ENDING] = ended |
        (sent ? Ending.FIN_SENT : Ending.FIN_RECEIVED);
    }
    if ((tcpFlags & TcpFlag.RST) !== 0) {
      words[at + SlotWord.ENDING] = ended | Ending.RESET;
      if (sent) {
        const now = wrappedTime(seconds, nanoseconds);
        words[at + SlotWord.RESET_SENT] = now;
      }
    }
  }

  /**
   * What the program sent on the loopback interface may be to itself: it is
   * taken when it leaves, but it opens and ends both sides of a connection.
   */
  #arrive(fields: FlowFields, seconds: number, nanoseconds: number): void {
    const matters = TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST;
    if (
      fields.protocol === PROTOCOL_TCP && fields.fragment !== Fragment.LATER &&
      (fields.tcpFlags & matters) !== 0
    ) this.receiver = this.#searchSide(fields, false, seconds, nanoseconds);
  }

  /** Measures how long the answer to the program's SYN takes. */
  #timeHandshake(at: number, sent: boolean, now: number): void {
    const words = this.#words;
    const asked = words[at + SlotWord.SYN_SENT]!;
    if (sent && asked === 0) words[at + SlotWord.SYN_SENT] = now;
    if (!sent && asked !== 0 && words[at + SlotWord.ROUND_TRIP] === 0) {
      words[at + SlotWord.ROUND_TRIP] = Math.max(1, wrappedAge(asked, now));
    }
  }
}

/** Whether a moment is later than the one in two words of a slot. */
function isAfter(
  words: Int32Array,
  at: number,
  seconds: number,
  nanoseconds: number,
): boolean {
  const limit = words[at]!;
  return seconds > limit ||
    seconds === limit && nanoseconds > words[at + 1]!;
}
