import { equal } from "node:assert/strict";
import { KnownTexts } from "../../../../lib/views/known_texts.ts";

/** More values than are remembered. */
const VALUES = 10_000;

for (const words of [1, 4]) {
  Deno.test(`KnownTexts tells values of ${words} words apart`, () => {
    const view = new DataView(new ArrayBuffer(4 + 4 * words));
    const texts = new KnownTexts(
      words,
      (at) => `${view.getUint32(at, true)} ${view.getUint32(at, false)}`,
    );
    for (let round = 0; round < 2; round++) {
      for (let value = 0; value < VALUES; value++) {
        view.setUint32(4, value, round === 0);
        equal(
          texts.at(view, 4),
          `${view.getUint32(4, true)} ${view.getUint32(4, false)}`,
        );
      }
    }
  });

  Deno.test(`KnownTexts decodes 200 neighbors of ${words} words once`, () => {
    const view = new DataView(new ArrayBuffer(4 * words));
    let decoded = 0;
    const texts = new KnownTexts(words, (at) => {
      decoded++;
      return String(view.getUint8(at + 4 * words - 1));
    });
    for (let round = 0; round < 10; round++) {
      for (let last = 0; last < 200; last++) {
        view.setUint8(4 * words - 1, last);
        equal(texts.at(view, 0), String(last));
      }
    }
    equal(decoded, 200);
  });
}
