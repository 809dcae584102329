/**
 * Finds what somebody probably meant to type.
 *
 * @module
 */

/**
 * Counts the edits between two words: insert, delete, replace, or swap of two
 * neighbors (optimal string alignment).
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(
        previous[j]! + 1,
        row[j - 1]! + 1,
        previous[j - 1]! + cost,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, before[j - 2]! + 1);
      }
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/**
 * Returns the candidate nearest to a word, or `undefined` when none is near.
 *
 * A candidate that the word is the beginning of counts as near; otherwise one
 * edit per three letters is allowed.
 */
export function nearest(
  word: string,
  candidates: readonly string[],
): string | undefined {
  const longer = candidates.filter((name) => name.startsWith(word));
  if (word.length >= 2 && longer.length === 1) return longer[0];
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of candidates) {
    const distance = editDistance(word, name);
    if (distance < bestDistance && distance < name.length) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}
