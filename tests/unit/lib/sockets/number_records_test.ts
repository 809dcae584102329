import assert from "node:assert/strict";
import fc from "fast-check";
import { NumberRecords } from "../../../../lib/sockets/number_records.ts";

function contents(records: NumberRecords): number[][] {
  const found: number[][] = [];
  records.some((at) => {
    found.push([records.values[at]!, records.values[at + 1]!]);
    return false;
  });
  return found;
}

function append(records: NumberRecords, a: number, b: number): void {
  const at = records.append();
  records.values[at] = a;
  records.values[at + 1] = b;
}

Deno.test("NumberRecords is a queue, and keeps what a filter lets through", () => {
  const step = fc.oneof(
    { weight: 20, arbitrary: fc.record({ append: fc.nat(1000) }) },
    { weight: 8, arbitrary: fc.record({ shift: fc.nat(40) }) },
    {
      weight: 1,
      arbitrary: fc.record({ filter: fc.integer({ min: 2, max: 5 }) }),
    },
  );
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 50, maxLength: 400, size: "max" }),
      (steps) => {
        const records = new NumberRecords(2);
        let model: number[][] = [];
        let next = 0;
        for (const step of steps) {
          if ("append" in step) {
            append(records, step.append, next);
            model.push([step.append, next++]);
          } else if ("shift" in step) {
            for (let i = 0; i < step.shift && !records.isEmpty; i++) {
              assert.equal(records.values[records.first], model[0]![0]);
              records.shift();
              model.shift();
            }
          } else {
            records.filter((at) => records.values[at + 1]! % step.filter !== 0);
            model = model.filter(([, b]) => b! % step.filter !== 0);
          }
          assert.equal(records.length, model.length);
          assert.equal(records.isEmpty, model.length === 0);
        }
        assert.deepEqual(contents(records), model);
      },
    ),
    { numRuns: 50 },
  );
});
