import "../../../support/open_libc.ts";
import assert from "node:assert/strict";
import { AF_INET6, type Endpoint } from "../../../../ffi/sockaddr.ts";
import { emptySocketState, type SocketState } from "../../../../ffi/socket.ts";
import { formatAddress } from "../../../../lib/packet/address.ts";
import type { SocketCall } from "../../../../lib/trace/call_arguments.ts";
import { beginCall, socketBefore } from "../../../../lib/trace/call_entry.ts";
import type { SocketObserver } from "../../../../lib/trace/socket_observer.ts";
import { endpoint } from "../../../property/flows.ts";

const TCP = 6;
const UDP = 17;
const OWNER = 7;
const NOW = { seconds: 1, nanoseconds: 2 };

/** Calls are what was told of them. */
class FakeObserver implements SocketObserver<string> {
  isKnown = false;

  beginSending(
    _state: SocketState,
    remotes: Parameters<SocketObserver<string>["beginSending"]>[1],
  ): string | undefined {
    if (this.isKnown) return undefined;
    const texts = remotes.map(({ address, port }) =>
      `${formatAddress(address)} ${port}`
    );
    return `sends to ${texts.join(", ")}`;
  }

  beginLocal(_state: unknown, port: number): string {
    return `local ${port}`;
  }

  settle(): void {
    assert.fail();
  }

  observe(): void {
    assert.fail();
  }

  apply(): void {
    assert.fail();
  }
}

function makeCall(
  kind: SocketCall["kind"],
  ends: readonly string[] = [],
  unspecified = false,
): SocketCall {
  return { kind, fd: 3, endpoints: ends.map(makeEnd), unspecified };
}

function makeEnd(text: string): Endpoint {
  return { family: AF_INET6, ...endpoint(text) };
}

function makeState(protocol: number, local = "[::]:0"): SocketState {
  return { ...emptySocketState(), cookie: 5n, protocol, local: makeEnd(local) };
}

function begin(
  call: SocketCall,
  state: SocketState,
  observer = new FakeObserver(),
): string | undefined {
  const begun = beginCall(observer, call, state, OWNER, NOW);
  return begun === undefined ? undefined : begun.pending ?? "look afterwards";
}

Deno.test("beginCall() tells of calls by which packets may come or go", () => {
  const peer = "[2001:db8::1]:80";
  for (
    const [call, state, expected] of [
      [
        makeCall("connect", [peer]),
        makeState(TCP),
        "sends to 2001:db8::1 80",
      ],
      [makeCall("connect", [peer]), makeState(UDP), "look afterwards"],
      [makeCall("connect", [], true), makeState(TCP), "look afterwards"],
      [makeCall("bind", ["[::]:53"]), makeState(UDP), "local 53"],
      [makeCall("bind", ["[::]:0"]), makeState(UDP), "look afterwards"],
      [makeCall("bind", ["[::]:80"]), makeState(TCP), undefined],
      [makeCall("listen"), makeState(TCP, "[::]:80"), "local 80"],
      [makeCall("listen"), makeState(UDP, "[::]:80"), undefined],
      [
        makeCall("sendmmsg", [peer, "[2001:db8::2]:81"]),
        makeState(UDP),
        "sends to 2001:db8::1 80, 2001:db8::2 81",
      ],
      [makeCall("sendto"), makeState(UDP), undefined],
    ] as const
  ) {
    assert.equal(begin(call, state), expected, JSON.stringify(call.kind));
  }
});

Deno.test("beginCall() leaves a call alone whose end does not matter", () => {
  const observer = new FakeObserver();
  observer.isKnown = true;
  const call = makeCall("sendto", ["[2001:db8::1]:53"]);
  assert.equal(begin(call, makeState(UDP), observer), undefined);
});

Deno.test("beginCall() takes the unspecified address for this host", () => {
  for (
    const [remote, local, expected] of [
      ["[::]:80", "[::]:0", "::1"],
      ["0.0.0.0:80", "0.0.0.0:0", "::ffff:127.0.0.1"],
      ["[::]:80", "[2001:db8::9]:0", "2001:db8::9"],
      ["0.0.0.0:80", "192.0.2.9:0", "::ffff:192.0.2.9"],
    ] as const
  ) {
    const call = makeCall("connect", [remote]);
    assert.equal(
      begin(call, makeState(TCP, local)),
      `sends to ${expected} 80`,
    );
  }
});

Deno.test("socketBefore() names the end as packets will have it", () => {
  const state = makeState(TCP, "[::]:4000");
  const { began, named, ...before } = socketBefore(
    makeCall("connect", ["[::]:80"]),
    state,
  );
  assert.deepEqual(before, { cookie: 5n, protocol: TCP, localPort: 4000 });
  assert.equal(formatAddress(named!.address), "::1");
  assert.ok(began.seconds > 0);
  const bind = makeCall("bind", ["[::]:80"]);
  assert.equal(socketBefore(bind, state).named, bind.endpoints[0]);
  assert.equal(socketBefore(makeCall("listen"), state).named, undefined);
});
