import { deepEqual, equal, throws } from "node:assert/strict";
import { parseTimes } from "../../../scripts/bench_loop.ts";
import { shortVersion } from "../../../scripts/bench_machine.ts";
import { parseWrk } from "../../../scripts/bench_nginx.ts";
import { parseCpuTicks, parseMemory } from "../../../scripts/bench_procfs.ts";
import { somePorts } from "../../../scripts/bench_rules.ts";
import { parseTcpdump } from "../../../scripts/bench_tcpdump.ts";
import { parseTotals } from "../../../scripts/bench_workspace.ts";

Deno.test("parseTotals() reads the tool's last message", () => {
  deepEqual(
    parseTotals(
      "tracedump: capturing process 7 (nginx) into /tmp/x.pcap\n" +
        "tracedump: 1,234,567 packets (98.7 MB) of 1,002 sockets written to " +
        "/tmp/x.pcap, 3 dropped by kernel\nnginx (7), 2 flows:\n",
    ),
    { packets: 1_234_567, sockets: 1002, drops: 3 },
  );
  deepEqual(
    parseTotals(
      "tracedump: 1 packet (60 B) of 1 socket written to x, " +
        "0 dropped by kernel\n",
    ),
    { packets: 1, sockets: 1, drops: 0 },
  );
});

Deno.test("parseTotals() tells the first line of what came instead", () => {
  throws(
    () => parseTotals("tracedump: Cannot attach\ntracedump: hint: none\n"),
    /Cannot attach$/,
  );
});

Deno.test("parseWrk() reads the rate and errors", () => {
  const text = "Running 1s test @ http://127.0.0.1:8091/\n" +
    "  24114 requests in 1.00s, 3.82MB read\n";
  deepEqual(parseWrk(`${text}Requests/sec:  24113.94\nTransfer/sec: 3.8MB\n`), {
    requests: 24_114,
    perSecond: 24_113.94,
    errors: undefined,
  });
  equal(
    parseWrk(
      `${text}  Socket errors: connect 0, read 5, write 0, timeout 0\n` +
        "Requests/sec:  7.00\n",
    ).errors,
    "Socket errors: connect 0, read 5, write 0, timeout 0",
  );
  throws(() => parseWrk("unable to connect\n"), /unable to connect/);
});

Deno.test("parseTcpdump() reads the counters", () => {
  deepEqual(
    parseTcpdump(
      "tcpdump: listening on lo, link-type EN10MB (Ethernet), snapshot " +
        "length 262144 bytes\n35326 packets captured\n" +
        "70700 packets received by filter\n12 packets dropped by kernel\n",
    ),
    { packets: 35_326, drops: 12 },
  );
  throws(() => parseTcpdump("tcpdump: lo: no such device\n"));
});

Deno.test("parseTimes() reads nanoseconds of both loops", () => {
  deepEqual(parseTimes("ready\ngetppid 98.5 connect 21034.0\n"), [
    98.5,
    21_034,
  ]);
  throws(() => parseTimes("ready\n"));
});

Deno.test("parseCpuTicks() adds user and system time behind any name", () => {
  equal(
    parseCpuTicks(
      "4242 (a) b (c) S 1 4242 4242 0 -1 4194560 100 0 0 0 123 45 6 7 20 0 1",
    ),
    168,
  );
});

Deno.test("parseMemory() gives bytes", () => {
  deepEqual(
    parseMemory("Name:\tx\nVmRSS:\t  100 kB\nRssAnon:\t   60 kB\n"),
    { resident: 102_400, anonymous: 61_440 },
  );
  equal(parseMemory("Name:\tkthreadd\n").resident, NaN);
});

Deno.test("shortVersion() finds the number in what programs print", () => {
  equal(shortVersion("strace -- version 6.1"), "6.1");
  equal(shortVersion("nginx version: nginx/1.22.1"), "1.22.1");
  equal(shortVersion("wrk debian/4.1.0-3+b2 [epoll]"), "4.1.0-3+b2");
  equal(shortVersion("unknown"), "unknown");
});

Deno.test("somePorts() gives different ports without the excepted one", () => {
  const ports = somePorts(60_000, 12_345);
  equal(new Set(ports).size, 60_000);
  equal(ports.includes(12_345), false);
  equal(ports.every((port) => port >= 1024 && port <= 65_535), true);
  throws(() => somePorts(65_000), RangeError);
});
