/**
 * The capture file. Under sudo it is opened with the rights of the user who
 * called sudo and belongs to that user: root must not be led by somebody's
 * symbolic link.
 *
 * @module
 */
import { errnoText, SyscallError } from "../../ffi/errno.ts";
import { Fd } from "../../ffi/fd.ts";
import { createFile } from "../../ffi/file.ts";
import {
  findUser,
  parseId,
  type User,
  withFileRightsOf,
} from "../../ffi/process.ts";
import { CaptureError } from "./types.ts";

const STDOUT = 1;

/**
 * Opens the output.
 *
 * @param path file name, `-` for standard output
 * @throws {CaptureError} `output`, with what to do
 */
export function openOutput(path: string): Fd {
  if (path === "-") return new Fd(STDOUT);
  const user = sudoUser();
  try {
    return user === undefined
      ? createFile(path)
      : withFileRightsOf(user, () => createFile(path));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw new CaptureError(
      "output",
      `Cannot write ${path}${
        user === undefined ? "" : ` as user ${user.name}`
      }: ${errnoText(error.errno)}`,
      {
        hint: error.code === "ENOENT"
          ? "Make the folder first, or choose another file with --output"
          : "Choose another file with --output",
        cause: error,
      },
    );
  }
}

/**
 * Removes a file that this program made, with the same rights.
 *
 * @throws {Error} when it cannot be removed
 */
export function removeOutput(path: string): void {
  const user = sudoUser();
  if (user === undefined) Deno.removeSync(path);
  else withFileRightsOf(user, () => Deno.removeSync(path));
}

/** The user who called sudo(8), when this program runs as root by it. */
function sudoUser(): User | undefined {
  if (Deno.uid() !== 0) return undefined;
  const uid = parseId(Deno.env.get("SUDO_UID") ?? "");
  if (uid === undefined || uid === 0) return undefined;
  const gid = parseId(Deno.env.get("SUDO_GID") ?? "") ?? uid;
  const name = `${uid}`;
  return findUser(name) ??
    { name, uid, gid, groups: [gid], home: "/", shell: "/bin/sh" };
}
