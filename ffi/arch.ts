/**
 * What differs between machines: system-call numbers and the register layout
 * that the launcher needs. Everything else goes through
 * PTRACE_GET_SYSCALL_INFO, which is the same everywhere.
 *
 * Sources: arch/x86/include/asm/user_64.h, arch/arm64/include/uapi/asm/ptrace.h,
 * the kernel's syscall tables, linux/audit.h. x86_64 is tested; aarch64 is
 * written after the headers.
 *
 * @module
 */

/** System calls that the tracer watches or injects, by name. */
export type SyscallName =
  | "accept"
  | "accept4"
  | "bind"
  | "connect"
  | "dup3"
  | "execve"
  | "exit_group"
  | "getpgid"
  | "gettid"
  | "io_uring_setup"
  | "listen"
  | "pidfd_getfd"
  | "pidfd_open"
  | "prctl"
  | "prlimit64"
  | "rt_sigaction"
  | "seccomp"
  | "sendmmsg"
  | "sendmsg"
  | "sendto"
  | "setgroups"
  | "setfsgid"
  | "setfsuid"
  | "setresgid"
  | "setresuid"
  | "socketcall"
  | "tgkill"
  | "timer_create"
  | "timer_delete"
  | "timer_settime";

/** Register layout of a machine, as an array of 64-bit words. */
export interface RegisterLayout {
  /** Number of 64-bit words in the register set (NT_PRSTATUS). */
  readonly words: number;
  readonly instructionPointer: number;
  readonly stackPointer: number;
  /** Where the system-call number goes for an injected call. */
  readonly syscallNumber: number;
  /** Where system calls return their result. */
  readonly result: number;
  /** The original call number, where the kernel keeps it for restarts. */
  readonly originalNumber: number | undefined;
  readonly arguments: readonly number[];
}

/** One machine architecture. */
export interface Architecture {
  /** Name as `uname -m` prints it. */
  readonly name: string;
  /** AUDIT_ARCH_* of native programs. */
  readonly auditArch: number;
  readonly registers: RegisterLayout;
  /** Bytes of the system-call instruction. */
  readonly syscallInstruction: readonly number[];
  readonly syscalls: Readonly<Partial<Record<SyscallName, number>>>;
  /** 32-bit programs that the same kernel runs. */
  readonly compatible?: {
    readonly auditArch: number;
    /** Where their registers are, in 32-bit words. */
    readonly registers: {
      readonly result: number;
      readonly originalNumber: number;
    };
    readonly closeCall: number;
    readonly syscalls: Readonly<Partial<Record<SyscallName, number>>>;
  };
  /** Bit that marks x32 calls in the call number. */
  readonly x32Bit?: number;
  /** close(2): the one call that must not be made again after EINTR. */
  readonly closeCall: number;
}

/** AUDIT_ARCH_X86_64, linux/audit.h. */
export const AUDIT_ARCH_X86_64 = 0xc000003e;
/** AUDIT_ARCH_I386. */
export const AUDIT_ARCH_I386 = 0x40000003;
/** AUDIT_ARCH_AARCH64. */
export const AUDIT_ARCH_AARCH64 = 0xc00000b7;

const X86_64: Architecture = {
  name: "x86_64",
  auditArch: AUDIT_ARCH_X86_64,
  // struct user_regs_struct: r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si
  // di orig_ax ip cs flags sp ss fs_base gs_base ds es fs gs
  registers: {
    words: 27,
    instructionPointer: 16,
    stackPointer: 19,
    syscallNumber: 10,
    result: 10,
    originalNumber: 15,
    arguments: [14, 13, 12, 7, 9, 8],
  },
  syscallInstruction: [0x0f, 0x05],
  syscalls: {
    accept: 43,
    accept4: 288,
    bind: 49,
    connect: 42,
    dup3: 292,
    execve: 59,
    exit_group: 231,
    getpgid: 121,
    gettid: 186,
    io_uring_setup: 425,
    listen: 50,
    pidfd_getfd: 438,
    pidfd_open: 434,
    prctl: 157,
    prlimit64: 302,
    rt_sigaction: 13,
    seccomp: 317,
    sendmmsg: 307,
    sendmsg: 46,
    sendto: 44,
    setgroups: 116,
    setfsgid: 123,
    setfsuid: 122,
    setresgid: 119,
    setresuid: 117,
    tgkill: 234,
    timer_create: 222,
    timer_delete: 226,
    timer_settime: 223,
  },
  compatible: {
    auditArch: AUDIT_ARCH_I386,
    // struct user_regs_struct32: bx cx dx si di bp ax ds es fs gs orig_ax ip
    // cs flags sp ss
    registers: { result: 6, originalNumber: 11 },
    closeCall: 6,
    syscalls: {
      accept4: 364,
      bind: 361,
      connect: 362,
      io_uring_setup: 425,
      listen: 363,
      pidfd_getfd: 438,
      sendmmsg: 345,
      sendmsg: 370,
      sendto: 369,
      socketcall: 102,
    },
  },
  x32Bit: 0x4000_0000,
  closeCall: 3,
};

const AARCH64: Architecture = {
  name: "aarch64",
  auditArch: AUDIT_ARCH_AARCH64,
  // struct user_pt_regs: x0..x30 sp pc pstate
  registers: {
    words: 34,
    instructionPointer: 32,
    stackPointer: 31,
    syscallNumber: 8,
    result: 0,
    originalNumber: undefined,
    arguments: [0, 1, 2, 3, 4, 5],
  },
  // svc #0, little-endian
  syscallInstruction: [0x01, 0x00, 0x00, 0xd4],
  syscalls: {
    accept: 202,
    accept4: 242,
    bind: 200,
    connect: 203,
    dup3: 24,
    execve: 221,
    exit_group: 94,
    getpgid: 155,
    gettid: 178,
    io_uring_setup: 425,
    listen: 201,
    pidfd_getfd: 438,
    pidfd_open: 434,
    prctl: 167,
    prlimit64: 261,
    rt_sigaction: 134,
    seccomp: 277,
    sendmmsg: 269,
    sendmsg: 211,
    sendto: 206,
    setgroups: 159,
    setfsgid: 152,
    setfsuid: 151,
    setresgid: 149,
    setresuid: 147,
    tgkill: 131,
    timer_create: 107,
    timer_delete: 111,
    timer_settime: 110,
  },
  closeCall: 57,
};

/**
 * The machine this program runs on.
 *
 * @throws {Error} on a machine whose tables are not written
 */
export function architecture(): Architecture {
  switch (Deno.build.arch) {
    case "x86_64":
      return X86_64;
    case "aarch64":
      return AARCH64;
    default:
      throw new Error(`Cannot trace programs on ${Deno.build.arch}`);
  }
}

/** Number of a system call that exists on every supported machine. */
export function syscallNumber(name: SyscallName): number {
  const number = architecture().syscalls[name];
  if (number === undefined) {
    throw new Error(`Cannot find the number of system call ${name}`);
  }
  return number;
}
