/**
 * Fetches Debian's kernel packages through apt, with settings, package lists
 * and status of its own: those of the system stay as they are.
 *
 * @module
 */

import { join } from "node:path";

/** A kernel that can be tested. */
export interface Kernel {
  /** As on the command line. */
  readonly version: string;
  /** Debian release that has it. */
  readonly suite: string;
}

/** Kernels in the order in which they are tested. */
export const KERNELS: readonly Kernel[] = [
  { version: "5.10", suite: "bullseye" },
  { version: "6.1", suite: "bookworm" },
  { version: "6.12", suite: "trixie" },
];

/** A kernel on this machine. */
export interface UnpackedKernel {
  /** Name of the package and its version. */
  readonly source: string;
  /** The compressed kernel itself. */
  readonly image: string;
  /** Folder of its modules. */
  readonly modules: string;
}

const MIRROR = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
/** Depends on the release's newest kernel. */
const META_PACKAGE = "linux-image-amd64";

/**
 * Fetches a kernel unless the folder has it already.
 *
 * @param folder Where all files of this kernel go.
 */
export async function fetchKernel(
  { suite }: Kernel,
  folder: string,
): Promise<UnpackedKernel> {
  const known = unpackedIn(folder);
  if (known !== undefined) return known;
  for (const part of ["lists/partial", "cache/archives/partial"]) {
    await Deno.mkdir(join(folder, part), { recursive: true });
  }
  await Deno.writeTextFile(join(folder, "status"), "");
  await Deno.writeTextFile(
    join(folder, "sources.list"),
    `deb [signed-by=${KEYRING}] ${MIRROR} ${suite} main\n`,
  );
  const settings = join(folder, "apt.conf");
  await Deno.writeTextFile(settings, settingsFor(folder));

  const env = { APT_CONFIG: settings };
  await run(folder, ["apt-get", "-qq", "update"], env);
  const depends = await run(
    folder,
    ["apt-cache", "depends", META_PACKAGE],
    env,
  );
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (name === undefined) {
    throw new Error(`Cannot find the kernel package of ${suite}`);
  }
  await run(folder, ["apt-get", "-qq", "download", name], env);
  const file = list(folder).find((file) => file.endsWith(".deb"));
  if (file === undefined) throw new Error(`Cannot download ${name}`);
  await run(folder, ["dpkg-deb", "-x", file, "unpacking"]);
  await Deno.rename(join(folder, "unpacking"), join(folder, "root"));

  const unpacked = unpackedIn(folder);
  if (unpacked === undefined) {
    throw new Error(`Cannot find a kernel in ${file}`);
  }
  return unpacked;
}

function settingsFor(folder: string): string {
  const settings = {
    "Dir::State::Lists": join(folder, "lists"),
    "Dir::State::status": join(folder, "status"),
    "Dir::Cache": join(folder, "cache"),
    "Dir::Etc::sourcelist": join(folder, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "APT::Architecture": "amd64",
    // The user that apt would switch to may not enter the folder.
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
  };
  return Object.entries(settings).map(([name, value]) =>
    `${name} "${value}";\n`
  ).join("");
}

function unpackedIn(folder: string): UnpackedKernel | undefined {
  const root = join(folder, "root");
  const image = list(join(root, "boot")).find((name) =>
    name.startsWith("vmlinuz-")
  );
  const source = list(folder).find((name) => name.endsWith(".deb"));
  if (image === undefined || source === undefined) return undefined;
  const release = image.slice("vmlinuz-".length);
  const modules = ["lib/modules", "usr/lib/modules"]
    .map((path) => join(root, path, release))
    .find((path) => list(path).length > 0);
  if (modules === undefined) return undefined;
  return {
    source: decodeURIComponent(source).replace(/_amd64\.deb$/, ""),
    image: join(root, "boot", image),
    modules,
  };
}

function list(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function run(
  cwd: string,
  [program, ...args]: readonly [string, ...string[]],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout } = await new Deno.Command(program, {
    args,
    cwd,
    env: { ...env, LC_ALL: "C" },
    stdin: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}
