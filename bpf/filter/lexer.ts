/**
 * Words, numbers, addresses and signs of a filter expression.
 *
 * As in pcap-filter(7) the longest reading wins: `80-90` is one word, and
 * `tcp-syn` is a number.
 *
 * @module
 */
import { parseIpv6, parseMac } from "./addresses.ts";
import { FilterSyntaxError } from "./errors.ts";
import { FOREIGN_WORDS, NAMED_NUMBERS, OTHER_WORDS } from "./keywords.ts";
import { protocolOf } from "./keywords.ts";

/** What a token is. */
export type TokenKind =
  | "sign"
  | "protocol"
  | "keyword"
  | "foreign"
  | "word"
  | "number"
  | "ipv4"
  | "ipv6"
  | "mac"
  | "string"
  | "end";

/** One token of an expression. */
export interface Token {
  /** What it is. */
  readonly kind: TokenKind;
  /** Usual spelling: `and` for `&&`, `ether` for `link`, a name without `\`. */
  readonly text: string;
  /** As it was written. */
  readonly raw: string;
  /** Value of a number, else 0. */
  readonly value: number;
  /** Index of its first character. */
  readonly offset: number;
}

const SPACE_REGEXP = /[ \t\r\n]+/y;
const WORD_REGEXP = /[A-Za-z0-9](?:[-_.A-Za-z0-9]*[.A-Za-z0-9])?/y;
const COLONS_REGEXP =
  /[0-9A-Fa-f]*:(?:[0-9A-Fa-f:]*(?<=:)\d+(?:\.\d+){3}|[0-9A-Fa-f:]*)/y;
const ESCAPED_REGEXP = /\\([^ !()\n\t]+)/y;
const STRING_REGEXP = /"([^"\n]*)"/y;
const SIGN_REGEXP = /&&|\|\||>=|<=|!=|==|<<|>>|[-+*/%:[\]!<>()&|^=]/y;
const IPV4_REGEXP = /^\d+(?:\.\d+){1,3}$/;
const NUMBER_REGEXP = /^(?:\d+|0[xX][0-9A-Fa-f]+)$/;
/** Digits of an Ethernet address with a wrong count of numbers. */
const BOGUS_MAC_REGEXP = /^[0-9A-Fa-f]{1,2}(?::+[0-9A-Fa-f]{1,2}){2,}:*$/;

/** Signs with more than one spelling. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ["&&", "and"],
  ["||", "or"],
  ["==", "="],
  ["and", "and"],
  ["or", "or"],
  ["not", "!"],
]);

/**
 * Splits an expression into tokens; the last one has kind `end`.
 *
 * @throws {FilterSyntaxError} at the first character that starts no token.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  while (true) {
    offset += match(SPACE_REGEXP, text, offset)?.[0].length ?? 0;
    if (offset >= text.length) break;
    const token = readToken(text, offset);
    tokens.push(token);
    offset += token.raw.length;
  }
  tokens.push({ kind: "end", text: "", raw: "", value: 0, offset });
  return tokens;
}

function match(
  regexp: RegExp,
  text: string,
  offset: number,
): RegExpExecArray | null {
  regexp.lastIndex = offset;
  return regexp.exec(text);
}

function readToken(text: string, offset: number): Token {
  const colons = match(COLONS_REGEXP, text, offset)?.[0];
  const word = match(WORD_REGEXP, text, offset)?.[0];
  if (colons !== undefined && colons.length > (word?.length ?? 0)) {
    const token = readColons(text, colons, offset);
    if (token !== undefined) return token;
  }
  if (word !== undefined) return readWord(text, word, offset);
  const sign = match(SIGN_REGEXP, text, offset)?.[0];
  if (sign !== undefined) {
    const spelling = SPELLINGS.get(sign) ?? sign;
    return make("sign", spelling, sign, offset);
  }
  const escaped = match(ESCAPED_REGEXP, text, offset);
  if (escaped !== null) {
    return make("word", escaped[1]!, escaped[0], offset);
  }
  const quoted = match(STRING_REGEXP, text, offset);
  if (quoted !== null) return make("string", quoted[1]!, quoted[0], offset);
  throw new FilterSyntaxError(
    text,
    offset,
    `unknown character ${JSON.stringify(text[offset])}`,
    "a word, a number or a sign",
  );
}

/** Reads an address with colons; none when the colon is a sign: `[0:4]`. */
function readColons(
  text: string,
  run: string,
  offset: number,
): Token | undefined {
  if (parseMac(run) !== undefined) return make("mac", run, run, offset);
  if (parseIpv6(run) !== undefined) return make("ipv6", run, run, offset);
  if (BOGUS_MAC_REGEXP.test(run) || run.includes("::")) {
    throw new FilterSyntaxError(
      text,
      offset,
      `"${run}" is no address`,
      "an IPv6 address or six numbers of an Ethernet address",
    );
  }
  return undefined;
}

function readWord(text: string, word: string, offset: number): Token {
  const spelling = SPELLINGS.get(word);
  if (spelling !== undefined) return make("sign", spelling, word, offset);
  const protocol = protocolOf(word);
  if (protocol !== undefined) return make("protocol", protocol, word, offset);
  const keyword = OTHER_WORDS.get(word);
  if (keyword !== undefined) return make("keyword", keyword, word, offset);
  if (FOREIGN_WORDS.has(word)) return make("foreign", word, word, offset);
  if (parseMac(word) !== undefined) return make("mac", word, word, offset);
  if (NUMBER_REGEXP.test(word)) {
    return make("number", word, word, offset, readNumber(text, word, offset));
  }
  if (IPV4_REGEXP.test(word)) return make("ipv4", word, word, offset);
  const value = NAMED_NUMBERS.get(word);
  return value === undefined
    ? make("word", word, word, offset)
    : make("number", word, word, offset, value);
}

/** Reads a decimal, octal (`017`) or hexadecimal (`0x1f`) number. */
function readNumber(text: string, digits: string, offset: number): number {
  const isOctal = /^0\d/.test(digits);
  if (isOctal && /[89]/.test(digits)) {
    throw new FilterSyntaxError(
      text,
      offset,
      `"${digits}" starts with 0 but has digits above 7`,
      "an octal number",
    );
  }
  const value = isOctal ? parseInt(digits, 8) : Number(digits);
  if (value > 0xffffffff) {
    throw new FilterSyntaxError(
      text,
      offset,
      `number ${digits} is too large`,
      "at most 4294967295",
    );
  }
  return value;
}

function make(
  kind: TokenKind,
  text: string,
  raw: string,
  offset: number,
  value = 0,
): Token {
  return { kind, text, raw, value, offset };
}
