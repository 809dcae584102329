/**
 * Real servers for tests in a private network.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Bench } from "./bench.ts";
import { workloadScript } from "./compile.ts";
import type { Child } from "./processes.ts";
import { findProgram } from "./requires.ts";

/** Where nginx listens. */
export const WEB_PORT = 8091;
/** Where sshd listens. */
export const SSH_PORT = 2222;

/** Page of the web server, in one segment. */
const PAGE = "x".repeat(3000);

/** Writes nginx's configuration; returns the command that runs it. */
export function nginxCommand(
  { folder, port = WEB_PORT }: {
    readonly folder: string;
    readonly port?: number;
  },
): string[] {
  Deno.writeTextFileSync(`${folder}/index.html`, PAGE);
  Deno.writeTextFileSync(
    `${folder}/nginx.conf`,
    `daemon off;
user root;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log stderr notice;
events { worker_connections 256; }
http {
  access_log off;
  ${
      ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map((name) => `${name}_temp_path ${folder}/nginx-${name};`).join("\n")
    }
  server { listen 127.0.0.1:${port}; root ${folder}; }
}
`,
  );
  return [
    findProgram("nginx") ?? "nginx",
    ...["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"],
  ];
}

/** Waits until nginx serves. */
export async function nginxReady(nginx: Child): Promise<void> {
  await nginx.seen(
    "stderr",
    /start worker processes(.|\n)*start worker.*\n.*start worker/,
  );
}

/** Starts an unrelated client of the web server. */
export async function startHttpNeighbor(bench: Bench): Promise<Child> {
  const script = workloadScript("http_neighbor.py");
  const client = bench.startForeign(
    ["python3", script, "127.0.0.1", `${WEB_PORT}`],
    { stdin: "piped" },
  );
  await client.seen("stdout", /ready/);
  return client;
}

/** The commands of a private sshd and of its client. */
export interface SshCommands {
  readonly server: readonly string[];
  /** Runs a command over a new connection; arguments come after it. */
  readonly client: readonly string[];
}

/** Makes keys and configuration of sshd. */
export async function sshCommands(bench: Bench): Promise<SshCommands> {
  const { folder } = bench;
  for (const name of ["host", "user"]) {
    const argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", ""];
    const keygen = bench.start([...argv, "-f", `${folder}/${name}_key`]);
    assert.equal((await keygen.ended()).code, 0);
  }
  Deno.writeTextFileSync(
    `${folder}/sshd_config`,
    `Port ${SSH_PORT}
ListenAddress 127.0.0.1
HostKey ${folder}/host_key
AuthorizedKeysFile ${folder}/user_key.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PidFile none
`,
  );
  // sshd wants /run/sshd, which is not there when no system's sshd runs.
  const script = "mount -t tmpfs none /run && mkdir /run/sshd && " +
    `exec "${findProgram("sshd")}" -D -e -f "${folder}/sshd_config"`;
  return {
    server: ["unshare", "--mount", "sh", "-c", script],
    client: [
      ...["ssh", "-F", "none", "-p", `${SSH_PORT}`, "-i", `${folder}/user_key`],
      ...[
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
      ],
      ...["-o", "BatchMode=yes", "-q", "root@127.0.0.1"],
    ],
  };
}

/** Waits until sshd serves. */
export async function sshdReady(sshd: Child): Promise<void> {
  await sshd.seen("stderr", /Server listening on/);
}
