/*
 * Network calls by way of the i386 system call table, which 64-bit kernels
 * serve for 32-bit programs and for int $0x80:
 *   i386_calls socketcall|direct TCP4 UDP4
 */
#include "workload.h"
#include <linux/net.h>
#include <sys/mman.h>

#define I386_SOCKETCALL 102
#define I386_SENDMMSG 345
#define I386_SOCKET 359
#define I386_CONNECT 362
#define I386_SENDTO 369
#define I386_SENDMSG 370

struct message32 {
  uint32_t name, name_length, parts, part_count, control, control_length,
      flags;
};

struct part32 {
  uint32_t base, length;
};

/* Everything that the kernel reads lies below 4 GiB. */
struct low_memory {
  uint32_t arguments[6];
  struct sockaddr_in address;
  struct part32 part;
  struct {
    struct message32 message;
    uint32_t sent;
  } batch[2];
  char text[32];
  char stack[4096];
};

static struct low_memory *low;
static int by_socketcall;

static uint32_t at(const void *pointer) {
  return (uint32_t)(uintptr_t)pointer;
}

static int raw_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c,
                    uint32_t d, uint32_t e, uint32_t f) {
#if defined(__x86_64__)
  int result;
  __asm__ volatile(
      "push %%rbp\n\tmov %[f], %%ebp\n\tint $0x80\n\tpop %%rbp"
      : "=a"(result)
      : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "r"(f)
      : "memory", "cc", "r8", "r9", "r10", "r11");
#else
  int result = (int)syscall((long)number, a, b, c, d, e, f);
  if (result < 0) result = -errno;
#endif
  if (result < 0) {
    errno = -result;
    die("int 0x80");
  }
  return result;
}

static int net_call(int operation, uint32_t number, uint32_t a, uint32_t b,
                    uint32_t c, uint32_t d, uint32_t e, uint32_t f) {
  if (!by_socketcall) return raw_call(number, a, b, c, d, e, f);
  uint32_t arguments[6] = {a, b, c, d, e, f};
  memcpy(low->arguments, arguments, sizeof arguments);
  return raw_call(I386_SOCKETCALL, (uint32_t)operation, at(low->arguments), 0,
                  0, 0, 0);
}

static int open_socket(int type) {
  return net_call(SYS_SOCKET, I386_SOCKET, AF_INET, (uint32_t)type, 0, 0, 0,
                  0);
}

static void aim(const char *text) {
  struct endpoint to = endpoint_of(text);
  memcpy(&low->address, &to.address, sizeof low->address);
}

static void stream(const char *peer) {
  int fd = open_socket(SOCK_STREAM);
  aim(peer);
  net_call(SYS_CONNECT, I386_CONNECT, (uint32_t)fd, at(&low->address),
           sizeof low->address, 0, 0, 0);
  log_socket(fd);
  echo_once(fd);
  finish(fd);
}

static void expect(int fd, int times) {
  char back[32];
  while (times-- > 0)
    if (recv(fd, back, sizeof back, 0) <= 0) die("recv");
  close(fd);
}

static void by_sendto(const char *peer) {
  int fd = open_socket(SOCK_DGRAM);
  aim(peer);
  strcpy(low->text, "i386 sendto");
  net_call(SYS_SENDTO, I386_SENDTO, (uint32_t)fd, at(low->text), 11, 0,
           at(&low->address), sizeof low->address);
  log_socket(fd);
  expect(fd, 1);
}

static void fill(struct message32 *message) {
  memset(message, 0, sizeof *message);
  message->name = at(&low->address);
  message->name_length = sizeof low->address;
  message->parts = at(&low->part);
  message->part_count = 1;
}

static void by_sendmsg(const char *peer) {
  int fd = open_socket(SOCK_DGRAM);
  aim(peer);
  strcpy(low->text, "i386 sendmsg");
  low->part.base = at(low->text);
  low->part.length = 12;
  fill(&low->batch[0].message);
  net_call(SYS_SENDMSG, I386_SENDMSG, (uint32_t)fd, at(&low->batch[0].message),
           0, 0, 0, 0);
  log_socket(fd);
  expect(fd, 1);
}

static void by_sendmmsg(const char *peer) {
  int fd = open_socket(SOCK_DGRAM);
  aim(peer);
  strcpy(low->text, "i386 sendmmsg");
  low->part.base = at(low->text);
  low->part.length = 13;
  fill(&low->batch[0].message);
  fill(&low->batch[1].message);
  net_call(SYS_SENDMMSG, I386_SENDMMSG, (uint32_t)fd, at(low->batch), 2, 0, 0,
           0);
  log_socket(fd);
  expect(fd, 2);
}

int main(int argc, char **argv) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  if (argc != 4) return 2;
  begin();
#if defined(__x86_64__)
  flags |= MAP_32BIT;
#endif
  low = mmap(NULL, sizeof *low, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (low == MAP_FAILED) die("mmap");
  by_socketcall = strcmp(argv[1], "socketcall") == 0;
  stream(argv[2]);
  by_sendto(argv[3]);
  by_sendmsg(argv[3]);
  by_sendmmsg(argv[3]);
  return 0;
}
