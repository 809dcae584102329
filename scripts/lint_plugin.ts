/// <reference lib="deno.unstable" />

/**
 * The project's own lint rules: layers, where unsafe code may stand, no third
 * parties in the product, and how error messages read.
 *
 * @module
 */

/** Layers from top to bottom; a layer imports itself and what is below. */
const LAYERS: readonly (readonly string[])[] = [
  ["main.ts"],
  ["lib/cli"],
  ["mod.ts"],
  ["lib/session", "lib/views"],
  ["lib/trace", "lib/capture", "lib/sockets"],
  ["lib/text"],
  ["lib/proc", "lib/packet", "lib/pcap"],
  ["lib/bytes"],
  ["bpf"],
  ["ffi"],
];

/** Folders that know nothing of the machine: no `Deno`, no `ffi`. */
const PURE = ["lib/packet", "lib/pcap", "lib/text", "lib/bytes", "bpf"];

/** What the command line may import besides itself. */
const CLI_IMPORTS = [
  "mod.ts",
  "lib/session",
  "lib/views",
  "lib/text",
  "lib/packet",
  "lib/pcap",
  "lib/bytes",
  "bpf",
];
/** The one file of the command line that touches the operating system. */
const CLI_HOST = "lib/cli/deno_host.ts";

/** Code that is not part of the product. */
const TOOLING = ["tests", "scripts", "examples"];

const ROOT = new URL("../", import.meta.url).pathname;

const UNSAFE_REGEXP = /^(?:dlopen|Unsafe[A-Z]\w*)$/;
/** Errors whose constructor takes the message as it is shown. */
const MESSAGE_CLASSES: ReadonlySet<string> = new Set([
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "AggregateError",
  "CaptureError",
  "UsageError",
]);
const CONTRACTION_REGEXP = /\w(?:n't|'re|'ve|'ll|'m)\b/i;

/** Rules of the project, by name. */
const plugin: Deno.lint.Plugin = {
  name: "tracedump",
  rules: {
    layers: { create: layers },
    "third-party": { create: thirdParty },
    "unsafe-in-ffi": { create: unsafeInFfi },
    "pure-folders": { create: pureFolders },
    "error-message": { create: errorMessage },
  },
};
export default plugin;

/** A place in the syntax tree that names another module. */
interface Reference {
  readonly node: Deno.lint.Node;
  readonly specifier: string;
  /** How the module is named. */
  readonly kind: "import" | "type" | "url";
}

/** Imports point downward; workers are only named by URL. */
function layers(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const from = relativePath(context.filename);
  if (isTooling(from)) return {};
  return references(({ node, specifier, kind }) => {
    if (!specifier.startsWith(".")) return;
    const to = resolve(from, specifier);
    const problem = importProblem(from, to);
    if (problem !== undefined) {
      context.report({
        node,
        message: `${from} cannot import ${to}: ${problem}`,
      });
    } else if (kind === "import" && to.endsWith("_worker.ts")) {
      context.report({
        node,
        message: `${from} cannot import ${to}: a worker runs in its own thread`,
      });
    }
  });
}

/** Returns what is wrong with an import, if anything. */
function importProblem(from: string, to: string): string | undefined {
  const source = layerOf(from);
  if (source === undefined) {
    return "the importing file belongs to no layer of scripts/lint_plugin.ts";
  }
  // Project metadata is plain data.
  if (to === "deno.json") return undefined;
  const target = layerOf(to);
  if (target === undefined) return "it is not part of the product";
  if (source.name === target.name) return undefined;
  if (target.rank < source.rank) return "imports point downward only";
  if (target.rank === source.rank) {
    return "layers beside each other do not know each other";
  }
  if (
    source.name === "lib/cli" && !CLI_IMPORTS.includes(target.name) &&
    !(from === CLI_HOST && target.name === "ffi")
  ) {
    return "the command line uses the library's surface";
  }
  if (target.name === "ffi" && PURE.includes(source.name)) {
    return "the folder is pure";
  }
  return undefined;
}

/** Only tests and scripts use packages. */
function thirdParty(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const from = relativePath(context.filename);
  if (isTooling(from)) return {};
  return references(({ node, specifier }) => {
    if (specifier.startsWith(".") || specifier.startsWith("node:")) return;
    context.report({
      node,
      message: `The product cannot depend on "${specifier}"`,
    });
  });
}

/** Everything that can crash the process is in one folder. */
function unsafeInFfi(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const from = relativePath(context.filename);
  if (isInside(from, "ffi") || isTooling(from)) return {};
  return {
    MemberExpression(node): void {
      const name = denoMember(node);
      if (name !== undefined && UNSAFE_REGEXP.test(name)) {
        context.report({ node, message: `Deno.${name} belongs into ffi/` });
      }
    },
  };
}

/** Pure folders do not touch the runtime. */
function pureFolders(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const from = relativePath(context.filename);
  if (!PURE.some((folder) => isInside(from, folder))) return {};
  return {
    MemberExpression(node): void {
      const name = denoMember(node);
      if (name === undefined) return;
      context.report({
        node,
        message: `${from} is in a pure folder and cannot use Deno.${name}`,
      });
    },
  };
}

/**
 * Error messages begin with a capital and end without a period. Classes that
 * complete a sentence of their own are checked where they call `super`.
 */
function errorMessage(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (isTooling(relativePath(context.filename))) return {};
  function check(
    node: Deno.lint.NewExpression | Deno.lint.CallExpression,
  ): void {
    const message = node.arguments.map(edges).find(isSentence);
    if (message === undefined) return;
    const problem = messageProblem(message);
    if (problem !== undefined) {
      context.report({ node, message: `An error message ${problem}` });
    }
  }
  return {
    NewExpression(node): void {
      const { callee } = node;
      if (callee.type === "Identifier" && MESSAGE_CLASSES.has(callee.name)) {
        check(node);
      }
    },
    "ClassDeclaration[superClass.name=/Error$/] CallExpression[callee.type=Super]"(
      node: Deno.lint.CallExpression,
    ): void {
      check(node);
    },
  };
}

/** The fixed text at both ends of a message, and all of it in between. */
interface Edges {
  /** Text before the first value; `undefined` when it begins with a value. */
  readonly start: string | undefined;
  /** Text after the last value; `undefined` when it ends with a value. */
  readonly end: string | undefined;
  readonly all: string;
}

function edges(node: Deno.lint.Node): Edges | undefined {
  if (node.type === "Literal" && typeof node.value === "string") {
    return { start: node.value, end: node.value, all: node.value };
  }
  if (node.type === "TemplateLiteral") {
    const texts = node.quasis.map(({ cooked }) => cooked);
    return {
      start: texts.at(0) || undefined,
      end: texts.at(-1) || undefined,
      all: texts.join(""),
    };
  }
  if (node.type === "BinaryExpression" && node.operator === "+") {
    const left = edges(node.left);
    const right = edges(node.right);
    return {
      start: left?.start,
      end: right?.end,
      all: `${left?.all ?? ""}${right?.all ?? ""}`,
    };
  }
  return undefined;
}

/** Codes and names among the arguments are single words. */
function isSentence(message: Edges | undefined): message is Edges {
  return message !== undefined && message.all.trim().includes(" ");
}

function messageProblem(message: Edges): string | undefined {
  if (message.start !== undefined && /^[a-z]/.test(message.start)) {
    return "begins with a capital";
  }
  if (message.end !== undefined && /[.!\s]$/.test(message.end)) {
    return "ends without a period";
  }
  if (CONTRACTION_REGEXP.test(message.all)) return "has no contractions";
  return undefined;
}

/** Makes a visitor that reports every place that names a module. */
function references(
  report: (reference: Reference) => void,
): Deno.lint.LintVisitor {
  function literal(
    node: Deno.lint.Node,
    source: Deno.lint.Node | null | undefined,
    kind: Reference["kind"],
  ): void {
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    report({ node, specifier: source.value, kind });
  }
  return {
    ImportDeclaration(node): void {
      literal(
        node,
        node.source,
        node.importKind === "type" ? "type" : "import",
      );
    },
    ExportNamedDeclaration(node): void {
      literal(
        node,
        node.source,
        node.exportKind === "type" ? "type" : "import",
      );
    },
    ExportAllDeclaration(node): void {
      literal(
        node,
        node.source,
        node.exportKind === "type" ? "type" : "import",
      );
    },
    ImportExpression(node): void {
      literal(node, node.source, "import");
    },
    TSImportType(node): void {
      const { argument } = node;
      if (argument.type === "TSLiteralType") {
        literal(node, argument.literal, "type");
      }
    },
    NewExpression(node): void {
      const [specifier, base] = node.arguments;
      if (
        node.callee.type === "Identifier" && node.callee.name === "URL" &&
        specifier?.type === "Literal" &&
        String(specifier.value).endsWith(".ts") &&
        base?.type === "MemberExpression" &&
        base.object.type === "MetaProperty"
      ) literal(node, specifier, "url");
    },
  };
}

/** Returns `x` of `Deno.x`. */
function denoMember(node: Deno.lint.MemberExpression): string | undefined {
  return node.object.type === "Identifier" && node.object.name === "Deno" &&
      node.property.type === "Identifier"
    ? node.property.name
    : undefined;
}

function layerOf(path: string): { name: string; rank: number } | undefined {
  for (const [rank, names] of LAYERS.entries()) {
    const name = names.find((name) => isInside(path, name));
    if (name !== undefined) return { name, rank };
  }
  return undefined;
}

function isTooling(path: string): boolean {
  return TOOLING.some((folder) => isInside(path, folder));
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function relativePath(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}
