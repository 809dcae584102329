/**
 * What is run on each kernel.
 *
 * @module
 */

/** One run of a program in the virtual machine. */
export interface Step {
  readonly name: string;
  /** In the report. */
  readonly title: string;
  /** Seconds that it may take there. */
  readonly limit: number;
  /** Arguments of Deno. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Of each file some cases: starting the program takes half a minute there. */
const TRACKER_CASES: readonly string[] = [
  ...["TCP: 60 at once", "TCP server: fork", "UDP: connected", "UDP server"],
  "process tree: fork",
];

/** Exactness of each program of the views. */
const VIEW_CASES: readonly string[] = [
  "watchConnections\\(\\) tells every attempt with its result",
  "watchConnections\\(\\) without cgroup",
  "watchSessions\\(\\) tells both ends with exact bytes",
  "watchSessions\\(\\) knows who accepted, also after fork",
  "watchStates\\(\\) tells every change of both ends",
  "watchRetransmits\\(\\) names the owner of the connection",
  "without (?:slots|tp_btf), (?:attempts|sessions) are told the same",
];

const LAUNCHED = "TCP client: blocking connect";
const TREE = "process tree: fork";
const ATTACHED = "attach: program with 8 threads";
const SERVER = "TCP server: one at 127.0.0.1:0, launched";

/** Sets of options and the cases that are run with each. */
const CAPTURES: readonly (readonly [string, readonly string[]])[] = [
  ["--tracker cg --kernel-filter map", [LAUNCHED, ATTACHED]],
  ["--tracker ptrace --kernel-filter classic", [TREE, ATTACHED]],
  ["--tracker fe", [LAUNCHED, SERVER]],
  ["--tracker tp", [LAUNCHED]],
  ["--tracker ptrace --kernel-filter map", [LAUNCHED]],
  ["--tracker cg --kernel-filter classic", [LAUNCHED]],
];

/** All steps in their order. */
export const STEPS: readonly Step[] = [
  {
    name: "probe",
    title: "Loading",
    limit: 120,
    args: ["run", "-A", "--no-check", "scripts/test_kernels/probe.ts"],
  },
  {
    name: "choice",
    title: "Choice of `auto`",
    limit: 120,
    args: [
      ...["run", "-A", "--no-check", "main.ts", "-V"],
      ...["-o", "/tmp/dump.pcap", "--", "true"],
    ],
  },
  tests("filter", "Filter: `ebpf_filter_test.ts`", 240, ["ebpf_filter"]),
  tests(
    "tracker",
    "Tracker: part of `ebpf_tracker_test.ts`",
    480,
    ["ebpf_tracker"],
    `^(?:cg|fe|tp): (?:${TRACKER_CASES.join("|")})$`,
  ),
  tests(
    "views",
    "Views: part of `views_test.ts` and `views_rungs_test.ts`",
    600,
    ["views", "views_rungs"],
    `^(?:${VIEW_CASES.join("|")})$`,
  ),
  ...CAPTURES.map(([options, cases], at) => ({
    ...tests(
      `capture${at}`,
      `Captures with \`${options}\``,
      150 * cases.length,
      [
        "client_capture",
        "process_tree_capture",
        "attach_capture",
        "server_capture",
      ],
      `^(?:${cases.join("|")}) --`,
    ),
    env: { TRACEDUMP_VARIANTS: options },
  })),
  tests(
    "classic",
    "Classic filter: part of `bpf_kernel_test.ts`",
    240,
    ["bpf_kernel"],
    "^Linux (?:gives the verdicts|takes capture filters|returns A)",
  ),
];

function tests(
  name: string,
  title: string,
  limit: number,
  files: readonly string[],
  pattern?: string,
): Step {
  const filter = pattern === undefined ? [] : [`--filter=/${pattern}/`];
  const paths = files.map((file) => `tests/integration/${file}_test.ts`);
  const args = ["test", "-A", "--no-check", "--frozen", ...filter, ...paths];
  return { name, title, limit, args };
}

/** The step as a shell script. */
export function scriptOf(
  { args, env = {} }: Step,
  deno: string,
  project: string,
  more: Readonly<Record<string, string>>,
): string {
  const settings = Object.entries({ ...more, ...env }).map(([name, value]) =>
    `export ${name}=${quote(value)}\n`
  );
  return `cd ${quote(project)}\n${settings.join("")}` +
    `exec ${[deno, ...args].map(quote).join(" ")}\n`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
