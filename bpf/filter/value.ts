/**
 * Numbers that a filter computes from a packet, each kept once.
 *
 * Values are compared by identity: two equal loads are the same object, so the
 * optimizer can ask whether a register holds a value already.
 *
 * @module
 */
import {
  BPF_ADD,
  BPF_AND,
  BPF_DIV,
  BPF_LSH,
  BPF_MOD,
  BPF_MUL,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_XOR,
} from "../classic/opcodes.ts";

/** A number computed from a packet. */
export type Value =
  | { readonly id: number; readonly kind: "constant"; readonly k: number }
  | { readonly id: number; readonly kind: "length" }
  | {
    /** `size` bytes at `base + k`; k is signed. */
    readonly id: number;
    readonly kind: "load";
    readonly size: 1 | 2 | 4;
    readonly base: Value | undefined;
    readonly k: number;
  }
  | {
    /** Four times the low nibble of the byte at `k`. */
    readonly id: number;
    readonly kind: "nibble";
    readonly k: number;
  }
  | {
    readonly id: number;
    readonly kind: "alu";
    /** `BPF_ADD` and its like. */
    readonly operation: number;
    readonly left: Value;
    readonly right: Value;
  }
  | { readonly id: number; readonly kind: "negate"; readonly operand: Value }
  | {
    /** What an assignment stored; `cell` is a name, not yet a scratch cell. */
    readonly id: number;
    readonly kind: "cell";
    readonly cell: number;
  };

/** A place in the packet: `base + k`. */
export interface Place {
  /** Computed part; none when the place is fixed. */
  readonly base: Value | undefined;
  /** Constant part. */
  readonly k: number;
}

const COMMUTATIVE: ReadonlySet<number> = new Set([
  BPF_ADD,
  BPF_MUL,
  BPF_AND,
  BPF_OR,
  BPF_XOR,
]);

/** Tells whether the operands of an operation can be swapped. */
export function isCommutative(operation: number): boolean {
  return COMMUTATIVE.has(operation);
}

/** Makes values and keeps one object for each. */
export class Values {
  readonly #known = new Map<string, Value>();
  #cells = 0;

  /** A constant; taken modulo 2^32. */
  constant(value: number): Value {
    const k = value >>> 0;
    return this.#keep(`#${k}`, (id) => ({ id, kind: "constant", k }));
  }

  /** The length of the packet on the wire. */
  length(): Value {
    return this.#keep("len", (id) => ({ id, kind: "length" }));
  }

  /** Bytes of the packet as one number, most significant first. */
  load(size: 1 | 2 | 4, { base, k }: Place): Value {
    return this.#keep(
      `l${size},${base?.id ?? ""},${k}`,
      (id) => ({ id, kind: "load", size, base, k }),
    );
  }

  /** The length of the IPv4 header at a place. */
  headerLength({ base, k }: Place): Value {
    if (base === undefined) {
      return this.#keep(`n${k}`, (id) => ({ id, kind: "nibble", k }));
    }
    const byte = this.load(1, { base, k });
    const words = this.alu(BPF_AND, byte, this.constant(0x0f));
    return this.alu(BPF_LSH, words, this.constant(2));
  }

  /** Arithmetic on two values; constants are folded. */
  alu(operation: number, left: Value, right: Value): Value {
    if (left.kind === "constant" && right.kind === "constant") {
      const folded = calculate(operation, left.k, right.k);
      if (folded !== undefined) return this.constant(folded);
    }
    if (left.kind === "constant" && isCommutative(operation)) {
      return this.alu(operation, right, left);
    }
    if (right.kind === "constant") {
      const simple = this.#simplify(operation, left, right.k);
      if (simple !== undefined) return simple;
    }
    return this.#keep(
      `a${operation},${left.id},${right.id}`,
      (id) => ({ id, kind: "alu", operation, left, right }),
    );
  }

  /** 0 - operand. */
  negate(operand: Value): Value {
    if (operand.kind === "constant") return this.constant(-operand.k);
    if (operand.kind === "negate") return operand.operand;
    return this.#keep(
      `-${operand.id}`,
      (id) => ({ id, kind: "negate", operand }),
    );
  }

  /** A new name for a stored value. */
  newCell(): number {
    return this.#cells++;
  }

  /** What was stored under a name. */
  cell(cell: number): Value {
    return this.#keep(`c${cell}`, (id) => ({ id, kind: "cell", cell }));
  }

  /** A place that is further on by a value. */
  move({ base, k }: Place, by: Value): Place {
    if (by.kind === "constant") return { base, k: (k + by.k) | 0 };
    if (
      by.kind === "alu" && by.operation === BPF_ADD &&
      by.right.kind === "constant"
    ) {
      return this.move({ base, k: (k + by.right.k) | 0 }, by.left);
    }
    return {
      base: base === undefined ? by : this.alu(BPF_ADD, base, by),
      k,
    };
  }

  /** A place as a number. */
  address({ base, k }: Place): Value {
    const constant = this.constant(k);
    return base === undefined ? constant : this.alu(BPF_ADD, base, constant);
  }

  #simplify(operation: number, left: Value, k: number): Value | undefined {
    switch (operation) {
      case BPF_ADD:
        if (k === 0) return left;
        if (left.kind === "alu" && left.operation === BPF_ADD) {
          return left.right.kind === "constant"
            ? this.alu(BPF_ADD, left.left, this.constant(left.right.k + k))
            : undefined;
        }
        return undefined;
      case BPF_SUB:
      case BPF_OR:
      case BPF_XOR:
      case BPF_LSH:
      case BPF_RSH:
        return k === 0 ? left : undefined;
      case BPF_MUL:
      case BPF_DIV:
        return k === 1 ? left : undefined;
      case BPF_AND:
        return k === 0xffffffff ? left : undefined;
    }
    return undefined;
  }

  #keep(key: string, make: (id: number) => Value): Value {
    let value = this.#known.get(key);
    if (value === undefined) {
      value = make(this.#known.size);
      this.#known.set(key, value);
    }
    return value;
  }
}

/** The result of an operation; none for what the machine refuses. */
export function calculate(
  operation: number,
  left: number,
  right: number,
): number | undefined {
  switch (operation) {
    case BPF_ADD:
      return (left + right) >>> 0;
    case BPF_SUB:
      return (left - right) >>> 0;
    case BPF_MUL:
      return Math.imul(left, right) >>> 0;
    case BPF_DIV:
      return right === 0 ? undefined : Math.floor(left / right);
    case BPF_MOD:
      return right === 0 ? undefined : left % right;
    case BPF_AND:
      return (left & right) >>> 0;
    case BPF_OR:
      return (left | right) >>> 0;
    case BPF_XOR:
      return (left ^ right) >>> 0;
    case BPF_LSH:
      return right > 31 ? undefined : left << right >>> 0;
    case BPF_RSH:
      return right > 31 ? undefined : left >>> right;
  }
  return undefined;
}
