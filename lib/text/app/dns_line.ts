/**
 * DNS: `48879+ A? www.example.com. (33)` and
 * `48879 3/0/0 CNAME cdn.example.net., A 198.51.100.7 (94)`.
 *
 * Reference: what tcpdump prints; the format is described in
 * `lib/packet/app/dns.ts`.
 *
 * @module
 */

import { readUint16 } from "../../bytes/integers.ts";
import {
  decodeDnsMessage,
  type DnsMessage,
  type DnsQuestion,
  type DnsResult,
} from "../../packet/app/dns.ts";
import {
  DnsClass,
  DnsOpcode,
  DnsType,
  formatDnsType,
} from "../../packet/app/dns_constants.ts";
import type { DnsRecord } from "../../packet/app/dns_records.ts";
import { formatDuration } from "../duration.ts";
import type { Line } from "../line.ts";
import { formatDnsData, formatDnsName } from "./dns_data_text.ts";

const HEADER_LENGTH = 12;
const FLAGS = 2;
const TCP_PREFIX_LENGTH = 2;
/** High bit of a class in multicast DNS: unicast answer wanted, cache flush. */
const MULTICAST_BIT = 0x8000;
/** Bits that a query should not set. */
const ODD_QUERY_BITS = 0x06cf;
const FIRST_NAMED_TYPE = "TYPE";

const OPERATIONS: readonly string[] = [
  "",
  " inv_q",
  " stat",
  " op3",
  " notify",
  " update",
  " op6",
  " op7",
  " op8",
  " updateA",
  " updateD",
  " updateDA",
  " updateM",
  " updateMA",
  " zoneInit",
  " zoneRef",
];
const RESPONSES: readonly string[] = [
  "",
  " FormErr",
  " ServFail",
  " NXDomain",
  " NotImp",
  " Refused",
  " YXDomain",
  " YXRRSet",
  " NXRRSet",
  " NotAuth",
  " NotZone",
  " Resp11",
  " Resp12",
  " Resp13",
  " Resp14",
  " NoChange",
  " BadVers",
];
const BAD_COOKIE = 23;
const CLASSES: ReadonlyMap<number, string> = new Map<number, string>([
  [DnsClass.IN, "IN"],
  [DnsClass.CH, "CHAOS"],
  [DnsClass.HS, "HS"],
  [DnsClass.ANY, "ANY"],
]);

/** How a message is printed. */
interface Manner {
  /** Classes have the bits of multicast DNS. */
  readonly isMulticast: boolean;
  readonly verbosity: number;
}

/**
 * Prints a message over UDP.
 *
 * @param line Before it.
 * @param at Where it begins.
 * @param length Bytes of it.
 * @param isMulticast Whether it is multicast DNS.
 */
export function printDns(
  line: Line,
  at: number,
  length: number,
  isMulticast: boolean,
): void {
  line.protocol = "domain";
  line.subject = "dns";
  if (length < HEADER_LENGTH) {
    line.text += `domain [length ${length} < ${HEADER_LENGTH}] (invalid)`;
    return;
  }
  const result = decodeDnsMessage(
    line.bytes,
    at,
    Math.min(line.end, at + length),
  );
  if (result === undefined) return line.cut();
  const manner = { isMulticast, verbosity: line.style.verbosity };
  line.text += result.message.isResponse
    ? formatResponse(result.message, manner)
    : formatQuery(result.message, readUint16(line.bytes, at + FLAGS), manner);
  if (isCut(result, manner.verbosity)) line.cut();
  else line.text += ` (${length})`;
}

/**
 * Prints a message over TCP.
 *
 * @param line Before it.
 * @param at Where the segment's payload begins.
 * @param length Bytes of it.
 */
export function printDnsSegment(
  line: Line,
  at: number,
  length: number,
): void {
  line.protocol = "domain";
  const rest = length - TCP_PREFIX_LENGTH;
  if (rest < 0) {
    line.text += ` [DNS over TCP: length ${length} < 2] (invalid)`;
    return;
  }
  const stated = line.u16(at);
  if (stated !== rest) {
    line.text += ` [prefix length(${stated}) != length(${rest})] (invalid)`;
    return;
  }
  line.text += " ";
  printDns(line, at + TCP_PREFIX_LENGTH, rest, false);
}

/** Whether something that would be printed is missing. */
function isCut({ message }: DnsResult, verbosity: number): boolean {
  const { counts } = message;
  return message.questions.length < counts.questions ||
    message.answers.length < counts.answers ||
    verbosity > 1 &&
      (message.authorities.length < counts.authorities ||
        message.additionals.length < counts.additionals);
}

function formatResponse(message: DnsMessage, manner: Manner): string {
  const { counts, questions } = message;
  let text = String(message.id) + OPERATIONS[message.opcode]! +
    formatResponseCode(message) + (message.authoritative ? "*" : "") +
    (message.recursionAvailable ? "" : "-") +
    (message.isShortened ? "|" : "") + (message.authenticData ? "$" : "");
  if (counts.questions !== 1) text += ` [${counts.questions}q]`;
  if (manner.verbosity > 1) {
    text += questions.map((question) =>
      ` q:${formatQuestion(question, manner)}`
    )
      .join(",");
  } else if (questions.length > 1) text += ",".repeat(questions.length - 1);
  if (questions.length < counts.questions) return text;
  text += ` ${counts.answers}/${counts.authorities}/${counts.additionals}`;
  text += formatRecords(message.answers, manner);
  if (manner.verbosity > 1) text += formatLastSections(message, manner);
  return text;
}

function formatQuery(
  message: DnsMessage,
  flags: number,
  manner: Manner,
): string {
  const { counts } = message;
  let text = String(message.id) + OPERATIONS[message.opcode]! +
    (message.recursionDesired ? "+" : "") +
    (message.checkingDisabled ? "%" : "");
  if ((flags & ODD_QUERY_BITS) !== 0) {
    text += ` [b2&3=0x${flags.toString(16)}]`;
  }
  const isInverse = message.opcode === DnsOpcode.IQUERY;
  const questions = counts.questions === (isInverse ? 0 : 1)
    ? ""
    : ` [${counts.questions}q]`;
  const answers = counts.answers === (isInverse ? 1 : 0)
    ? ""
    : ` [${counts.answers}a]`;
  text += isInverse ? questions + answers : answers + questions;
  if (counts.authorities > 0) text += ` [${counts.authorities}n]`;
  if (counts.additionals > 0) text += ` [${counts.additionals}au]`;
  for (const question of message.questions) {
    text += formatQuestion(question, manner);
  }
  if (manner.verbosity > 1) {
    text += formatRecords(message.answers, manner);
    text += formatLastSections(message, manner);
  }
  return text;
}

function formatLastSections(message: DnsMessage, manner: Manner): string {
  const { authorities, additionals } = message;
  return (authorities.length > 0
    ? ` ns:${formatRecords(authorities, manner)}`
    : "") +
    (additionals.length > 0 ? ` ar:${formatRecords(additionals, manner)}` : "");
}

function formatRecords(records: readonly DnsRecord[], manner: Manner): string {
  return records.map((record) => formatRecord(record, manner)).join(",");
}

/** The code with the bits of the OPT record. */
function formatResponseCode({ responseCode, additionals }: DnsMessage): string {
  let code = responseCode;
  for (const { data } of additionals) {
    if (data.kind === "opt") code |= data.extendedCode << 4;
  }
  if (code === BAD_COOKIE) return " BadCookie";
  return RESPONSES[code] ?? ` Resp${code}`;
}

function formatQuestion(question: DnsQuestion, manner: Manner): string {
  let text = ` ${formatType(question.type)}`;
  text += formatClass(question.class, manner);
  if (manner.isMulticast) {
    text += (question.class & MULTICAST_BIT) === 0 ? " (QM)" : " (QU)";
  }
  return `${text}? ${formatDnsName(question.name)}`;
}

function formatRecord(record: DnsRecord, manner: Manner): string {
  let text = manner.verbosity > 0 ? ` ${formatDnsName(record.name)}` : "";
  if (record.type === DnsType.OPT) {
    return `${text} OPT${formatDnsData(record, manner.verbosity)}`;
  }
  text += formatClass(record.class, manner);
  if (manner.isMulticast && (record.class & MULTICAST_BIT) !== 0) {
    text += " (Cache flush)";
  }
  if (manner.verbosity > 2) text += ` [${formatDuration(record.ttl)}]`;
  text += ` ${formatType(record.type)}`;
  return text + formatDnsData(record, manner.verbosity);
}

/** Name of a class unless it is the usual one. */
function formatClass(value: number, { isMulticast }: Manner): string {
  const plain = isMulticast ? value & ~MULTICAST_BIT : value;
  return plain === DnsClass.IN
    ? ""
    : ` ${CLASSES.get(plain) ?? `(Class ${plain})`}`;
}

function formatType(type: number): string {
  const name = formatDnsType(type);
  return name.startsWith(FIRST_NAMED_TYPE) ? `Type${type}` : name;
}
