/**
 * The programs that are tried, and what each of them does.
 *
 * @module
 */
import type { Bench } from "../../tests/support/bench.ts";
import {
  nginxCommand,
  nginxReady,
  sshCommands,
  sshdReady,
  WEB_PORT,
} from "../../tests/support/daemons.ts";
import type { Child } from "../../tests/support/processes.ts";
import { NOBODY } from "../../tests/support/requires.ts";

/** A program at work. */
export interface Scenario {
  /**
   * The command that is traced. A client does so many rounds and ends; 0 is
   * without limit, until it reads `stop`.
   */
  readonly command: (rounds: number) => readonly string[];
  /** Set for servers, which go on until they are told to end. */
  readonly server?: {
    /** Waits until it serves. */
    readonly ready: (server: Child) => Promise<unknown>;
    /** A client that visits it once. */
    readonly visit: readonly string[];
  };
}

/** A program to try. */
export interface Program {
  readonly name: string;
  /** Prints its version. */
  readonly version: readonly string[];
  /** Other programs that it takes. */
  readonly needs?: readonly string[];
  /** Rounds of a client that take a second or so. */
  readonly rounds?: number;
  /** Makes what it needs; a web server runs. */
  readonly prepare: (bench: Bench) => Promise<Scenario>;
}

/** The web server that clients fetch from. */
export const WEB = `http://127.0.0.1:${WEB_PORT}`;

const POSTGRES_PORT = 5433;
const REDIS_PORT = 6390;
const GIT_PORT = 9418;
const GIT_URL = `git://127.0.0.1:${GIT_PORT}/repository`;

/** So that it talks to nobody else. */
const CHROMIUM = [
  ...["chromium", "--headless", "--disable-gpu", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--dump-dom"],
] as const;

function source(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

async function run(bench: Bench, ...argv: string[]): Promise<void> {
  const { code, stderr } = await bench.start(argv).ended(120_000);
  if (code !== 0) throw new Error(`${argv[0]}: ${stderr.trim()}`);
}

function client(...before: string[]): Scenario {
  return { command: (rounds) => [...before, WEB, `${rounds}`] };
}

/** Makes a folder that everybody may write to. */
function openFolder(bench: Bench, name: string): string {
  const path = `${bench.folder}/${name}`;
  Deno.mkdirSync(path);
  Deno.chmodSync(path, 0o777);
  return path;
}

function chromium(bench: Bench, before: readonly string[]): Scenario {
  const page = Deno.readTextFileSync(source("client.html"));
  Deno.writeTextFileSync(`${bench.folder}/client.html`, page);
  const home = openFolder(bench, "home");
  // Root has none.
  const sandbox = before.length === 0 ? ["--no-sandbox"] : [];
  let runs = 0;
  return {
    command: (rounds) => [
      ...["env", `HOME=${home}`, ...before, ...CHROMIUM],
      ...sandbox,
      `--user-data-dir=${home}/${runs++}`,
      `${WEB}/client.html?${rounds}`,
    ],
  };
}

function loop(...command: string[]): Scenario {
  return {
    command: (rounds) => [
      ...["sh", source("loop.sh"), WEB, `${rounds}`],
      ...command,
    ],
  };
}

async function postgres(bench: Bench): Promise<Scenario> {
  const data = openFolder(bench, "data");
  const bin = (await printed("pg_config", "--bindir")).trim();
  // It refuses to run as root, and wants its folder for itself.
  await run(bench, "chown", "nobody", data);
  await run(bench, ...NOBODY, `${bin}/initdb`, "-D", data, "-A", "trust");
  const place = ["-h", "127.0.0.1", "-p", `${POSTGRES_PORT}`];
  const query = "select sum(i) from generate_series(1, 100000) i";
  const psql = `psql -U nobody ${place.join(" ")} -Atc "${query}" postgres`;
  return {
    command: () => [
      ...[...NOBODY, `${bin}/postgres`, "-D", data, "-k", data, ...place],
    ],
    server: {
      ready: (server) => server.seen("stderr", /ready to accept connections/),
      visit: ["sh", "-c", `${psql} && ${psql} & ${psql} && ${psql}; wait`],
    },
  };
}

async function printed(...argv: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(argv[0]!, {
    args: argv.slice(1),
  }).output();
  return new TextDecoder().decode(stdout);
}

function redisServer(bench: Bench): string[] {
  return [
    ...["redis-server", "--port", `${REDIS_PORT}`, "--bind", "127.0.0.1"],
    ...["--save", "", "--appendonly", "no", "--dir", bench.folder],
  ];
}

function redisReady(server: Child): Promise<unknown> {
  return server.seen("stdout", /Ready to accept connections/);
}

/** Prints how many kinds of requests were measured: the rates differ. */
const REDIS_BENCHMARK =
  `redis-benchmark -p ${REDIS_PORT} -n 1000 -c 20 -q -t set,get,incr` +
  ` | tr '\\r' '\\n' | grep -c 'requests per second, p50'`;

async function makeRepository(bench: Bench): Promise<void> {
  const git = (...args: string[]): Promise<void> =>
    run(bench, "git", "-C", `${bench.folder}/repository`, ...args);
  await run(bench, "git", "init", "-q", `${bench.folder}/repository`);
  const name = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
  await git(...name, "commit", "-q", "--allow-empty", "-m", "first");
}

function gitDaemon(bench: Bench): string[] {
  return [
    ...["git", "daemon", "--reuseaddr", "--verbose", "--export-all"],
    ...[`--base-path=${bench.folder}`, "--listen=127.0.0.1"],
    `--port=${GIT_PORT}`,
  ];
}

/** Clones into a folder of its own and prints the subjects. */
const GIT_CLONE = 'into=$(mktemp -d clone.XXXXXX) && git clone -q "$1" ' +
  '"$into" && git -C "$into" log --format=%s && rm -rf "$into"';

/** All of them. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "Chromium as root (--no-sandbox)",
    version: ["chromium", "--version"],
    rounds: 100,
    prepare: async (bench) => chromium(bench, []),
  },
  {
    name: "Chromium with its own sandbox",
    version: ["chromium", "--version"],
    rounds: 100,
    prepare: async (bench) => chromium(bench, NOBODY),
  },
  {
    name: "Node.js",
    version: ["node", "--version"],
    rounds: 150,
    prepare: async () => client("node", source("client.mjs")),
  },
  {
    name: "Java virtual machine",
    version: ["java", "--version"],
    needs: ["javac"],
    rounds: 150,
    prepare: async (bench) => {
      await run(bench, "javac", "-d", bench.folder, source("Client.java"));
      return client("java", "-cp", bench.folder, "Client");
    },
  },
  {
    name: "Python with threads",
    version: ["python3", "--version"],
    rounds: 100,
    prepare: async () => client("python3", source("client.py")),
  },
  {
    name: "Go, static",
    version: ["go", "version"],
    rounds: 300,
    prepare: async (bench) => {
      const target = `${bench.folder}/client-go`;
      const env = ["env", "CGO_ENABLED=0", "GO111MODULE=off"];
      await run(
        ...[bench, ...env, `GOCACHE=${bench.folder}/go-cache`] as const,
        ...["go", "build", "-o", target, source("client.go")],
      );
      return client(target);
    },
  },
  {
    name: "Rust, static",
    version: ["rustc", "--version"],
    rounds: 500,
    prepare: async (bench) => {
      const target = `${bench.folder}/client-rust`;
      const flags = ["-O", "-C", "target-feature=+crt-static"];
      await run(bench, "rustc", ...flags, "-o", target, source("client.rs"));
      return client(target);
    },
  },
  {
    name: "git clone",
    version: ["git", "--version"],
    needs: ["curl"],
    rounds: 15,
    prepare: async (bench) => {
      await makeRepository(bench);
      const daemon = bench.startForeign(gitDaemon(bench));
      await daemon.seen("stderr", /Ready to rumble/);
      return loop("sh", "-c", GIT_CLONE, "sh", GIT_URL);
    },
  },
  {
    name: "git daemon",
    version: ["git", "--version"],
    prepare: async (bench) => {
      await makeRepository(bench);
      return {
        command: () => gitDaemon(bench),
        server: {
          ready: (server) => server.seen("stderr", /Ready to rumble/),
          visit: ["sh", "-c", GIT_CLONE, "sh", GIT_URL],
        },
      };
    },
  },
  {
    name: "ssh",
    version: ["ssh", "-V"],
    needs: ["sshd", "ssh-keygen"],
    rounds: 30,
    prepare: async (bench) => {
      const { server, client } = await sshCommands(bench);
      await sshdReady(bench.startForeign(server));
      const script = source("loop.sh");
      return {
        command: (rounds) => [
          ...[...client, `sh ${script} ${WEB} ${rounds} echo a line`],
        ],
      };
    },
  },
  {
    name: "sshd",
    version: ["ssh", "-V"],
    needs: ["sshd", "ssh-keygen"],
    prepare: async (bench) => {
      const { server, client } = await sshCommands(bench);
      return {
        command: () => server,
        server: { ready: sshdReady, visit: [...client, "echo over ssh"] },
      };
    },
  },
  {
    name: "nginx with workers",
    version: ["nginx", "-v"],
    prepare: async (bench) => {
      // A second one, beside that which tells clients when to stop.
      const port = WEB_PORT + 1;
      const folder = openFolder(bench, "second");
      const command = nginxCommand({ folder, port });
      const url = `http://127.0.0.1:${port}`;
      Deno.writeTextFileSync(`${folder}/next`, "go");
      return {
        command: () => command,
        server: {
          ready: nginxReady,
          visit: ["python3", source("client.py"), url, "25"],
        },
      };
    },
  },
  {
    name: "PostgreSQL",
    version: ["postgres", "--version"],
    needs: ["psql", "pg_config"],
    prepare: postgres,
  },
  {
    name: "redis-server",
    version: ["redis-server", "--version"],
    needs: ["redis-benchmark"],
    prepare: async (bench) => ({
      command: () => redisServer(bench),
      server: { ready: redisReady, visit: ["sh", "-c", REDIS_BENCHMARK] },
    }),
  },
  {
    name: "redis-benchmark",
    version: ["redis-benchmark", "--version"],
    needs: ["redis-server"],
    rounds: 10,
    prepare: async (bench) => {
      await redisReady(bench.startForeign(redisServer(bench)));
      return loop("sh", "-c", REDIS_BENCHMARK);
    },
  },
];

/** Starts the web server and lets clients go on. */
export async function startWeb(bench: Bench): Promise<void> {
  setGo(bench, true);
  await nginxReady(bench.startForeign(nginxCommand(bench)));
}

/** Whether clients go on. */
export function setGo({ folder }: Bench, go: boolean): void {
  Deno.writeTextFileSync(`${folder}/next`, go ? "go" : "stop");
}
