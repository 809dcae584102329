/**
 * The shell scripts that find Deno, with stand-ins for Deno and npm: a fake
 * Deno prints its arguments, a fake npm "installs" one.
 */

import assert from "node:assert/strict";

const ROOT = new URL("../../../", import.meta.url).pathname;

const FAKE_NPM = `#!/bin/sh
echo "npm $*" >>"$LOG"
[ -z "\${NPM_FAILS-}" ] || { echo "npm error network"; exit 1; }
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/@deno/linux"
for last; do :; done
fake_deno "$2/node_modules/@deno/linux/deno" "\${last#deno@}"
`;

/** Writes a fake Deno of a version into a file. */
const FAKE_MAKER = `#!/bin/sh
cat >"$1" <<END
#!/bin/sh
echo "deno $2 \\$1" >>"\\$LOG"
if [ "\\$1" = eval ]; then echo "$2 \\$0"; else printf '%s\\n' "$2" "\\$@"; fi
END
chmod +x "$1"
`;

/** Tools that the scripts use; the machine's own Deno and npm stay hidden. */
const TOOLS = [
  "cat",
  "chmod",
  "cut",
  "env",
  "getent",
  "grep",
  "id",
  "mkdir",
  "mktemp",
  "mv",
  "readlink",
  "rm",
  "sh",
  "tail",
];

interface Answer {
  readonly code: number;
  /** Lines. */
  readonly stdout: readonly string[];
  readonly stderr: string;
}

/** A machine with an empty home and only the programs that are put there. */
class Machine {
  readonly folder = Deno.makeTempDirSync();
  readonly env: Record<string, string>;

  constructor() {
    for (const name of ["bin", "home"]) Deno.mkdirSync(this.path(name));
    this.env = {
      PATH: this.path("bin"),
      HOME: this.path("home"),
      LOG: this.path("log"),
    };
    for (const name of TOOLS) {
      Deno.symlinkSync(findTool(name), this.path(`bin/${name}`));
    }
    this.program("fake_deno", FAKE_MAKER);
    Deno.writeTextFileSync(this.env["LOG"]!, "");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  program(name: string, text: string): void {
    Deno.writeTextFileSync(this.path(`bin/${name}`), text, { mode: 0o755 });
  }

  npm(): void {
    this.program("npm", FAKE_NPM);
  }

  /** Puts a Deno into PATH, or another file. */
  async deno(version: string, file = this.path("bin/deno")): Promise<void> {
    await this.run([this.path("bin/fake_deno"), file, version]);
    // Notes about an executable hold while they are newer than it.
    Deno.utimeSync(file, 1, 1);
  }

  async run(argv: readonly string[]): Promise<Answer> {
    const { code, stdout, stderr } = await new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      clearEnv: true,
      env: this.env,
      cwd: this.folder,
      stdin: "null",
    }).output();
    const text = new TextDecoder();
    return {
      code,
      stdout: text.decode(stdout).split("\n").slice(0, -1),
      stderr: text.decode(stderr),
    };
  }

  async tracedump(...args: readonly string[]): Promise<Answer> {
    return await this.run([`${ROOT}scripts/tracedump`, ...args]);
  }

  /** Takes what fakes did since the last call. */
  takeLog(): string {
    const log = Deno.readTextFileSync(this.env["LOG"]!);
    Deno.writeTextFileSync(this.env["LOG"]!, "");
    return log;
  }
}

function findTool(name: string): string {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  for (const folder of folders) {
    try {
      if (Deno.statSync(`${folder}/${name}`).isFile) return `${folder}/${name}`;
    } catch {
      continue;
    }
  }
  throw new Error(`Cannot find the program "${name}"`);
}

Deno.test("scripts/tracedump uses a new enough Deno of PATH, asked once", async () => {
  using machine = new Machine();
  await machine.deno("2.4.0");
  const first = await machine.tracedump("-o", "a b", "--", "x", "");
  assert.equal(first.stderr, "");
  assert.equal(first.stdout[0], "2.4.0");
  assert.equal(first.stdout[1], "run");
  assert.deepEqual(first.stdout.slice(-6), [
    `${ROOT}scripts/../main.ts`,
    "-o",
    "a b",
    "--",
    "x",
    "",
  ]);
  assert.equal(machine.takeLog(), "deno 2.4.0 eval\ndeno 2.4.0 run\n");
  await machine.tracedump();
  assert.equal(machine.takeLog(), "deno 2.4.0 run\n");
});

Deno.test("scripts/tracedump looks again at a Deno that was replaced", async () => {
  using machine = new Machine();
  machine.npm();
  await machine.deno("2.3.7");
  const old = await machine.tracedump();
  assert.equal(old.stdout[0], "2.9.6");
  await machine.deno("2.5.0");
  const future = Date.now() / 1000 + 3600;
  Deno.utimeSync(machine.path("bin/deno"), future, future);
  assert.equal((await machine.tracedump()).stdout[0], "2.5.0");
});

Deno.test("scripts/tracedump accepts versions by number, not by text", async () => {
  for (
    const [version, expected] of [
      ["1.46.3", "2.9.6"],
      ["2.3.9", "2.9.6"],
      ["2.10.0", "2.10.0"],
      ["3.0.0", "3.0.0"],
      ["2.4.0-rc.1", "2.4.0-rc.1"],
    ] as const
  ) {
    using machine = new Machine();
    machine.npm();
    await machine.deno(version);
    assert.equal((await machine.tracedump()).stdout[0], expected, version);
  }
});

Deno.test("scripts/tracedump fetches Deno once and keeps only that", async () => {
  using machine = new Machine();
  machine.npm();
  const first = await machine.tracedump("--version");
  assert.equal(
    first.stderr,
    "tracedump: fetching Deno 2.9.6 from npm, once\n",
  );
  assert.equal(first.stdout[0], "2.9.6");
  assert.match(machine.takeLog(), /^npm install .*--ignore-scripts.* deno@2/);
  const second = await machine.tracedump("--version");
  assert.equal(second.stderr, "");
  assert.equal(machine.takeLog(), "deno 2.9.6 run\n");
  const cache = machine.path("home/.cache/tracedump");
  assert.deepEqual([...Deno.readDirSync(cache)].map(({ name }) => name), [
    "deno-2.9.6",
  ]);
});

Deno.test("scripts/tracedump may be called many times at once", async () => {
  using machine = new Machine();
  machine.npm();
  const answers = await Promise.all(
    Array.from({ length: 5 }, (_, at) => machine.tracedump(`${at}`)),
  );
  for (const [at, { code, stdout }] of answers.entries()) {
    assert.equal(code, 0);
    assert.equal(stdout.at(-1), `${at}`);
  }
});

Deno.test("scripts/tracedump works through links and in any folder", async () => {
  using machine = new Machine();
  await machine.deno("2.9.6");
  Deno.symlinkSync(`${ROOT}scripts/tracedump`, machine.path("bin/td"));
  Deno.symlinkSync("td", machine.path("bin/td2"));
  const { stdout } = await machine.run([
    machine.path("bin/sh"),
    "-c",
    "td2 --help",
  ]);
  assert.deepEqual(stdout.slice(-2), [`${ROOT}scripts/../main.ts`, "--help"]);
});

Deno.test("scripts/tracedump takes the Deno that DENO names", async () => {
  using machine = new Machine();
  await machine.deno("9.9.9", machine.path("my-deno"));
  machine.env["DENO"] = machine.path("my-deno");
  assert.equal((await machine.tracedump()).stdout[0], "9.9.9");
  machine.env["DENO"] = "/no/such/deno";
  const { code, stderr } = await machine.tracedump();
  assert.equal(code, 1);
  assert.equal(stderr, "tracedump: Cannot run $DENO: /no/such/deno\n");
});

Deno.test("scripts/tracedump says what to do without Deno and npm", async () => {
  using machine = new Machine();
  const { code, stderr } = await machine.tracedump();
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^tracedump: Cannot find Deno 2\.4 or newer, nor npm to fetch it\ntracedump: hint: .*\n$/,
  );
});

Deno.test("scripts/tracedump says when npm fails and leaves nothing behind", async () => {
  using machine = new Machine();
  machine.npm();
  machine.env["NPM_FAILS"] = "1";
  const { code, stderr } = await machine.tracedump();
  assert.equal(code, 1);
  assert.match(stderr, /npm error network\ntracedump: Cannot fetch Deno 2/);
  const cache = machine.path("home/.cache/tracedump");
  assert.deepEqual([...Deno.readDirSync(cache)], []);
});

Deno.test("scripts/tracedump names the variables that it sets", async () => {
  using machine = new Machine();
  machine.program("deno", "#!/bin/sh\n[ $1 = eval ] && echo 2.9.6 $0 || env\n");
  Deno.utimeSync(machine.path("bin/deno"), 1, 1);
  const { stdout } = await machine.tracedump();
  const ours = "DENO_NO_UPDATE_CHECK DENO_UNSTABLE_LAZY_DYNAMIC_IMPORTS";
  assert.ok(stdout.includes(`TRACEDUMP_LAUNCHER_VARIABLES= DENO_DIR ${ours}`));
  machine.env["DENO_DIR"] = machine.path("own");
  const own = await machine.tracedump();
  assert.ok(own.stdout.includes(`DENO_DIR=${machine.path("own")}`));
  assert.ok(own.stdout.includes(`TRACEDUMP_LAUNCHER_VARIABLES= ${ours}`));
});
