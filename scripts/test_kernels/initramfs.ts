/**
 * Writes an initial file system: a cpio archive in the format that Linux reads
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * @module
 */

/** One file of the archive. */
export interface ArchiveFile {
  /** Without a slash in front. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly isExecutable?: boolean;
}

const MAGIC = "070701";
const TRAILER = "TRAILER!!!";
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;

/** Makes the archive; the folders of all files come before them. */
export function writeArchive(
  files: readonly ArchiveFile[],
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const folders = new Set<string>();
  let inode = 1;
  const add = (path: string, mode: number, bytes: Uint8Array): void => {
    parts.push(...entry(path, inode++, mode, bytes));
  };
  for (const { path, bytes, isExecutable = false } of files) {
    for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
      const folder = path.slice(0, at);
      if (folders.has(folder)) continue;
      folders.add(folder);
      add(folder, S_IFDIR | 0o755, new Uint8Array());
    }
    add(path, S_IFREG | (isExecutable ? 0o755 : 0o644), bytes);
  }
  add(TRAILER, 0, new Uint8Array());
  return join(parts);
}

/** Header, name and contents, the last two filled up to four bytes. */
function entry(
  path: string,
  inode: number,
  mode: number,
  bytes: Uint8Array,
): Uint8Array[] {
  const name = new TextEncoder().encode(`${path}\0`);
  const fields = [
    inode,
    mode,
    ...[0, 0], // uid, gid
    1, // links
    0, // time of the last change
    bytes.length,
    ...[0, 0, 0, 0], // device numbers
    name.length,
    0, // checksum, not used by this format
  ];
  const header = new TextEncoder().encode(
    MAGIC + fields.map((n) => n.toString(16).padStart(8, "0")).join(""),
  );
  const padding = (length: number): Uint8Array => new Uint8Array(-length & 3);
  return [
    header,
    name,
    padding(header.length + name.length),
    bytes,
    padding(bytes.length),
  ];
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
