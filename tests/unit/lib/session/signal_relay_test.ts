import assert from "node:assert/strict";
import { SignalRelay } from "../../../../lib/session/signal_relay.ts";

const SIGINT = 2;
const SIGTERM = 15;

function make(): { readonly relay: SignalRelay; readonly sent: number[] } {
  const sent: number[] = [];
  return { relay: new SignalRelay((signal) => sent.push(signal)), sent };
}

Deno.test("SignalRelay.forward() sends what the command has not got", async () => {
  const { relay, sent } = make();
  relay.delivered(SIGINT);
  await relay.forward(SIGTERM);
  assert.deepEqual(sent, [SIGTERM]);
});

Deno.test("SignalRelay.forward() sends nothing that was delivered just before or after", async () => {
  const { relay, sent } = make();
  relay.delivered(SIGINT);
  await relay.forward(SIGINT);
  const forwarded = relay.forward(SIGTERM);
  relay.delivered(SIGTERM);
  await forwarded;
  assert.deepEqual(sent, []);
});
