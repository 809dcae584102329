import assert from "node:assert/strict";
import { checkReach, LabelError, Labels } from "../../../bpf/labels.ts";

Deno.test("Labels.resolve() finds the position of a label", () => {
  const labels = new Labels();
  labels.define("start", 0);
  labels.define("end", 7);
  assert.equal(labels.resolve("end", 3), 7);
  assert.equal(labels.has("end"), true);
  assert.equal(labels.has("middle"), false);
});

Deno.test("Labels.define() refuses a name twice", () => {
  const labels = new Labels();
  labels.define("end", 7);
  assert.throws(() => labels.define("end", 9), {
    name: "LabelError",
    label: "end",
    message: 'Cannot define label "end" at instruction 9: ' +
      "it stands at instruction 7",
  });
});

Deno.test("Labels.resolve() names a label that is not there", () => {
  assert.throws(() => new Labels().resolve("end", 3), {
    label: "end",
    message: 'Cannot jump from instruction 3 to label "end": it is not defined',
  });
});

Deno.test("checkReach() returns what fits and names what does not", () => {
  const reach = { min: -2, max: 3 };
  assert.equal(checkReach("loop", 5, -2, reach), -2);
  assert.equal(checkReach("loop", 5, 3, reach), 3);
  assert.throws(() => checkReach("loop", 5, -3, reach), LabelError);
  assert.throws(() => checkReach("loop", 5, 4, reach), {
    message: 'Cannot jump from instruction 5 to label "loop": ' +
      "distance 4 is outside -2 to 3",
  });
});
