import assert from "node:assert/strict";
import { decodeHttpHead } from "../../../../../lib/packet/app/http.ts";
import { findLayer } from "../../../../../lib/packet/packet.ts";
import { bytes } from "../../text/packet_builder.ts";
import { decodeTcp, fieldsOf } from "./decode.ts";

const REQUEST =
  "POST /a?b=1 HTTP/1.1\r\nHost: example.org\r\nX-A:  1 2 \r\n\r\n";

Deno.test("decodeHttp() reads a request on any port", () => {
  const packet = decodeTcp(REQUEST + "content");
  assert.deepEqual(fieldsOf(packet, "http"), {
    kind: "http",
    startLine: "POST /a?b=1 HTTP/1.1",
    method: "POST",
    target: "/a?b=1",
    version: "HTTP/1.1",
    status: undefined,
    reason: undefined,
    fields: [
      { name: "Host", value: "example.org" },
      { name: "X-A", value: "1 2" },
    ],
    isCut: false,
  });
  const layer = findLayer(packet, "http");
  assert.equal(layer?.headerLength, REQUEST.length);
  assert.equal(layer?.payloadLength, "content".length);
});

Deno.test("decodeHttp() reads a response", () => {
  const fields = fieldsOf(
    decodeTcp("HTTP/1.0 404 Not Found\nA: b\n\n"),
    "http",
  );
  assert.equal(fields?.version, "HTTP/1.0");
  assert.equal(fields?.status, 404);
  assert.equal(fields?.reason, "Not Found");
  assert.equal(fields?.method, undefined);
  const short = fieldsOf(decodeTcp("HTTP/1.1 204\r\n\r\n"), "http");
  assert.equal(short?.status, 204);
  assert.equal(short?.reason, "");
});

Deno.test("decodeHttp() knows the beginning of HTTP/2", () => {
  const fields = fieldsOf(
    decodeTcp("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "http",
  );
  assert.equal(fields?.method, "PRI");
});

Deno.test("decodeHttp() leaves other segments alone", () => {
  for (
    const payload of [
      "",
      "GET",
      "GETX / HTTP/1.1\r\n",
      "GET / \r\n",
      "GET / HTTP/1.1 more\r\n",
      "GET  HTTP/1.1\r\n",
      "get / HTTP/1.1\r\n",
      "HTTP/1.1 abc\r\n",
      "HTTP is a protocol\r\n",
      "\x16\x03\x01",
      "hello\r\n",
    ]
  ) assert.equal(fieldsOf(decodeTcp(payload), "http"), undefined, payload);
});

Deno.test("decodeHttp() makes the most of a cut head", () => {
  const line = fieldsOf(decodeTcp("GET /very/long"), "http");
  assert.equal(line?.target, "/very/long");
  assert.equal(line?.version, undefined);
  assert.equal(line?.isCut, true);
  const fields = fieldsOf(decodeTcp("GET / HTTP/1.1\r\nA: 1\r\nB: 2"), "http");
  assert.deepEqual(fields?.fields, [{ name: "A", value: "1" }]);
  assert.equal(fields?.isCut, true);
});

Deno.test("decodeHttp() shows no control characters", () => {
  const fields = fieldsOf(
    decodeTcp(["GET /\xe9\x7f HTTP/1.1\r\nA: \x1b[2J\r\n\r\n"]),
    "http",
  );
  assert.match(fields!.startLine, /^GET \/\?+ HTTP\/1\.1$/);
  assert.deepEqual(fields!.fields, []);
});

Deno.test("decodeHttpHead() stops at the end that it is given", () => {
  const data = bytes(REQUEST);
  for (let end = 0; end <= data.length; end++) {
    const whole = decodeHttpHead(data, 0, end);
    const cut = decodeHttpHead(data.slice(0, end), 0, end);
    assert.deepEqual(whole, cut, String(end));
    if (whole !== undefined) assert(whole.end <= end);
  }
});
