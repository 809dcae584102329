/**
 * The C library, opened on first use: the symbol table with the C prototype
 * beside each entry. Nothing happens when this module is imported.
 *
 * Integer results are declared 32 bits wide wherever the value fits (file
 * descriptors, lengths below 2 GiB): 64-bit results would be `bigint`s, one
 * allocation each. Addresses travel as numbers: user space ends below 2^53.
 *
 * @module
 */

/** `syscall(2)` with six integer arguments. */
const SYSCALL = {
  name: "syscall",
  parameters: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"],
  result: "i32",
} as const;

const SYMBOLS = {
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
  // long syscall(long number, ...)
  syscall: SYSCALL,
  // the same with one buffer: syscall(number, buffer, length, ...)
  syscallBuffer: {
    name: "syscall",
    parameters: ["i64", "i64", "buffer", "i64", "i64"],
    result: "i32",
  },

  // ssize_t read(int fd, void *buf, size_t count)
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t write(int fd, const void *buf, size_t count)
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t writev(int fd, const struct iovec *iov, int iovcnt)
  writev: { parameters: ["i32", "buffer", "i32"], result: "i64" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int open(const char *pathname, int flags, mode_t mode)
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int ftruncate(int fd, off_t length)
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // off_t lseek(int fd, off_t offset, int whence)
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  // int fsync(int fd)
  fsync: { parameters: ["i32"], result: "i32" },
  // int fcntl(int fd, int cmd, int arg)
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int ioctl(int fd, unsigned long request, void *arg)
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // int ioctl(int fd, unsigned long request, long arg)
  ioctlInteger: {
    name: "ioctl",
    parameters: ["i32", "usize", "i64"],
    result: "i32",
  },
  // ssize_t getxattr(const char *path, const char *name, void *value, size_t)
  getxattr: {
    parameters: ["buffer", "buffer", "buffer", "usize"],
    result: "i32",
  },
  // int isatty(int fd)
  isatty: { parameters: ["i32"], result: "i32" },

  // int dup3(int oldfd, int newfd, int flags)
  dup3: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int fstatvfs(int fd, struct statvfs *buf)
  fstatvfs: { parameters: ["i32", "buffer"], result: "i32" },

  // void tzset(void)
  tzset: { parameters: [], result: "void" },
  // struct tm *localtime_r(const time_t *timep, struct tm *result)
  localtime_r: { parameters: ["buffer", "buffer"], result: "pointer" },
  // size_t strftime(char *s, size_t max, const char *format, struct tm *tm)
  strftime: {
    parameters: ["buffer", "usize", "buffer", "buffer"],
    result: "u32",
  },

  // int poll(struct pollfd *fds, nfds_t nfds, int timeout)
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  // the same on a pool thread: the event loop goes on while it waits
  pollAsync: {
    name: "poll",
    parameters: ["buffer", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int eventfd(unsigned int initval, int flags)
  eventfd: { parameters: ["u32", "i32"], result: "i32" },

  // int getpagesize(void)
  getpagesize: { parameters: [], result: "i32" },
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t)
  mmap: {
    parameters: ["usize", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  // int munmap(void *addr, size_t length)
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  // void *memcpy(void *dest, const void *src, size_t n)
  memcpy: { parameters: ["usize", "usize", "usize"], result: "void" },

  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int setsockopt(int fd, int level, int name, const void *val, socklen_t)
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  // int getsockopt(int fd, int level, int name, void *val, socklen_t *len)
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  // int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // ssize_t send(int fd, const void *buf, size_t len, int flags)
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  // ssize_t recv(int fd, void *buf, size_t len, int flags)
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },

  // ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },

  // ssize_t recvfrom(int fd, void *buf, size_t len, int flags,
  //   struct sockaddr *addr, socklen_t *len)
  recvfrom: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer"],
    result: "i32",
  },

  // long ptrace(enum request, pid_t pid, void *addr, void *data)
  ptrace: { parameters: ["i32", "i32", "usize", "usize"], result: "i32" },
  // the same with a buffer as data
  ptraceBuffer: {
    name: "ptrace",
    parameters: ["i32", "i32", "usize", "buffer"],
    result: "i32",
  },
  // pid_t waitpid(pid_t pid, int *status, int options)
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int waitid(idtype_t, id_t, siginfo_t *, int options), on a pool thread:
  // the event loop goes on while it waits
  waitidAsync: {
    name: "waitid",
    parameters: ["i32", "u32", "buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int clone(int (*fn)(void *), void *stack, int flags, void *arg)
  clone: { parameters: ["pointer", "usize", "i32", "usize"], result: "i32" },
  // int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
  sigaction: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // int setns(int fd, int nstype)
  setns: { parameters: ["i32", "i32"], result: "i32" },
  // int kill(pid_t pid, int sig)
  kill: { parameters: ["i32", "i32"], result: "i32" },
  // ssize_t process_vm_readv(pid_t, const struct iovec *local,
  //   unsigned long liovcnt, const struct iovec *remote, unsigned long, ulong)
  process_vm_readv: {
    parameters: ["i32", "buffer", "usize", "buffer", "usize", "usize"],
    result: "i32",
  },
  // int prlimit(pid_t pid, int resource, const struct rlimit *new, old)
  prlimit: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32" },
  // int clock_gettime(clockid_t clockid, struct timespec *tp)
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },

  // struct passwd *getpwnam(const char *name)
  getpwnam: { parameters: ["buffer"], result: "pointer" },
  // struct passwd *getpwuid(uid_t uid)
  getpwuid: { parameters: ["u32"], result: "pointer" },
  // int getgrouplist(const char *user, gid_t group, gid_t *groups, int *n)
  getgrouplist: {
    parameters: ["buffer", "u32", "buffer", "buffer"],
    result: "i32",
  },
  // unsigned int if_nametoindex(const char *ifname)
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Functions of the C library, typed after the symbol table. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: Libc | undefined;

/**
 * The C library, opened when first asked for and never closed: it is part of
 * every process.
 *
 * @throws {Error} where libc.so.6 is missing (musl is not supported yet) or
 * FFI permission is not granted
 */
export function libc(): Libc {
  symbols ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  return symbols;
}

/**
 * Addresses of C library functions and data that are needed as addresses: the
 * code that a launched child or a signal handler runs, and the environment.
 */
const ADDRESSES = {
  getpid: { type: "pointer" },
  pause: { type: "pointer" },
  syscall: { type: "pointer" },
  environ: { type: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Addresses found by {@linkcode libcAddresses}. */
export interface LibcAddresses {
  /** Code of getpid(3): it does nothing that anybody notices. */
  readonly getpid: NonNullable<Deno.PointerValue>;
  /** Code of pause(3). */
  readonly pause: NonNullable<Deno.PointerValue>;
  /** Code of syscall(3): it holds the machine's system-call instruction. */
  readonly syscall: NonNullable<Deno.PointerValue>;
  /** The variable `char **environ`. */
  readonly environ: NonNullable<Deno.PointerValue>;
}

let addresses: LibcAddresses | undefined;

/** Looks up {@linkcode ADDRESSES} without calling anything. */
export function libcAddresses(): LibcAddresses {
  if (addresses === undefined) {
    const { symbols: found } = Deno.dlopen("libc.so.6", ADDRESSES);
    const { getpid, pause, syscall, environ } = found;
    if (
      getpid === null || pause === null || syscall === null || environ === null
    ) {
      throw new Error(
        "Cannot find getpid, pause, syscall and environ in libc.so.6",
      );
    }
    addresses = { getpid, pause, syscall, environ };
  }
  return addresses;
}
