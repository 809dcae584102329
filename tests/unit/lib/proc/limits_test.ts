import assert from "node:assert/strict";
import { parseLimit, readOpenFilesLimit } from "../../../../lib/proc/limits.ts";
import { makeProc } from "./fixture.ts";

const LIMITS =
  `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max processes             96365                unlimited            processes 
Max open files            1024                 1048576              files     
Max nice priority         0                    0                    
`;

Deno.test("readOpenFilesLimit() finds RLIMIT_NOFILE", () => {
  using proc = makeProc({ "7/limits": LIMITS });
  assert.deepEqual(readOpenFilesLimit(7, proc.root), {
    soft: 1024,
    hard: 1048576,
  });
  assert.equal(readOpenFilesLimit(8, proc.root), undefined);
});

Deno.test("parseLimit() knows unlimited and missing limits", () => {
  assert.deepEqual(parseLimit(LIMITS, "Max cpu time"), {
    soft: Infinity,
    hard: Infinity,
  });
  assert.deepEqual(parseLimit(LIMITS, "Max nice priority"), {
    soft: 0,
    hard: 0,
  });
  assert.equal(parseLimit(LIMITS, "Max open"), undefined);
  assert.equal(parseLimit("Max open files", "Max open files"), undefined);
  assert.equal(parseLimit("Max open files  1  x", "Max open files"), undefined);
});
