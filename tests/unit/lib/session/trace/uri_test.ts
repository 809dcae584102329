import assert from "node:assert/strict";
import fc from "fast-check";
import { TraceUriError } from "../../../../../lib/session/trace/errors.ts";
import {
  parseTraceUri,
  type TraceAddress,
} from "../../../../../lib/session/trace/uri.ts";
import { splitWords } from "../../../../../lib/session/trace/words.ts";

const MACHINE = {
  isFile: (path: string) => ["dump.pcap", "a:b.pcap", "lo"].includes(path),
  isInterface: (name: string) => ["lo", "eth0", "eth0:1"].includes(name),
};

Deno.test("parseTraceUri() understands every kind of name", () => {
  const cases: [string | string[], TraceAddress][] = [
    ["pcapfile:x.pcap", { kind: "file", path: "x.pcap" }],
    ["pcap:x.pcap", { kind: "file", path: "x.pcap" }],
    ["pcapng:a:b", { kind: "file", path: "a:b" }],
    ["pcapfile:-", { kind: "file", path: "-" }],
    ["-", { kind: "file", path: "-" }],
    ["dump.pcap", { kind: "file", path: "dump.pcap" }],
    ["./none.pcap", { kind: "file", path: "./none.pcap" }],
    ["/tmp/a:b", { kind: "file", path: "/tmp/a:b" }],
    ["a:b.pcap", { kind: "file", path: "a:b.pcap" }],
    ["lo", { kind: "file", path: "lo" }],
    ["eth0", { kind: "interface", name: "eth0" }],
    ["eth0:1", { kind: "interface", name: "eth0:1" }],
    ["int:lo", { kind: "interface", name: "lo" }],
    ["ring:wlan0", { kind: "interface", name: "wlan0" }],
    ["pcapint:any", { kind: "interface", name: "any" }],
    ["pid:1", { kind: "processes", pids: [1] }],
    ["pid:42,7,42", { kind: "processes", pids: [42, 7] }],
    ["cmd:true", { kind: "command", command: "true", args: [] }],
    ["cmd: curl  -s 'http://a/?b&c' ", {
      kind: "command",
      command: "curl",
      args: ["-s", "http://a/?b&c"],
    }],
    [["cmd:echo", "two words", ""], {
      kind: "command",
      command: "echo",
      args: ["two words", ""],
    }],
    [["cmd:/opt/my program"], {
      kind: "command",
      command: "/opt/my program",
      args: [],
    }],
  ];
  for (const [uri, expected] of cases) {
    assert.deepEqual(parseTraceUri(uri, MACHINE), expected, String(uri));
  }
});

Deno.test("parseTraceUri() refuses the rest and says what there is", () => {
  const cases: [string | string[], RegExp][] = [
    ["", /: it is empty; supported are pcapfile:FILE, /],
    ["none", /: there is no such file or interface; supported are pcapfile/],
    ["dag:0", /: format "dag" is not supported; supported are .*cmd:COMMAND$/],
    ["erf:x", /"erf" is not supported/],
    ["http://a/", /format "http" is not supported/],
    [":x", /format "" is not supported/],
    ["pcapfile:", /nothing follows "pcapfile:"/],
    ["int:", /nothing follows "int:"/],
    ["int:averylonginterface", /cannot be the name of an interface/],
    ["int:a b", /cannot be the name of an interface/],
    ["pid:", /nothing follows "pid:"/],
    ["pid:x", /"x" is no process id/],
    ["pid:0", /"0" is no process id/],
    ["pid:1,", /"" is no process id/],
    ["pid:-1", /"-1" is no process id/],
    ["pid:4194305", /"4194305" is no process id/],
    ["cmd:", /nothing follows "cmd:"/],
    ["cmd: ", /the command is missing/],
    ["cmd:a 'b", /a quote is not closed/],
    ["cmd:a \\", /a quote is not closed/],
    ["cmd:''", /the command is missing/],
    ["cmd:a\0b", /a word holds a NUL character/],
    [[], /an array begins with "cmd:"/],
    [["curl"], /an array begins with "cmd:"/],
    [["cmd:"], /the command is missing/],
  ];
  for (const [uri, message] of cases) {
    assert.throws(
      () => parseTraceUri(uri, MACHINE),
      (error) => {
        assert(error instanceof TraceUriError);
        assert.equal(error.code, "uri");
        assert.match(error.message, /^Cannot open trace "/);
        assert.match(error.message, message);
        return true;
      },
      String(uri),
    );
  }
});

Deno.test("splitWords() quotes as shells do", () => {
  const cases: [string, string[] | undefined][] = [
    ["", []],
    [" \t\n ", []],
    ["a  b", ["a", "b"]],
    ["''", [""]],
    [`a'b c'd`, ["ab cd"]],
    [`"it's" 'say "hi"'`, ["it's", 'say "hi"']],
    ["a\\ b", ["a b"]],
    [`"a\\"b\\\\c\\d"`, ['a"b\\c\\d']],
    [`'a\\'`, ["a\\"]],
    ["$HOME *.c a|b", ["$HOME", "*.c", "a|b"]],
    [`"a`, undefined],
    ["a\\", undefined],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(splitWords(text), expected, text);
  }
});

Deno.test("splitWords() gives back any words that were quoted", () => {
  fc.assert(fc.property(fc.array(fc.string()), (words) => {
    const single = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    assert.deepEqual(splitWords(single.join(" ")), words);
    const double = words.map((word) =>
      `"${word.replaceAll(/[$`"\\]/g, "\\$&")}"`
    );
    assert.deepEqual(splitWords(double.join("\n")), words);
  }));
});
