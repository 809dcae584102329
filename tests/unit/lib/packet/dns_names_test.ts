import assert from "node:assert/strict";
import fc from "fast-check";
import { DnsNames } from "../../../../lib/packet/dns_names.ts";
import { hex, SAMPLES } from "./samples.ts";

const RESPONSE = SAMPLES.dnsResponse.data.subarray(42);

/** A name in wire form. */
function name(text: string): string {
  const labels = text.split(".").map((label) => {
    const length = label.length.toString(16).padStart(2, "0");
    const bytes = new TextEncoder().encode(label);
    return length +
      Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  });
  return `${labels.join("")}00`;
}

/** A response without compression; `flags` are 8180 for success. */
function response(
  question: string | undefined,
  answers: [string, "A" | "AAAA" | "CNAME", string][],
  flags = "8180",
): Uint8Array {
  const count = answers.length.toString(16).padStart(4, "0");
  const types = { A: "0001", AAAA: "001c", CNAME: "0005" };
  const records = answers.map(([owner, type, value]) => {
    const data = type === "CNAME" ? name(value) : value;
    const length = (data.length / 2).toString(16).padStart(4, "0");
    return `${name(owner)} ${types[type]} 0001 0000003c ${length} ${data}`;
  });
  return hex(
    `0001 ${flags} ${
      question === undefined ? "0000" : "0001"
    } ${count} 0000 0000
     ${question === undefined ? "" : `${name(question)} 0001 0001`}
     ${records.join(" ")}`,
  );
}

Deno.test("DnsNames keeps the name that was asked for", () => {
  const names = new DnsNames();
  names.learn(RESPONSE);
  assert.equal(names.size, 2);
  assert.equal(names.nameOf("198.51.100.7"), "www.example.com");
  assert.equal(names.nameOf("198.51.100.8"), "www.example.com");
  assert.equal(names.nameOf("::ffff:198.51.100.8"), "www.example.com");
  assert.equal(names.nameOf("198.51.100.9"), undefined);
});

Deno.test("DnsNames follows chains in any order and letter case", () => {
  const names = new DnsNames();
  names.learn(response("A.test", [
    ["C.test", "A", "c0000201"],
    ["b.TEST", "CNAME", "c.Test"],
    ["a.TEST", "CNAME", "B.test"],
    ["other.test", "AAAA", "20010db8000000000000000000000001"],
  ]));
  assert.equal(names.nameOf("192.0.2.1"), "A.test");
  assert.equal(names.nameOf("2001:db8::1"), "other.test");
});

Deno.test("DnsNames takes the owner's name when there is no question", () => {
  const names = new DnsNames();
  names.learn(response(undefined, [["printer.local", "A", "c0000201"]]));
  assert.equal(names.nameOf("192.0.2.1"), "printer.local");
});

Deno.test("DnsNames ends on a circle of aliases", () => {
  const names = new DnsNames();
  names.learn(response("a.test", [
    ["a.test", "CNAME", "b.test"],
    ["b.test", "CNAME", "a.test"],
    ["a.test", "A", "c0000201"],
  ]));
  assert.equal(names.nameOf("192.0.2.1"), "a.test");
});

Deno.test("DnsNames learns nothing from queries and errors", () => {
  const names = new DnsNames();
  for (const flags of ["0100", "8183"]) {
    names.learn(response("a.test", [["a.test", "A", "c0000201"]], flags));
  }
  names.learn(new Uint8Array(0));
  names.learn(new Uint8Array(11));
  assert.equal(names.size, 0);
});

Deno.test("DnsNames learns what precedes a cut", () => {
  const names = new DnsNames();
  names.learn(RESPONSE.subarray(0, -1));
  assert.equal(names.nameOf("198.51.100.7"), "www.example.com");
  assert.equal(names.nameOf("198.51.100.8"), undefined);
});

Deno.test("DnsNames forgets the address learned longest ago", () => {
  const names = new DnsNames(2);
  names.learn(response("a.test", [["a.test", "A", "c0000201"]]));
  names.learn(response("b.test", [["b.test", "A", "c0000202"]]));
  names.learn(response("a2.test", [["a2.test", "A", "c0000201"]]));
  names.learn(response("c.test", [["c.test", "A", "c0000203"]]));
  assert.equal(names.size, 2);
  assert.equal(names.nameOf("192.0.2.1"), "a2.test");
  assert.equal(names.nameOf("192.0.2.2"), undefined);
  assert.equal(names.nameOf("192.0.2.3"), "c.test");
});

Deno.test("DnsNames never throws and stays bounded, whatever it is given", () => {
  const names = new DnsNames(3);
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.nat(RESPONSE.length - 1), fc.nat(255)), {
      maxLength: 8,
    }),
    fc.nat(RESPONSE.length),
    (changes, length) => {
      const message = RESPONSE.slice(0, length);
      for (const [at, value] of changes) message[at] = value;
      names.learn(message);
      assert(names.size <= 3);
    },
  ));
});
