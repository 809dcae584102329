/**
 * A virtual machine with this machine's root folder and a kernel of its own.
 *
 * @module
 */

import { join } from "node:path";
import { type ArchiveFile, writeArchive } from "./initramfs.ts";
import { ModuleFolder } from "./modules.ts";
import type { UnpackedKernel } from "./packages.ts";

/** How the machine is made. */
export interface MachineOptions {
  readonly kernel: UnpackedKernel;
  /** Shared with the machine as `/run/results`. */
  readonly results: string;
  /** Longest time in seconds. */
  readonly limit: number;
}

/** Modules to load before anything is mounted. */
const MODULES = [
  ...["virtio_pci", "virtio_rng", "9pnet_virtio", "9p", "overlay"],
  // What the tests use; nothing loads modules later.
  ...["veth", "inet_diag", "tcp_diag", "udp_diag", "unix_diag"],
];
const BUSYBOX = "/bin/busybox";
const MEMORY = "3G";
const PROCESSORS = "2";

/**
 * Runs a machine until it turns itself off.
 *
 * @returns Whether it did so in time.
 */
export async function runMachine(options: MachineOptions): Promise<boolean> {
  const { kernel, results, limit } = options;
  const work = await Deno.makeTempDir({ prefix: "tracedump-machine-" });
  try {
    const initramfs = join(work, "initramfs");
    await Deno.writeFile(initramfs, makeInitramfs(kernel));
    const child = new Deno.Command("nice", {
      args: ["-n", "19", ...commandLine(kernel, initramfs, results)],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const stop = (): void => child.kill("SIGKILL");
    Deno.addSignalListener("SIGINT", stop);
    Deno.addSignalListener("SIGTERM", stop);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      stop();
    }, limit * 1000);
    const { success } = await child.status;
    clearTimeout(timer);
    Deno.removeSignalListener("SIGINT", stop);
    Deno.removeSignalListener("SIGTERM", stop);
    return success && !isLate;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

function commandLine(
  { image }: UnpackedKernel,
  initramfs: string,
  results: string,
): string[] {
  const guest = new URL("guest.sh", import.meta.url).pathname;
  const share = (tag: string, path: string, more: string): string[] => [
    "-virtfs",
    `local,path=${path},mount_tag=${tag},security_model=none,${more}`,
  ];
  return [
    "qemu-system-x86_64",
    ...["-accel", "tcg,thread=multi", "-cpu", "max"],
    ...["-smp", PROCESSORS, "-m", MEMORY],
    ...["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"],
    ...["-serial", `file:${join(results, "console")}`],
    ...["-device", "virtio-rng-pci"],
    ...share("root", "/", "readonly=on,multidevs=remap"),
    ...share("results", results, "multidevs=remap"),
    ...["-kernel", image, "-initrd", initramfs],
    "-append",
    `console=ttyS0 loglevel=4 panic=-1 no_timer_check random.trust_cpu=on ` +
    `mitigations=off tracedump.guest=${guest}`,
  ];
}

function makeInitramfs(kernel: UnpackedKernel): Uint8Array<ArrayBuffer> {
  const init = new URL("init.sh", import.meta.url);
  const modules = new ModuleFolder(kernel.modules).collect(MODULES);
  const files: ArchiveFile[] = [
    { path: "init", bytes: Deno.readFileSync(init), isExecutable: true },
    {
      path: "bin/busybox",
      bytes: Deno.readFileSync(BUSYBOX),
      isExecutable: true,
    },
    {
      path: "modules/order",
      bytes: new TextEncoder().encode([...modules.keys(), ""].join("\n")),
    },
  ];
  for (const [name, bytes] of modules) {
    files.push({ path: `modules/${name}`, bytes });
  }
  return writeArchive(files);
}
