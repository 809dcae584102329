/**
 * What the names in filter expressions stand for: looked up once, before the
 * expression is compiled, and carried to whatever thread compiles it.
 *
 * @module
 */
import { findHostNames, usesNames } from "../../bpf/filter/compile.ts";
import {
  type NameFiles,
  type NameResolver,
  resolverFromFiles,
} from "../../bpf/filter/names.ts";

/**
 * A filter expression and all that is needed to compile it; plain data.
 * See {@linkcode lookUpNames}.
 */
export interface FilterSource {
  /** Expression of pcap-filter(7), see docs/filter.md. */
  readonly text: string;
  /** Texts of the system's files of names. */
  readonly files: NameFiles;
  /** Addresses of the host names in it. */
  readonly hosts: Readonly<Record<string, readonly string[]>>;
}

/**
 * Reads a file that may be missing or not to be read.
 * See {@linkcode lookUpNames}.
 */
export type ReadFile = (path: string) => Promise<string>;
/**
 * Finds the addresses of a host; rejects where there are none.
 * See {@linkcode lookUpNames}.
 */
export type LookUp = (name: string) => Promise<readonly string[]>;

const FILES: Readonly<Record<keyof NameFiles, string>> = {
  services: "/etc/services",
  protocols: "/etc/protocols",
  hosts: "/etc/hosts",
  networks: "/etc/networks",
  ethers: "/etc/ethers",
};

/**
 * Looks up what an expression needs: the system's names of ports, protocols
 * and networks, and the addresses of its host names. Files that cannot be read
 * and hosts that are not found are left out: compiling tells which name has no
 * meaning, and where.
 *
 * @throws {FilterSyntaxError} when the expression cannot be parsed
 *
 * @example Compile a filter with the name of a host
 * ```ts
 * import { lookUpNames, resolverOf } from "./filter_names.ts";
 * import { compileFilter } from "./trace/filter.ts";
 * import assert from "node:assert/strict";
 *
 * const text = "host localhost and port http";
 * const resolve = resolverOf(await lookUpNames(text));
 * assert(compileFilter(text, { resolve }).program.length > 0);
 * ```
 */
export async function lookUpNames(
  text: string,
  readFile: ReadFile = Deno.readTextFile,
  lookUp: LookUp = systemLookUp,
): Promise<FilterSource> {
  const files: Partial<Record<keyof NameFiles, string>> = {};
  const hosts: Record<string, readonly string[]> = {};
  const wanted = usesNames(text) ? Object.entries(FILES) : [];
  await Promise.all([
    ...wanted.map(async ([key, path]) => {
      try {
        files[key as keyof NameFiles] = await readFile(path);
      } catch {
        // Built-in names serve.
      }
    }),
    ...findHostNames(text).map(async (name) => {
      try {
        hosts[name] = await lookUp(name);
      } catch {
        // The compiler points at it.
      }
    }),
  ]);
  return { text, files, hosts };
}

/**
 * The resolver for what {@linkcode lookUpNames} found.
 *
 * @example Use names of this machine
 * ```ts
 * import { lookUpNames, resolverOf } from "./filter_names.ts";
 * import { compileFilter } from "./trace/filter.ts";
 * import assert from "node:assert/strict";
 *
 * const text = "host gateway.example";
 * const resolve = resolverOf(
 *   await lookUpNames(text, undefined, async () => ["192.0.2.1"]),
 * );
 * const filter = compileFilter(text, { resolve });
 * assert.deepEqual(filter.program, compileFilter("host 192.0.2.1").program);
 * ```
 */
export function resolverOf({ files, hosts }: FilterSource): NameResolver {
  const resolver = resolverFromFiles(files);
  return {
    ...resolver,
    host: (name) =>
      Object.hasOwn(hosts, name) ? hosts[name] : resolver.host?.(name),
  };
}

/** getaddrinfo(3), which knows /etc/hosts and DNS. */
async function systemLookUp(name: string): Promise<readonly string[]> {
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(name, { all: true });
  return [...new Set(found.map(({ address }) => address))];
}
