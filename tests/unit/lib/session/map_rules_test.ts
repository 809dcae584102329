import assert from "node:assert/strict";
import { MapRules } from "../../../../lib/session/map_rules.ts";
import { endpoint } from "../../../property/flows.ts";

const TCP = 6;
const UDP = 17;
const SERVER = endpoint("198.51.100.2:443");
const SERVER_6 = endpoint("[2001:db8::2]:443");

type Filter = ConstructorParameters<typeof MapRules>[0];

/** Stands for the maps of the kernel: writes down what is changed. */
class FakeFilter {
  readonly calls: string[] = [];

  setPort(protocol: number, port: number): void {
    this.calls.push(`set port ${protocol} ${port}`);
  }

  removePort(protocol: number, port: number): void {
    this.calls.push(`remove port ${protocol} ${port}`);
  }

  addRemote(protocol: number, remote: { readonly port: number }): void {
    this.calls.push(`add remote ${protocol} ${remote.port}`);
  }

  removeRemote(protocol: number, remote: { readonly port: number }): void {
    this.calls.push(`remove remote ${protocol} ${remote.port}`);
  }

  take(): string[] {
    return this.calls.splice(0);
  }
}

function make(): { readonly filter: FakeFilter; readonly rules: MapRules } {
  const filter = new FakeFilter();
  return { filter, rules: new MapRules(filter as unknown as Filter) };
}

Deno.test("MapRules opens a port with the first socket and closes it with the last", () => {
  const { filter, rules } = make();
  rules.openPort(TCP, 80);
  assert.deepEqual(filter.take(), ["set port 6 80"]);
  rules.openPort(TCP, 80);
  rules.openCoveredPort(TCP, 80);
  rules.closePort(TCP, 80);
  rules.closePort(TCP, 80);
  assert.deepEqual(filter.take(), []);
  rules.closePort(TCP, 80);
  assert.deepEqual(filter.take(), ["remove port 6 80"]);
  rules.openCoveredPort(TCP, 80);
  assert.deepEqual(filter.take(), ["set port 6 80"]);
});

Deno.test("MapRules tells ports of TCP and UDP apart", () => {
  const { filter, rules } = make();
  for (const port of [0, 1, 65535]) {
    rules.openPort(TCP, port);
    rules.openPort(UDP, port);
    assert.deepEqual(filter.take(), [
      `set port 6 ${port}`,
      `set port 17 ${port}`,
    ]);
    rules.closePort(UDP, port);
    assert.deepEqual(filter.take(), [`remove port 17 ${port}`]);
  }
});

Deno.test("MapRules opens a remote end with the first call and closes it with the last", () => {
  const { filter, rules } = make();
  rules.openRemote(TCP, SERVER.address, SERVER.port);
  rules.openRemote(TCP, SERVER.address, SERVER.port);
  assert.deepEqual(filter.take(), ["add remote 6 443"]);
  rules.openRemote(UDP, SERVER.address, SERVER.port);
  rules.openRemote(TCP, SERVER_6.address, SERVER_6.port);
  assert.deepEqual(filter.take(), ["add remote 17 443", "add remote 6 443"]);
  rules.closeRemote(TCP, SERVER.address, SERVER.port);
  assert.deepEqual(filter.take(), []);
  rules.closeRemote(TCP, SERVER.address, SERVER.port);
  assert.deepEqual(filter.take(), ["remove remote 6 443"]);
});

Deno.test("MapRules has nothing to apply or to tidy up", () => {
  const { filter, rules } = make();
  rules.apply();
  rules.tidy();
  assert.deepEqual(filter.take(), []);
});
