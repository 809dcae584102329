import assert from "node:assert/strict";
import {
  decodeTlsRecords,
  formatTlsAlert,
  formatTlsVersion,
} from "../../../../../lib/packet/app/tls.ts";
import { formatCipherSuite } from "../../../../../lib/packet/app/tls_cipher_suites.ts";
import { bytes } from "../../text/packet_builder.ts";
import {
  CLIENT_HELLO,
  HELLO_RETRY,
  SERVER_HELLO,
  SERVER_HELLO_12,
} from "../../text/samples.ts";
import { decodeTcp, fieldsOf } from "./decode.ts";

Deno.test("decodeTls() reads a client's hello on any port", () => {
  assert.deepEqual(fieldsOf(decodeTcp(CLIENT_HELLO), "tls")?.records, [{
    type: 22,
    version: 0x0301,
    length: CLIENT_HELLO.length - 5,
    hello: {
      isClient: true,
      isRetry: false,
      version: 0x0304,
      serverName: "example.org",
      protocols: ["h2", "http/1.1"],
      cipherSuites: [0x1301, 0x1302],
      isCut: false,
    },
    alert: undefined,
  }]);
});

Deno.test("decodeTls() reads a server's hello and what follows", () => {
  const records = fieldsOf(decodeTcp(SERVER_HELLO), "tls")?.records;
  assert.deepEqual(records?.map(({ type }) => type), [22, 20]);
  assert.equal(records?.[0]?.hello?.version, 0x0304);
  assert.deepEqual(records?.[0]?.hello?.cipherSuites, [0x1301]);
  const [old] = decodeTlsRecords(SERVER_HELLO_12, 0, SERVER_HELLO_12.length);
  assert.equal(old?.hello?.version, 0x0303);
  assert.deepEqual(old?.hello?.protocols, ["h2"]);
});

Deno.test("decodeTls() knows a server that asks for another hello", () => {
  const [retry] = decodeTlsRecords(HELLO_RETRY, 0, HELLO_RETRY.length);
  assert.equal(retry?.hello?.isRetry, true);
  const [hello] = decodeTlsRecords(SERVER_HELLO, 0, SERVER_HELLO.length);
  assert.equal(hello?.hello?.isRetry, false);
});

Deno.test("decodeTls() reads alerts unless they are encrypted", () => {
  const plain = bytes(21, 3, 3, 0, 2, 2, 40);
  const [alert] = decodeTlsRecords(plain, 0, plain.length);
  assert.deepEqual(alert?.alert, { isFatal: true, description: 40 });
  const encrypted = bytes(21, 3, 3, 0, 26, new Uint8Array(26));
  const [other] = decodeTlsRecords(encrypted, 0, encrypted.length);
  assert.equal(other?.alert, undefined);
  assert.equal(other?.length, 26);
});

Deno.test("decodeTls() leaves other segments alone", () => {
  for (
    const payload of [
      [22, 3, 1, 0],
      [24, 3, 3, 0, 5, 0, 0, 0, 0, 0],
      [22, 2, 0, 0, 5, 0, 0, 0, 0, 0],
      [22, 3, 9, 0, 5, 0, 0, 0, 0, 0],
      [22, 3, 3, 0, 0],
      [22, 3, 3, 0xff, 0xff, 0],
    ]
  ) assert.equal(fieldsOf(decodeTcp(payload), "tls"), undefined);
});

Deno.test("decodeTls() does not take an encrypted message for a hello", () => {
  const fragment = [1, 0x7f, 0x12, 0x34, new Uint8Array(60)];
  const record = bytes(22, 3, 3, 0, 64, fragment);
  assert.equal(decodeTlsRecords(record, 0, record.length)[0]?.hello, undefined);
});

Deno.test("decodeTlsRecords() makes the most of a cut hello", () => {
  for (let end = 0; end < CLIENT_HELLO.length; end++) {
    const [record] = decodeTlsRecords(CLIENT_HELLO, 0, end);
    const [cut] = decodeTlsRecords(CLIENT_HELLO.slice(0, end), 0, end);
    assert.deepEqual(record, cut, String(end));
    if (record?.hello !== undefined) assert.equal(record.hello.isCut, true);
  }
  const [named] = decodeTlsRecords(CLIENT_HELLO, 0, 90);
  assert.equal(named?.hello?.serverName, "example.org");
});

Deno.test("versions, alerts and cipher suites have names", () => {
  assert.equal(formatCipherSuite(0x1301), "TLS_AES_128_GCM_SHA256");
  assert.equal(formatCipherSuite(0x00ff), "0x00ff");
  assert.equal(formatTlsVersion(0x0300), "SSL 3.0");
  assert.equal(formatTlsVersion(0x0304), "TLS 1.3");
  assert.equal(formatTlsVersion(0x7f1c), "TLS 0x7f1c");
  assert.equal(formatTlsAlert(48), "unknown_ca");
  assert.equal(formatTlsAlert(7), "alert-7");
});
