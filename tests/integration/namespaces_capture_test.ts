import assert from "node:assert/strict";
import type { Bench } from "../support/bench.ts";
import { compileWorkload } from "../support/compile.ts";
import { captureTest } from "../support/harness.ts";
import { NEAR } from "../support/network.ts";
import {
  type EchoServer,
  freePort,
  startEchoServer,
} from "../support/servers.ts";
import { parseCapture, type TestPacket } from "../support/packets.ts";
import { type Moment, Truth } from "../support/truth.ts";

const OPTIONS = { network: "ethernet", needs: ["IPv6"] } as const;
const VISITS = 12;

function namespaceTest(
  name: string,
  tracker: "ebpf" | "ptrace",
  body: (bench: Bench, options: readonly string[]) => Promise<void>,
): void {
  captureTest(`network namespaces: ${name}: ${tracker}`, async (bench) => {
    if (!bench.isTracker(tracker)) return;
    await body(bench, bench.trackerOptions(tracker));
  }, OPTIONS);
}

/** An echo server in the namespace that the tool is in. */
async function nearServer(bench: Bench): Promise<EchoServer> {
  return await startEchoServer(bench.startForeign.bind(bench), NEAR);
}

/** What two independent captures see, one after the other. */
function joined(first: Truth, second: Truth): Pick<Truth, "mark" | "stop"> {
  return {
    async mark(): Promise<Moment> {
      await first.mark();
      return await second.mark();
    },
    async stop(): Promise<readonly TestPacket[]> {
      return [...await first.stop(), ...await second.stop()];
    },
  };
}

for (const tracker of ["ebpf", "ptrace"] as const) {
  namespaceTest("a command inside", tracker, async (bench, options) => {
    await bench.scene();
    const server = await nearServer(bench);
    const tcp = await compileWorkload("tcp_client");
    const udp = await compileWorkload("udp_client");
    const script = `"$0" blocking ${server.tcp4} 20 &&
      "$0" blocking ${server.tcp6} 5 && "$1" many ${server.udp4}`;
    const inside = ["sh", "-c", script, tcp, udp];
    const tool = bench.launch([...bench.far.prefix, ...inside], { options });
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ sockets: 65 });
  });

  namespaceTest("a process inside", tracker, async (bench, options) => {
    await bench.scene();
    const server = await compileWorkload("tcp_server");
    const argv = [server, "prefork", "0.0.0.0:0", `${VISITS}`];
    const target = bench.start([...bench.far.prefix, ...argv]);
    const { value } = await bench.log.event("listening");
    const truth = await Truth.start({
      file: `${bench.folder}/far.pcap`,
      device: "lo",
      markTo: "127.0.0.1:9",
    }, bench.startFar.bind(bench));
    const tool = await bench.attach([target.pid], { options });
    const client = await compileWorkload("tcp_client");
    const address = value.replace("0.0.0.0", "127.0.0.1");
    const visitor = [client, "blocking", address, `${VISITS}`];
    assert.equal((await bench.startFar(visitor).ended()).code, 0);
    assert.equal((await target.ended()).code, 0);
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ truth, owned: "all" });
  });

  namespaceTest("moving with setns", tracker, async (bench, options) => {
    const far = await bench.scene();
    const near = await nearServer(bench);
    const mover = await compileWorkload("netns_mover");
    const path = bench.far.path;
    const moves = ["-", far.tcp4, path, near.tcp4, "-", near.tcp6];
    const tool = bench.launch([mover, ...moves], { options });
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ sockets: 9 });
  });

  namespaceTest("two at once", tracker, async (bench, options) => {
    const far = await bench.scene();
    const near = await nearServer(bench);
    const client = await compileWorkload("tcp_client");
    const inside = bench.far.prefix.join(" ");
    const script = `"$0" blocking ${far.tcp4} 20 &
      ${inside} "$0" blocking ${near.tcp4} 20 && wait $!`;
    const tool = bench.launch(["sh", "-c", script, client], { options });
    assert.equal((await tool.ended()).code, 0);
    await bench.verify({ sockets: 40 });
  });

  namespaceTest(
    "same addresses and ports here and there",
    tracker,
    async (bench, options) => {
      await bench.scene();
      const server = await compileWorkload("tcp_server");
      const client = await compileWorkload("tcp_client");
      const argv = [server, "fork", "127.0.0.1:0", `${VISITS}`];
      const target = bench.start([...bench.far.prefix, ...argv]);
      const { value } = await bench.log.event("listening");
      const twin = bench.startForeign([server, "fork", value, `${VISITS}`]);
      await bench.foreignLog.event("listening");
      const truth = await Truth.start({
        file: `${bench.folder}/far.pcap`,
        device: "lo",
        markTo: "127.0.0.1:9",
      }, bench.startFar.bind(bench));
      const tool = await bench.attach([target.pid], { options });
      const visitor = [client, "blocking", value, `${VISITS}`];
      const visitors = [bench.startForeign(visitor), bench.startFar(visitor)];
      for (const child of [...visitors, twin, target]) {
        assert.equal((await child.ended()).code, 0);
      }
      assert.equal((await tool.ended()).code, 0);
      await bench.verify({ truth, owned: "all" });
    },
  );

  namespaceTest("the same ends twice", tracker, async (bench, options) => {
    await bench.scene();
    const server = await compileWorkload("tcp_server");
    const twins = await compileWorkload("netns_twins");
    const [local, remote] = [freePort(), freePort()].map((port) =>
      `127.0.0.1:${port}`
    );
    const argv = [server, "one", remote!, "1"];
    const servers = [bench.startForeign(argv), bench.startFar(argv)];
    await bench.foreignLog.event("listening", 2);
    const [near, far] = await Promise.all([
      bench.startForeign.bind(bench),
      bench.startFar.bind(bench),
    ].map((start, i) =>
      Truth.start({
        file: `${bench.folder}/truth${i}.pcap`,
        device: "lo",
        markTo: "127.0.0.1:9",
      }, start)
    ));
    // The tool enters the namespace that the command line names.
    const tool = bench.launch([twins, bench.far.path, local!, remote!], {
      options,
      stdin: "piped",
    });
    for (const event of ["open", "closed"]) {
      await bench.log.event(event);
      await tool.writeLine();
    }
    for (const child of [tool, ...servers]) {
      assert.equal((await child.ended()).code, 0);
    }
    await bench.verify({ truth: joined(near!, far!), owned: "all" });
  });

  // Nothing names the namespace beforehand: the program may be faster, but
  // nothing is missed or there twice once packets are seen.
  namespaceTest("moving unannounced", tracker, async (bench, options) => {
    await bench.scene();
    const mover = await compileWorkload("netns_exec");
    const burst = await compileWorkload("udp_burst");
    const truth = await Truth.start({
      file: `${bench.folder}/far.pcap`,
      device: "lo",
      markTo: "127.0.0.1:9",
    }, bench.startFar.bind(bench));
    const argv = [mover, burst, `127.0.0.1:${freePort()}`, "1500", "50"];
    const tool = bench.launch(argv, {
      options,
      env: { MOVE_TO: bench.far.path },
    });
    assert.equal((await tool.ended()).code, 0);
    await truth.mark();
    const sent = (await truth.stop()).filter((packet) =>
      packet.protocol === "udp" && !packet.bytes.includes("moment ")
    );
    const { packets } = parseCapture(await Deno.readFile(bench.output));
    const missed = sent.length - packets.length;
    assert.deepEqual(
      packets.map(({ bytes }) => bytes),
      sent.slice(missed).map(({ bytes }) => bytes),
    );
    assert.ok(packets.length > 0);
    assert.ok(missed === 0 || tool.stderr.includes("entered too late"));
  });

  namespaceTest(
    "without the right to enter",
    tracker,
    async (bench, options) => {
      await bench.scene();
      const server = await compileWorkload("tcp_server");
      const client = await compileWorkload("tcp_client");
      const argv = [server, "fork", "127.0.0.1:0", `${VISITS}`];
      const target = bench.start([...bench.far.prefix, ...argv]);
      const { value } = await bench.log.event("listening");
      const tool = await bench.attach([target.pid], {
        options,
        through: ["setpriv", "--bounding-set=-sys_admin"],
      });
      const visitor = [client, "blocking", value, `${VISITS}`];
      assert.equal((await bench.startFar(visitor).ended()).code, 0);
      assert.equal((await target.ended()).code, 0);
      const { code, stderr } = await tool.ended();
      assert.equal(code, 0);
      const warnings = stderr.match(/.*another network namespace.*/g) ?? [];
      assert.equal(warnings.length, 1, stderr);
      assert.match(
        warnings[0]!,
        /packets are missed: CAP_SYS_ADMIN is missing/,
      );
    },
  );
}
