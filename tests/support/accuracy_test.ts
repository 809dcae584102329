import assert from "node:assert/strict";
import { accuracyOf, toldWords } from "./accuracy.ts";
import { compare, type TruthPacket } from "./compare.ts";

function packet(bytes: string, rest: Partial<TruthPacket> = {}): TruthPacket {
  return {
    bytes,
    length: bytes.length,
    protocol: "udp",
    source: "127.0.0.1:1",
    destination: "127.0.0.1:2",
    fragmentOf: undefined,
    isLaterFragment: false,
    text: bytes,
    timestamp: 0n,
    packetType: undefined,
    isOwned: true,
    isRequired: true,
    ...rest,
  };
}

Deno.test("accuracyOf() counts what a comparison found", () => {
  const [a, b, c] = ["a", "b", "c"].map((bytes) => packet(bytes));
  const early = packet("early", { isRequired: false });
  const foreign = packet("foreign", { isOwned: false });
  const truth = [a!, b!, c!, early, foreign];
  const captured = [a!, b!, b!, early, foreign];
  const test = { name: "some case", variant: [] };
  const said = "4 packets (9 B) of 1 socket written to x, 1 dropped by kernel";
  assert.deepEqual(accuracyOf(test, truth, compare(captured, truth), said), {
    ...test,
    wanted: 3,
    right: 3,
    missing: 1,
    wrong: 2,
    told: ["N dropped by kernel"],
  });
});

Deno.test("toldWords() keeps each message once, without its numbers", () => {
  const warning = (pid: number): string =>
    `tracedump: warning: process ${pid} (x-${pid}) uses tcp 127.0.0.1:${pid}: early\n`;
  const end =
    "tracedump: 9 packets (1 B) written to f, 1,200 dropped by kernel";
  assert.deepEqual(toldWords(`${warning(7)}${warning(8)}said: 7\n${end}`), [
    "process N (NAME) uses tcp N: early",
    "N dropped by kernel",
  ]);
  assert.deepEqual(toldWords("1 packet written to f, 0 dropped by kernel"), []);
});
