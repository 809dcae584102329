import assert from "node:assert/strict";
import { packetToJson } from "../../../../lib/text/packet_json.ts";
import { SAMPLES } from "../packet/samples.ts";

function json(
  name: keyof typeof SAMPLES,
  length: number = SAMPLES[name].data.length,
): ReturnType<typeof packetToJson> {
  const { data, originalLength, linkType } = SAMPLES[name];
  return packetToJson({
    data: data.slice(0, length),
    originalLength,
    seconds: 1_783_944_688,
    nanoseconds: 42,
    interface: { linkType },
  });
}

Deno.test("packetToJson() says what is known about a packet", () => {
  const { data, originalLength, linkType } = SAMPLES.udp;
  const { layers, ...rest } = packetToJson({
    data,
    originalLength,
    seconds: 1_783_944_688,
    nanoseconds: 42,
    interface: { linkType, name: "eth0" },
    direction: "in",
    process: { pid: 7, comm: "curl" },
  }, 3);
  assert.deepEqual(rest, {
    number: 3,
    time: "2026-07-13T12:11:28.000000042Z",
    interface: "eth0",
    direction: "in",
    process: { pid: 7, comm: "curl" },
    linkType: "ETHERNET",
    length: 52,
    captured: 52,
    protocol: "udp",
    source: "192.0.2.1",
    sourcePort: 46921,
    destination: "192.0.2.2",
    destinationPort: 9,
    payload: "64697363617264206d65",
  });
  assert.deepEqual((layers as unknown[]).at(-1), {
    kind: "udp",
    offset: 34,
    headerLength: 8,
    payloadLength: 10,
    sourcePort: 46921,
    destinationPort: 9,
    length: 18,
    checksum: 0x8427,
  });
});

Deno.test("packetToJson() leaves out what is not known", () => {
  assert.deepEqual(Object.keys(json("arpRequest")), [
    ...["time", "linkType", "length", "captured", "layers"],
  ]);
});

Deno.test("packetToJson() takes the direction of cooked captures", () => {
  assert.equal(json("sll6Out").direction, "out");
  assert.equal(json("sllSyn").direction, "in");
  assert.equal(json("sll2Syn").direction, "in");
  assert.equal(json("sllSyn", 15).direction, undefined);
});

Deno.test("packetToJson() shows quoted packets and faults", () => {
  const kinds = (json("icmpUnreachable").quoted as { kind: string }[])
    .map(({ kind }) => kind);
  assert.deepEqual(kinds, ["ipv4", "udp"]);
  assert.deepEqual(json("udp", 40).truncated, {
    layer: "udp",
    offset: 34,
    reason: "8 bytes needed, 6 captured",
  });
});

Deno.test("packetToJson() gives what JSON can hold, nothing else", () => {
  for (const name of Object.keys(SAMPLES) as (keyof typeof SAMPLES)[]) {
    const value = json(name);
    assert.deepEqual(JSON.parse(JSON.stringify(value)), value, name);
  }
});
