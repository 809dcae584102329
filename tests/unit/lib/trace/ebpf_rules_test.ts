import { deepEqual } from "node:assert/strict";
import { MapRules, type RuleFilter } from "../../../../lib/trace/ebpf_rules.ts";

const TCP = 6;
const UDP = 17;

/** Notes what reaches the kernel. */
function recording(): { filter: RuleFilter; calls: string[] } {
  const calls: string[] = [];
  const filter: RuleFilter = {
    setPort: (protocol, port) => void calls.push(`+${protocol}/${port}`),
    removePort: (protocol, port) => {
      calls.push(`-${protocol}/${port}`);
      return true;
    },
    addRemote: (protocol, { address, port }) =>
      void calls.push(`+${protocol} ${address.at(-1)}:${port}`),
    removeRemote: (protocol, { address, port }) => {
      calls.push(`-${protocol} ${address.at(-1)}:${port}`);
      return true;
    },
  };
  return { filter, calls };
}

Deno.test("MapRules adds a port once and removes it with its last socket", () => {
  const { filter, calls } = recording();
  const rules = new MapRules(filter);
  rules.openPort(TCP, 80);
  rules.openCoveredPort(TCP, 80);
  rules.openPort(UDP, 80);
  rules.closePort(TCP, 80);
  deepEqual(calls, ["+6/80", "+17/80"]);
  rules.closePort(TCP, 80);
  rules.closePort(TCP, 80);
  deepEqual(calls, ["+6/80", "+17/80", "-6/80"]);
});

Deno.test("MapRules tells remote ends apart by protocol, address and port", () => {
  const { filter, calls } = recording();
  const rules = new MapRules(filter);
  const [a, b] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
  rules.openRemote(TCP, a, 80);
  rules.openRemote(TCP, a, 80);
  rules.openRemote(TCP, b, 80);
  rules.openRemote(UDP, a, 80);
  rules.closeRemote(TCP, a, 80);
  deepEqual(calls, ["+6 1:80", "+6 2:80", "+17 1:80"]);
  rules.closeRemote(TCP, a, 80);
  rules.closeRemote(TCP, a, 80);
  rules.closeRemote(UDP, a, 80);
  deepEqual(calls.slice(3), ["-6 1:80", "-17 1:80"]);
});
