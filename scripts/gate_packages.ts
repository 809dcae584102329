/**
 * Programs that tests use, and the Debian packages that have
 * them.
 *
 * @module
 */

/** A package and a file or program that it brings. */
interface Package {
  readonly name: string;
  /** Absolute paths are files, others are programs. */
  readonly brings: string;
}

const PACKAGES: readonly Package[] = [
  { name: "tcpdump", brings: "tcpdump" },
  { name: "tshark", brings: "tshark" },
  { name: "wireshark-common", brings: "capinfos" },
  { name: "gzip", brings: "gzip" },
  { name: "zstd", brings: "zstd" },
  { name: "strace", brings: "strace" },
  { name: "gdb", brings: "gdb" },
  { name: "gcc", brings: "gcc" },
  { name: "libc6-dev", brings: "/usr/include/stdio.h" },
  { name: "gcc-multilib", brings: "/usr/include/gnu/stubs-32.h" },
  { name: "iproute2", brings: "ip" },
  { name: "util-linux", brings: "nsenter" },
  { name: "libcap2-bin", brings: "setcap" },
  { name: "bpftool", brings: "/usr/sbin/bpftool" },
  { name: "libpcap0.8", brings: "/usr/lib/x86_64-linux-gnu/libpcap.so.0.8" },
  { name: "openssh-client", brings: "ssh" },
  { name: "openssh-server", brings: "/usr/sbin/sshd" },
  { name: "openssl", brings: "openssl" },
  { name: "curl", brings: "curl" },
  { name: "wget", brings: "wget" },
  { name: "python3", brings: "python3" },
  { name: "nginx-light", brings: "nginx" },
  { name: "wrk", brings: "wrk" },
  { name: "bpftrace", brings: "bpftrace" },
];

/** Returns the names of packages whose files are missing. */
export function missingPackages(): string[] {
  // 32-bit programs are only traced by 64-bit x86 kernels.
  const wanted = PACKAGES.filter(({ name }) =>
    Deno.build.arch === "x86_64" || name !== "gcc-multilib"
  );
  return wanted.filter(({ brings }) => !isThere(brings)).map(({ name }) =>
    name
  );
}

/** Installs packages with apt-get; returns whether that worked. */
export async function installPackages(
  names: readonly string[],
): Promise<boolean> {
  for (
    const args of [
      ["update", "-q"],
      ["install", "-q", "-y", "--no-install-recommends", ...names],
    ]
  ) {
    try {
      const { success, stderr } = await new Deno.Command("apt-get", {
        args,
        env: { DEBIAN_FRONTEND: "noninteractive" },
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).output();
      if (!success) {
        await Deno.stderr.write(stderr);
        return false;
      }
    } catch {
      return false; // another distribution
    }
  }
  return true;
}

function isThere(brings: string): boolean {
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin"];
  const paths = brings.startsWith("/")
    ? [brings]
    : folders.map((folder) => `${folder}/${brings}`);
  return paths.some((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
