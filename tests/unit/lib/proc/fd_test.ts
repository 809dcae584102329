import assert from "node:assert/strict";
import fc from "fast-check";
import {
  parseRingSockets,
  parseSocketLink,
  readFds,
  ringSocketInodes,
  socketFds,
  socketInode,
} from "../../../../lib/proc/fd.ts";
import { makeProc } from "./fixture.ts";

const RING = `SqMask:\t0x7
SqHead:\t1
CqMask:\t0xf
SQEs:\t0
SqThread:\t-1
UserFiles:\t3
    0: socket:[4026]
    1: /tmp/socket:[1]
    2: socket:[4027]
UserBufs:\t1
    0: 0x7f00/4096
PollList:
`;

Deno.test("readFds() finds sockets and rings", () => {
  using proc = makeProc({
    "7/fd/0": { link: "/dev/null" },
    "7/fd/10": { link: "socket:[300]" },
    "7/fd/3": { link: "socket:[200]" },
    "7/fd/4": { link: "pipe:[200]" },
    "7/fd/5": { link: "anon_inode:[io_uring]" },
    "7/task/8/fd/3": { link: "socket:[999]" },
  });
  const sockets = [{ fd: 3, inode: 200 }, { fd: 10, inode: 300 }];
  assert.deepEqual(readFds(7, undefined, proc.root), {
    sockets,
    rings: [5],
    hasPidfds: false,
  });
  assert.deepEqual(socketFds(7, undefined, proc.root), sockets);
  assert.deepEqual(socketFds(7, 8, proc.root), [{ fd: 3, inode: 999 }]);
  assert.deepEqual(socketFds(9, undefined, proc.root), []);
});

Deno.test("socketInode() reads one descriptor", () => {
  using proc = makeProc({
    "7/fd/0": { link: "/dev/null" },
    "7/fd/3": { link: "socket:[200]" },
  });
  assert.equal(socketInode(7, 3, proc.root), 200);
  assert.equal(socketInode(7, 0, proc.root), undefined);
  assert.equal(socketInode(7, 4, proc.root), undefined);
});

Deno.test("parseSocketLink() takes sockets only", () => {
  assert.equal(parseSocketLink("socket:[4294967295]"), 4294967295);
  for (
    const target of ["", "socket:[]", "socket:[x]", "/socket:[1]", "socket:[1"]
  ) {
    assert.equal(parseSocketLink(target), undefined, target);
  }
});

Deno.test("parseRingSockets() reads the registered files", () => {
  assert.deepEqual(parseRingSockets(RING), [4026, 4027]);
  assert.deepEqual(parseRingSockets("pos:\t0\nflags:\t02\n"), []);
  fc.assert(fc.property(fc.string(), (text) => {
    parseRingSockets(text);
  }));
});

Deno.test("ringSocketInodes() reads the fdinfo file", () => {
  using proc = makeProc({ "7/fdinfo/5": RING });
  assert.deepEqual(ringSocketInodes(7, 5, proc.root), [4026, 4027]);
  assert.deepEqual(ringSocketInodes(7, 6, proc.root), []);
});
