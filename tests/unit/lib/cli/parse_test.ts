import assert from "node:assert/strict";
import fc from "fast-check";
import type { OptionTable } from "../../../../lib/cli/options.ts";
import { parseArguments } from "../../../../lib/cli/parse.ts";
import { UsageError } from "../../../../lib/cli/usage_error.ts";
import { nonEmpty, wholeNumber } from "../../../../lib/cli/values.ts";

const COMMON = { section: "Test", help: "a test" };

const TABLE = {
  output: {
    ...COMMON,
    kind: "value",
    long: "output",
    short: "ow",
    metavar: "FILE",
    parse: nonEmpty,
  },
  snaplen: {
    ...COMMON,
    kind: "value",
    long: "snaplen",
    short: "s",
    metavar: "N",
    parse: wholeNumber(0, 9999),
  },
  interfaces: {
    ...COMMON,
    kind: "list",
    long: "interface",
    short: "i",
    metavar: "NAME",
    parse: nonEmpty,
  },
  quiet: { ...COMMON, kind: "flag", long: "quiet", short: "q" },
  nano: { ...COMMON, kind: "flag", long: "nano", short: "n" },
  dump: { ...COMMON, kind: "flag", long: "dump", short: "d", counted: true },
  help: { ...COMMON, kind: "flag", long: "help", short: "h", immediate: true },
} as const satisfies OptionTable;

const NOTHING = {
  output: undefined,
  snaplen: undefined,
  interfaces: [],
  quiet: false,
  nano: false,
  dump: 0,
  help: false,
};

function parse(line: string): ReturnType<typeof parseArguments<typeof TABLE>> {
  return parseArguments(TABLE, line === "" ? [] : line.split(" "));
}

Deno.test("parseArguments() returns defaults without arguments", () => {
  assert.deepEqual(parse(""), {
    options: NOTHING,
    operands: [],
    rest: undefined,
  });
});

Deno.test("parseArguments() takes every way to write a value", () => {
  for (
    const line of ["-s 64", "-s64", "--snaplen 64", "--snaplen=64", "-qs64"]
  ) {
    assert.equal(parse(line).options.snaplen, 64, line);
  }
  for (const line of ["-o -", "-w -", "-w-", "--output=-", "--output -"]) {
    assert.equal(parse(line).options.output, "-", line);
  }
  assert.equal(parse("--output=a=b").options.output, "a=b");
});

Deno.test("parseArguments() joins flags", () => {
  const { options } = parse("-qn");
  assert.deepEqual([options.quiet, options.nano], [true, true]);
});

Deno.test("parseArguments() counts flags that may be repeated", () => {
  for (
    const [line, count] of [["", 0], ["-d", 1], ["-ddqd --dump", 4]] as const
  ) {
    assert.equal(parse(line).options.dump, count, line);
  }
});

Deno.test("parseArguments() mixes options and operands", () => {
  const { options, operands } = parse("1 -s 5 2 -q 3");
  assert.deepEqual(operands, ["1", "2", "3"]);
  assert.deepEqual(options, { ...NOTHING, snaplen: 5, quiet: true });
});

Deno.test("parseArguments() takes a lone dash as an operand", () => {
  assert.deepEqual(parse("-").operands, ["-"]);
});

Deno.test("parseArguments() lets the last value win and collects lists", () => {
  const { options } = parse("-o a -i lo -w b --interface eth0");
  assert.equal(options.output, "b");
  assert.deepEqual(options.interfaces, ["lo", "eth0"]);
});

Deno.test("parseArguments() never looks past two dashes", () => {
  const { options, operands, rest } = parse("-q -- -s abc --help -- --output");
  assert.deepEqual(options, { ...NOTHING, quiet: true });
  assert.deepEqual(operands, []);
  assert.deepEqual(rest, ["-s", "abc", "--help", "--", "--output"]);
  assert.deepEqual(parse("--").rest, []);
});

Deno.test("parseArguments() does not take two dashes as a value", () => {
  assert.throws(() => parse("-s -- curl"), {
    name: "UsageError",
    message: 'Option "-s" needs a value: N',
  });
});

Deno.test("parseArguments() stops at a flag like --help", () => {
  for (const line of ["--help --nonsense -- x", "-h -Z", "-qhZ -s abc"]) {
    const { options, rest } = parse(line);
    assert.equal(options.help, true, line);
    assert.equal(rest, undefined, line);
  }
});

Deno.test("parseArguments() checks operands in order, with what follows", () => {
  const seen: [string, readonly string[]][] = [];
  parseArguments(
    TABLE,
    ["1", "-q", "2", "--", "x"],
    (operand, following) => void seen.push([operand, following]),
  );
  assert.deepEqual(seen, [["1", ["-q", "2", "--", "x"]], ["2", ["--", "x"]]]);
  assert.throws(
    () =>
      parseArguments(TABLE, ["curl", "-Z"], () => {
        throw new UsageError("Operand first");
      }),
    { message: "Operand first" },
  );
});

Deno.test("parseArguments() names option, value and what it takes instead", () => {
  const cases: [string, string, string | undefined][] = [
    [
      "-s abc",
      'Cannot use "abc" for -s: expected a whole number from 0 to 9999',
      undefined,
    ],
    [
      "--snaplen=-5",
      'Cannot use "-5" for --snaplen: expected a whole number from 0 to 9999',
      undefined,
    ],
    ["--output", 'Option "--output" needs a value: FILE', undefined],
    ["-qo", 'Option "-o" needs a value: FILE', undefined],
    ["--quiet=yes", 'Option "--quiet" takes no value', undefined],
    ["--ouput x", 'Unknown option "--ouput"', 'Did you mean "--output"?'],
    ["--ouput=x", 'Unknown option "--ouput"', 'Did you mean "--output"?'],
    ["-nano", 'Unknown option "-nano"', 'Did you mean "--nano"?'],
    ["-Z", 'Unknown option "-Z"', undefined],
    ["-qZ", 'Unknown option "-qZ"', undefined],
    ["--zzz", 'Unknown option "--zzz"', undefined],
    ["-42", 'Unknown option "-42"', "Process ids are positive numbers"],
  ];
  for (const [line, message, hint] of cases) {
    assert.throws(
      () => parse(line),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.equal(error.message, message, line);
        assert.equal(error.hint, hint, line);
        return true;
      },
    );
  }
});

Deno.test("parseArguments() lets errors of its own making through", () => {
  const broken = {
    ...COMMON,
    kind: "value",
    long: "broken",
    metavar: "X",
    parse: (): never => {
      throw new TypeError("Bug");
    },
  } as const;
  assert.throws(() => parseArguments({ broken }, ["--broken=1"]), {
    name: "TypeError",
  });
});

Deno.test("parseArguments() keeps every argument after two dashes", () => {
  fc.assert(fc.property(fc.array(fc.string()), (words) => {
    const { rest, operands } = parseArguments(TABLE, ["-q", "--", ...words]);
    assert.deepEqual(rest, words);
    assert.deepEqual(operands, []);
  }));
});

Deno.test("parseArguments() either parses or throws a UsageError", () => {
  const word = fc.oneof(
    fc.constantFrom("-s", "-o", "--", "-", "--help", "--snaplen=1", "7", "-qn"),
    fc.string(),
    fc.string().map((text) => `-${text}`),
    fc.string().map((text) => `--${text}`),
  );
  fc.assert(fc.property(fc.array(word), (words) => {
    try {
      parseArguments(TABLE, words);
    } catch (error) {
      assert.ok(error instanceof UsageError);
    }
  }));
});
