import assert from "node:assert/strict";
import type { Instruction } from "../../../../bpf/classic/instruction.ts";
import { FilterSyntaxError } from "../../../../bpf/filter/errors.ts";
import { LinkType } from "../../../../lib/bytes/link_type.ts";
import {
  lookUpNames,
  resolverOf,
} from "../../../../lib/session/filter_names.ts";
import { compileFilter } from "../../../../bpf/filter/compile.ts";

const FILES: Readonly<Record<string, string>> = {
  "/etc/services": "gossip 7777/udp\n",
  "/etc/hosts": "192.0.2.7 printer\n",
};

function readFile(path: string): Promise<string> {
  const text = FILES[path];
  return text === undefined
    ? Promise.reject(new Deno.errors.NotFound(path))
    : Promise.resolve(text);
}

function lookUp(name: string): Promise<string[]> {
  return name === "www.example.com"
    ? Promise.resolve(["198.51.100.2", "2001:db8::2"])
    : Promise.reject(new Error(`Cannot find ${name}`));
}

function programOf(
  text: string,
  source?: Parameters<typeof resolverOf>[0],
): readonly Instruction[] {
  return compileFilter(text, {
    linkType: LinkType.LINUX_SLL,
    ...(source === undefined ? {} : { resolve: resolverOf(source) }),
  }).program;
}

Deno.test("lookUpNames() finds hosts, services and what the files name", async () => {
  const text = "host www.example.com and udp port gossip or host printer";
  const source = await lookUpNames(text, readFile, lookUp);
  // Plain data: it travels between threads.
  assert.deepEqual(structuredClone(source), source);
  assert.deepEqual(
    programOf(text, source),
    programOf(
      "(host 198.51.100.2 or host 2001:db8::2) and udp port 7777 " +
        "or host 192.0.2.7",
    ),
  );
});

Deno.test("lookUpNames() leaves it to the compiler to complain of unknown hosts", async () => {
  const text = "tcp and host nowhere.example";
  const source = await lookUpNames(text, readFile, lookUp);
  assert.throws(
    () => programOf(text, source),
    (error) => error instanceof FilterSyntaxError && error.offset === 8,
  );
});

Deno.test("lookUpNames() does not take inherited properties for hosts", async () => {
  const text = "host constructor";
  const source = await lookUpNames(text, readFile, lookUp);
  assert.throws(() => programOf(text, source), FilterSyntaxError);
});

Deno.test("lookUpNames() throws at expressions that cannot be parsed", async () => {
  await assert.rejects(lookUpNames("tcp prot 80", readFile), FilterSyntaxError);
});

Deno.test("lookUpNames() reads no file where there is no name", async () => {
  const text = "tcp port 80 and host 127.0.0.1 or not ip6 proto 17";
  const source = await lookUpNames(text, () => assert.fail("read"), lookUp);
  assert.deepEqual(source, { text, files: {}, hosts: {} });
});
