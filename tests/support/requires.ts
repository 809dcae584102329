/**
 * What a test needs of the machine. A test whose needs are not met is skipped
 * and its name tells why; with `CI=true` in the environment it fails instead.
 *
 * @module
 */

import { TOOL } from "./tool.ts";

/** Anything that a test may need beside Deno. */
export type Requirement =
  | "root"
  | "IPv6"
  | "gcc"
  | "gcc -m32"
  | "network namespaces"
  | "VLAN devices"
  | "UDP-Lite"
  | "mount namespaces"
  | "kernel thread 2"
  | "unprivileged tool"
  | `program ${string}`;

/** Starts a program as a user without any rights. */
export const NOBODY: readonly string[] = [
  "setpriv",
  "--reuid=65534",
  "--regid=65534",
  "--clear-groups",
];

const known = new Map<Requirement, string | undefined>();

/**
 * Says what is missing.
 *
 * @returns `undefined` when all is there.
 */
export function missing(needs: readonly Requirement[]): string | undefined {
  for (const need of needs) {
    if (!known.has(need)) known.set(need, probe(need));
    const reason = known.get(need);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Whether skipping is not allowed. */
export function isContinuousIntegration(): boolean {
  return Deno.env.get("CI") === "true";
}

/** Finds a program in `PATH` or, for daemons, in the system's folders. */
export function findProgram(name: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  for (const folder of [...folders, "/usr/sbin", "/sbin"]) {
    const path = `${folder}/${name}`;
    try {
      const info = Deno.statSync(path);
      if (info.isFile && ((info.mode ?? 0) & 0o111) !== 0) return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

function probe(need: Requirement): string | undefined {
  switch (need) {
    case "root":
      return Deno.uid() === 0 ? undefined : "needs root";
    case "IPv6":
      return readText("/proc/net/if_inet6").includes(" lo")
        ? undefined
        : "needs IPv6 on the loopback interface";
    case "gcc":
      return findProgram("gcc") === undefined ? "needs gcc" : undefined;
    case "gcc -m32":
      return compilesFor32Bits()
        ? undefined
        : "needs gcc -m32 and the 32-bit libc (libc6-dev-i386)";
    case "network namespaces":
      return succeeds(["unshare", "--net", "ip", "link", "set", "lo", "up"])
        ? undefined
        : "needs the right to make network namespaces";
    case "UDP-Lite":
      // Newer kernels do without (the file came with the protocol).
      return readText("/proc/net/udplite") === ""
        ? "needs a kernel with UDP-Lite"
        : undefined;
    case "VLAN devices": {
      const script = "ip link add veth0 type veth && " +
        "ip link add link veth0 name vlan1 type vlan id 1";
      return succeeds(["unshare", "--net", "sh", "-c", script])
        ? undefined
        : "needs a kernel with VLANs";
    }
    case "mount namespaces":
      return succeeds(["unshare", "--mount", "true"])
        ? undefined
        : "needs the right to make mount namespaces";
    case "kernel thread 2":
      return readText("/proc/2/status").startsWith("Name:\tkthreadd")
        ? undefined
        : "needs to see the kernel's threads (no pid namespace)";
    case "unprivileged tool":
      return succeeds([...NOBODY, ...TOOL, "--version"])
        ? undefined
        : "needs a tool and a runtime that other users may read";
    default: {
      const program = need.slice("program ".length);
      return findProgram(program) === undefined
        ? `needs ${program}`
        : undefined;
    }
  }
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

function succeeds(argv: readonly string[]): boolean {
  try {
    const { success } = new Deno.Command(argv[0]!, {
      args: argv.slice(1),
      // Other users cannot write to the cache of the runtime.
      env: { DENO_DIR: "/nonexistent" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}

function compilesFor32Bits(): boolean {
  const folder = Deno.makeTempDirSync({ prefix: "tracedump-m32-" });
  try {
    const source = `${folder}/empty.c`;
    Deno.writeTextFileSync(source, "#include <stdio.h>\nint main(void) {}\n");
    return succeeds(["gcc", "-m32", "-o", `${folder}/empty`, source]) &&
      succeeds([`${folder}/empty`]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
