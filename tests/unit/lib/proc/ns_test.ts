import assert from "node:assert/strict";
import {
  networkNamespace,
  parseNamespaceLink,
} from "../../../../lib/proc/ns.ts";
import { makeProc } from "./fixture.ts";

Deno.test("networkNamespace() gives the inode", () => {
  using proc = makeProc({ "7/ns/net": { link: "net:[4026531840]" } });
  assert.equal(networkNamespace(7, proc.root), 4026531840);
  assert.equal(networkNamespace(8, proc.root), undefined);
});

Deno.test("parseNamespaceLink() refuses other kinds", () => {
  assert.equal(parseNamespaceLink("pid:[4026531836]", "pid"), 4026531836);
  for (const target of ["", "net", "net:[]", "net:[1", "pid:[1]", "net:[-1]"]) {
    assert.equal(parseNamespaceLink(target, "net"), undefined, target);
  }
});
