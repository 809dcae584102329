/**
 * A command line cut into words, as a shell does it without expanding anything.
 *
 * Reference: POSIX.1-2024, Shell Command Language, 2.2 Quoting.
 *
 * @module
 */

/** Characters that keep their backslash between double quotes. */
const ESCAPABLE_IN_QUOTES = '$`"\\\n';

/**
 * Cuts a command line at its blanks. Quotes and backslashes keep blanks in a
 * word; no other character is special.
 *
 * @param text For example `grep -e 'two words' "a file"`.
 * @returns `undefined` when a quote is not closed.
 */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote === "'") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === "\\") {
      const next = text[++at];
      if (next === undefined) return undefined;
      const keeps = quote !== "" && !ESCAPABLE_IN_QUOTES.includes(next);
      word = (word ?? "") + (keeps ? character : "") + next;
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== "") return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
