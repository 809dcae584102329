/**
 * Numbers of the classic BPF machine: opcodes, scratch cells, and the offsets
 * that reach packet metadata.
 *
 * Sources: `linux/bpf_common.h`, `linux/filter.h`, `linux/seccomp.h`.
 *
 * The low three bits of `code` are the class; the other bits depend on it:
 *
 * ```text
 *            7   6   5   4   3   2   1   0
 *          +-----------+-------+-----------+
 * LD, LDX  |   mode    | size  |   class   |   ST, STX: both 0
 *          +-----------+---+---+-----------+
 * ALU, JMP |   operation   |src|   class   |
 *          +-----------+---+---+-----------+
 * RET      |     0     | rval  |   class   |
 *          +-----------+-------+-----------+
 * MISC     |     operation     |   class   |
 *          +-------------------+-----------+
 * ```
 *
 * @module
 */

/** Bits of `code` that hold the instruction class. */
export const CLASS_MASK = 0x07;
/** Class: load into the accumulator A. */
export const BPF_LD = 0x00;
/** Class: load into the index register X. */
export const BPF_LDX = 0x01;
/** Class: store A in a scratch cell. */
export const BPF_ST = 0x02;
/** Class: store X in a scratch cell. */
export const BPF_STX = 0x03;
/** Class: arithmetic on A. */
export const BPF_ALU = 0x04;
/** Class: jump. */
export const BPF_JMP = 0x05;
/** Class: end with a verdict. */
export const BPF_RET = 0x06;
/** Class: copy between A and X. */
export const BPF_MISC = 0x07;

/** Bits of a load's `code` that hold the width. */
export const SIZE_MASK = 0x18;
/** Load width: 32 bits. */
export const BPF_W = 0x00;
/** Load width: 16 bits. */
export const BPF_H = 0x08;
/** Load width: 8 bits. */
export const BPF_B = 0x10;

/** Bits of a load's `code` that hold the addressing mode. */
export const MODE_MASK = 0xe0;
/** Addressing mode: the constant `k`. */
export const BPF_IMM = 0x00;
/** Addressing mode: packet offset `k`. */
export const BPF_ABS = 0x20;
/** Addressing mode: packet offset X + `k`. */
export const BPF_IND = 0x40;
/** Addressing mode: scratch cell `k`. */
export const BPF_MEM = 0x60;
/** Addressing mode: the packet length. */
export const BPF_LEN = 0x80;
/** Addressing mode: four times the low nibble of packet byte `k`. */
export const BPF_MSH = 0xa0;

/** Bits of an arithmetic or jump `code` that hold the operation. */
export const OPERATION_MASK = 0xf0;
/** A += operand. */
export const BPF_ADD = 0x00;
/** A -= operand. */
export const BPF_SUB = 0x10;
/** A *= operand. */
export const BPF_MUL = 0x20;
/** A /= operand, unsigned; ends with verdict 0 when X is 0. */
export const BPF_DIV = 0x30;
/** A |= operand. */
export const BPF_OR = 0x40;
/** A &= operand. */
export const BPF_AND = 0x50;
/** A <<= operand. */
export const BPF_LSH = 0x60;
/** A >>= operand, filled with zeros. */
export const BPF_RSH = 0x70;
/** A = -A. */
export const BPF_NEG = 0x80;
/** A %= operand, unsigned; ends with verdict 0 when X is 0. */
export const BPF_MOD = 0x90;
/** A ^= operand. */
export const BPF_XOR = 0xa0;

/** Jump always, by the 32-bit distance `k`. */
export const BPF_JA = 0x00;
/** Jump by `jt` when A equals the operand, else by `jf`. */
export const BPF_JEQ = 0x10;
/** Jump by `jt` when A > operand, unsigned. */
export const BPF_JGT = 0x20;
/** Jump by `jt` when A >= operand, unsigned. */
export const BPF_JGE = 0x30;
/** Jump by `jt` when A and the operand have a set bit in common. */
export const BPF_JSET = 0x40;

/** Bit of an arithmetic or jump `code` that selects the operand. */
export const SOURCE_MASK = 0x08;
/** The operand is the constant `k`. */
export const BPF_K = 0x00;
/** The operand is X. */
export const BPF_X = 0x08;

/** Bits of a return's `code` that hold where the verdict comes from. */
export const RETURN_MASK = 0x18;
/** The verdict is A. */
export const BPF_A = 0x10;

/** Bits of a MISC `code` that hold the operation. */
export const MISC_MASK = 0xf8;
/** X = A. */
export const BPF_TAX = 0x00;
/** A = X. */
export const BPF_TXA = 0x80;

/** Most instructions that the kernel takes in one program. */
export const BPF_MAXINSNS = 4096;
/** Number of scratch cells, 32 bits each. */
export const BPF_MEMWORDS = 16;

/**
 * Loads at and above this offset (as unsigned 32-bit number, up to
 * 0xffffffff) read packet metadata; see {@linkcode Extension}.
 */
export const SKF_AD_OFF: number = -0x1000;
/** Loads from this offset on read from the network header. */
export const SKF_NET_OFF: number = -0x100000;
/** Loads from this offset on read from the link-layer header. */
export const SKF_LL_OFF: number = -0x200000;

/**
 * Metadata offsets, relative to {@linkcode SKF_AD_OFF}.
 * See {@linkcode extension}.
 */
export const Extension = {
  /** Link-layer protocol (ethertype), host order. */
  SKF_AD_PROTOCOL: 0,
  /** Packet type, one of the `PACKET_*` numbers of packet(7). */
  SKF_AD_PKTTYPE: 4,
  /** Index of the network interface. */
  SKF_AD_IFINDEX: 8,
  /** Offset of the netlink attribute of type X, searched from offset A. */
  SKF_AD_NLATTR: 12,
  /** The same among the attributes nested in the one at offset A. */
  SKF_AD_NLATTR_NEST: 16,
  /** The packet's mark. */
  SKF_AD_MARK: 20,
  /** The packet's queue number. */
  SKF_AD_QUEUE: 24,
  /** ARPHRD_* type of the network interface. */
  SKF_AD_HATYPE: 28,
  /** The packet's flow hash. */
  SKF_AD_RXHASH: 32,
  /** Number of the processor that runs the filter. */
  SKF_AD_CPU: 36,
  /** A ^ X. */
  SKF_AD_ALU_XOR_X: 40,
  /** Tag control information of the VLAN tag taken out of the packet. */
  SKF_AD_VLAN_TAG: 44,
  /** 1 when a VLAN tag was taken out of the packet, else 0. */
  SKF_AD_VLAN_TAG_PRESENT: 48,
  /** Offset of the transport payload. */
  SKF_AD_PAY_OFFSET: 52,
  /** A random number. */
  SKF_AD_RANDOM: 56,
  /** Ethertype of the VLAN tag taken out of the packet, host order. */
  SKF_AD_VLAN_TPID: 60,
} as const;

/** A metadata offset, relative to {@linkcode SKF_AD_OFF}. */
export type Extension = typeof Extension[keyof typeof Extension];
