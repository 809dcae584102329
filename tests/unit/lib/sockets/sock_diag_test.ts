import assert from "node:assert/strict";
import fc from "fast-check";
import {
  align,
  netlinkErrno,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  SOCK_DIAG_BY_FAMILY,
  splitNetlinkMessages,
  writeNetlinkHeader,
} from "../../../../lib/sockets/sock_diag.ts";
import {
  datagram,
  DONE,
  ENOENT_ERROR,
  TCP4_ESTABLISHED,
  TCP6_LISTEN,
  viewOf,
} from "./sock_diag_golden.ts";

Deno.test("splitNetlinkMessages() finds every message", () => {
  const view = viewOf(datagram(TCP4_ESTABLISHED, TCP6_LISTEN, DONE));
  const { messages, truncated } = splitNetlinkMessages(view);
  assert.equal(truncated, false);
  assert.deepEqual(messages.map(({ type, start, end }) => [type, start, end]), [
    [SOCK_DIAG_BY_FAMILY, 16, 124],
    [SOCK_DIAG_BY_FAMILY, 140, 256],
    [NLMSG_DONE, 272, 276],
  ]);
  assert.equal(messages[0]?.sequence, 7);
  assert.equal(messages[0]?.flags, 2);
  assert.equal(messages[0]?.portId, 0x2b52);
});

Deno.test("splitNetlinkMessages() accepts a last message without padding", () => {
  const bytes = datagram(DONE, DONE.with(0, 18)).subarray(0, 38);
  const { messages, truncated } = splitNetlinkMessages(viewOf(bytes));
  assert.deepEqual(messages.map(({ end }) => end), [20, 38]);
  assert.equal(truncated, false);
});

Deno.test("splitNetlinkMessages() reports what is cut off", () => {
  const whole = datagram(TCP4_ESTABLISHED, DONE);
  for (let length = 0; length <= whole.length; length++) {
    const { messages, truncated } = splitNetlinkMessages(
      viewOf(whole.subarray(0, length)),
    );
    const complete = length < 124 ? 0 : length < 144 ? 1 : 2;
    assert.equal(messages.length, complete, `${length} bytes`);
    assert.equal(
      truncated,
      length !== 0 && length !== 124 && length !== 144,
      `${length} bytes`,
    );
  }
});

Deno.test("splitNetlinkMessages() stops at impossible lengths", () => {
  for (const length of [0, 15, 21, 0xff]) {
    const view = viewOf(datagram(DONE, DONE.with(0, length)));
    const { messages, truncated } = splitNetlinkMessages(view);
    assert.equal(messages.length, 1);
    assert.equal(truncated, true);
  }
  const huge = DONE.slice().fill(0xff, 0, 4);
  assert.deepEqual(splitNetlinkMessages(viewOf(huge)), {
    messages: [],
    truncated: true,
  });
});

Deno.test("splitNetlinkMessages() stays inside of any bytes", () => {
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: 100 }),
    fc.nat(40),
    (array, length) => {
      const bytes = Uint8Array.from(array);
      // Make some of the lengths plausible.
      if (bytes.length >= 4) bytes.set([length, 0, 0, 0]);
      const view = viewOf(bytes);
      let last = 0;
      for (const message of splitNetlinkMessages(view).messages) {
        assert.ok(message.start >= last + 16);
        assert.ok(message.end >= message.start);
        assert.ok(message.end <= bytes.length);
        last = message.end;
        netlinkErrno(view, message);
      }
    },
  ));
});

Deno.test("netlinkErrno() gives positive errno values", () => {
  const error = viewOf(ENOENT_ERROR);
  const [message] = splitNetlinkMessages(error).messages;
  assert.equal(message?.type, NLMSG_ERROR);
  assert.equal(netlinkErrno(error, message), 2);

  const done = viewOf(DONE);
  const [end] = splitNetlinkMessages(done).messages;
  assert.ok(end);
  assert.equal(netlinkErrno(done, end), 0);
});

Deno.test("netlinkErrno() gives 0 where there is no error", () => {
  const view = viewOf(ENOENT_ERROR);
  const [error] = splitNetlinkMessages(view).messages;
  assert.ok(error);
  assert.equal(netlinkErrno(view, { ...error, end: error.start + 3 }), 0);
  assert.equal(
    netlinkErrno(view, { ...error, type: SOCK_DIAG_BY_FAMILY }),
    0,
  );
});

Deno.test("writeNetlinkHeader() is read back", () => {
  const view = new DataView(new ArrayBuffer(24));
  writeNetlinkHeader(view, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0xffff_fffe);
  assert.deepEqual(splitNetlinkMessages(view).messages, [{
    type: SOCK_DIAG_BY_FAMILY,
    flags: NLM_F_REQUEST,
    sequence: 0xffff_fffe,
    portId: 0,
    start: 16,
    end: 24,
  }]);
});

Deno.test("align() rounds up to multiples of 4", () => {
  assert.deepEqual([0, 1, 4, 5, 7, 8].map(align), [0, 4, 4, 8, 8, 8]);
});
