import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { KeyQueue } from "../../../../lib/trace/key_queue.ts";

Deno.test("KeyQueue behaves like an array of keys", () => {
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.nat(0xffff) },
    { weight: 2, arbitrary: fc.constant("shift" as const) },
  );
  fc.assert(fc.property(
    fc.array(action, { maxLength: 2000, size: "max" }),
    fc.integer({ min: 1, max: 1000 }),
    (actions, maxLength) => {
      const queue = new KeyQueue(2, maxLength);
      const model: number[] = [];
      const key = new Uint8Array(2);
      for (const step of actions) {
        if (step === "shift") {
          const expected = model.shift();
          equal(queue.shift(key), expected !== undefined);
          if (expected !== undefined) {
            deepEqual([...key], [expected & 255, expected >> 8]);
          }
        } else if (!queue.isFull) {
          queue.push(Uint8Array.of(step & 255, step >> 8), step);
          model.push(step);
        }
        equal(queue.length, model.length);
        equal(queue.due, model[0] ?? Infinity);
        equal(queue.isFull, model.length === maxLength);
      }
    },
  ));
});

Deno.test("KeyQueue.push() refuses more than the queue may hold", () => {
  const queue = new KeyQueue(4, 1);
  queue.push(new Uint8Array(4), 1);
  throws(() => queue.push(new Uint8Array(4), 2), RangeError);
});
