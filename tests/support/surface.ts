/**
 * What the package exports, read from its sources: names, where they are
 * declared, and what their comments say.
 *
 * @module
 */
import project from "../../deno.json" with { type: "json" };

/** Folder of the project. */
export const ROOT = new URL("../../", import.meta.url);

/** Something that a module of the surface exports. */
export interface Export {
  /** Name under which it is exported. */
  readonly name: string;
  /** Keyword of its declaration; a namespace is a whole module. */
  readonly kind:
    | "function"
    | "class"
    | "interface"
    | "type"
    | "const"
    | "namespace";
  /** Module that declares it. */
  readonly module: URL;
  /** Its comment, without the stars. */
  readonly comment: string;
}

/** The modules that may be imported. */
export function surfaceModules(): URL[] {
  return Object.values(project.exports).map((path) => new URL(path, ROOT));
}

/** Names that a module exports. */
export function exportedNames(module: URL): Set<string> {
  return new Set(exportsOf(module).map(({ name }) => name));
}

/** Names in braces, without `type` and new names. */
export function namesIn(list: string): string[] {
  return list.split(",")
    .map((item) => item.trim().replace(/^type /, "").split(/ as |:/)[0]!.trim())
    .filter((name) => name !== "");
}

const sources = new Map<string, string>();

function sourceOf(module: URL): string {
  let source = sources.get(module.href);
  if (source === undefined) {
    source = Deno.readTextFileSync(module);
    sources.set(module.href, source);
  }
  return source;
}

/** Everything that a module exports. */
export function exportsOf(module: URL): Export[] {
  const source = sourceOf(module);
  const found: Export[] = [];
  for (const [, from] of source.matchAll(/^export \* from "([^"]+)"/gm)) {
    found.push(...exportsOf(new URL(from!, module)));
  }
  const namespaces = /^export \* as (\w+) from "([^"]+)"/gm;
  for (const [, name, from] of source.matchAll(namespaces)) {
    const target = new URL(from!, module);
    const comment = moduleComment(target);
    found.push({ name: name!, kind: "namespace", module: target, comment });
  }
  const lists = /^export (?:type )?\{([^}]*)\}(?: from "([^"]+)")?/gm;
  for (const [, list, from] of source.matchAll(lists)) {
    for (const name of namesIn(list!)) {
      found.push(
        from === undefined
          ? imported(module, name)
          : declared(new URL(from, module), name),
      );
    }
  }
  for (const [, name] of source.matchAll(declaration("\\w+"))) {
    found.push(declared(module, name!));
  }
  return found;
}

/** Matches the exported declaration of a name; its first group is the name. */
function declaration(name: string): RegExp {
  return new RegExp(
    `^export (?:abstract |async )?(?:function\\*?|class|interface|type|const) ` +
      `(${name})\\b`,
    "gm",
  );
}

/** An export that the module itself imports. */
function imported(module: URL, name: string): Export {
  const imports = /^import (?:type )?\{([^}]*)\} from "([^"]+)"/gm;
  for (const [, list, from] of sourceOf(module).matchAll(imports)) {
    if (namesIn(list!).includes(name)) {
      return declared(new URL(from!, module), name);
    }
  }
  throw new Error(`Cannot find ${name}, which ${module} exports`);
}

/** An export by the module that is said to have it, or to pass it on. */
function declared(module: URL, name: string): Export {
  const source = sourceOf(module);
  const match = declaration(name).exec(source);
  if (match === null) {
    const passed = exportsOf(module).find((other) => other.name === name);
    if (passed === undefined) {
      throw new Error(`Cannot find ${name} in ${module}`);
    }
    return passed;
  }
  const [, keyword] = /(function|class|interface|type|const)/.exec(match[0])!;
  const kind = keyword as Export["kind"];
  return { name, kind, module, comment: commentBefore(source, match.index) };
}

function moduleComment(module: URL): string {
  return /^\/\*\*[^]*?\*\//.exec(sourceOf(module))?.[0] ?? "";
}

/** The comment that ends before an index; overloads share the first one's. */
function commentBefore(source: string, index: number): string {
  const before = source.slice(0, index).trimEnd();
  if (!before.endsWith("*/")) return "";
  return before.slice(before.lastIndexOf("/**"));
}
