import assert from "node:assert/strict";
import {
  PORT_PROTOCOLS,
  PROTOCOL_PORTS,
  protocolPort,
  transportName,
} from "../../../../lib/packet/protocol_port.ts";

Deno.test("protocolPort() gives each port of each protocol a place of its own", () => {
  const seen = new Uint8Array(PROTOCOL_PORTS);
  for (const protocol of PORT_PROTOCOLS) {
    for (let port = 0; port < 65536; port++) {
      seen[protocolPort(protocol, port)]!++;
    }
  }
  assert.ok(seen.every((count) => count === 1));
});

Deno.test("transportName() tells the protocols apart", () => {
  assert.deepEqual(PORT_PROTOCOLS.map(transportName), [
    "tcp",
    "udp",
    "udplite",
  ]);
});
