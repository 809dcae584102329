import { deepEqual, equal } from "node:assert/strict";
import {
  PROCESS_RECORD,
  readProcessNumbers,
} from "../../../../bpf/programs/process_ids.ts";

/** What the iterator writes for a process: its number on each level. */
function record(
  numbers: readonly number[],
  options: { isReader?: boolean } = {},
): number[] {
  const bytes = new Uint8Array(PROCESS_RECORD.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(PROCESS_RECORD.tgid, numbers[0]!, true);
  view.setUint32(PROCESS_RECORD.isReader, options.isReader ? 1 : 0, true);
  view.setUint32(PROCESS_RECORD.level, numbers.length - 1, true);
  numbers.forEach((number, level) =>
    view.setUint32(PROCESS_RECORD.numbers + level * 16, number, true)
  );
  return [...bytes];
}

Deno.test("readProcessNumbers() reads the level of the reader", () => {
  const numbers = readProcessNumbers(Uint8Array.from([
    ...record([1000, 1]),
    ...record([1001, 2], { isReader: true }),
    // In a namespace inside of the reader's.
    ...record([1002, 3, 1]),
  ]));
  deepEqual([...numbers!.outer], [[1, 1000], [2, 1001], [3, 1002]]);
  deepEqual([...numbers!.inner], [[1000, 1], [1001, 2], [1002, 3]]);
});

Deno.test("readProcessNumbers() needs the reader and ignores a cut record", () => {
  equal(readProcessNumbers(Uint8Array.from(record([1000, 1]))), undefined);
  equal(readProcessNumbers(new Uint8Array(0)), undefined);
  const whole = record([7], { isReader: true });
  const cut = Uint8Array.from([...whole, ...whole.slice(1)]);
  deepEqual([...readProcessNumbers(cut)!.outer], [[7, 7]]);
});
