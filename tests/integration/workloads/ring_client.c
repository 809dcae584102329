/*
 * A client that opens and uses its connection through io_uring(7) alone:
 *   ring_client normal|direct ADDRESS:PORT
 * "direct": the socket is no file descriptor. Connects, logs "connected", waits
 * for a line, then sends a message and takes its echo.
 */
#include "workload.h"
#include <linux/io_uring.h>
#include <sys/mman.h>

#ifndef IORING_FILE_INDEX_ALLOC
#define IORING_FILE_INDEX_ALLOC (~0U)
#endif
#define OP_SOCKET 45
#define TEXT "through the ring"

static int ring;
static unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
static struct io_uring_sqe *sqes;
static struct io_uring_cqe *cqes;
static int is_direct, connection;

static void *map(size_t size, off_t offset) {
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                  ring, offset);
  if (at == MAP_FAILED) die("mmap");
  return at;
}

static void open_ring(void) {
  struct io_uring_params p;
  memset(&p, 0, sizeof p);
  ring = check((int)syscall(SYS_io_uring_setup, 8, &p), "io_uring_setup");
  char *sq = map(p.sq_off.array + p.sq_entries * sizeof(unsigned),
                 IORING_OFF_SQ_RING);
  char *cq = map(p.cq_off.cqes + p.cq_entries * sizeof *cqes,
                 IORING_OFF_CQ_RING);
  sqes = map(p.sq_entries * sizeof *sqes, IORING_OFF_SQES);
  sq_tail = (unsigned *)(void *)(sq + p.sq_off.tail);
  sq_mask = (unsigned *)(void *)(sq + p.sq_off.ring_mask);
  sq_array = (unsigned *)(void *)(sq + p.sq_off.array);
  cq_head = (unsigned *)(void *)(cq + p.cq_off.head);
  cq_tail = (unsigned *)(void *)(cq + p.cq_off.tail);
  cq_mask = (unsigned *)(void *)(cq + p.cq_off.ring_mask);
  cqes = (struct io_uring_cqe *)(void *)(cq + p.cq_off.cqes);
}

/* Submits one request, whose fields the caller gives, and waits for it. */
static int submit(struct io_uring_sqe request, const char *what) {
  unsigned tail = *sq_tail, at = tail & *sq_mask;
  sqes[at] = request;
  sq_array[at] = at;
  __atomic_store_n(sq_tail, tail + 1, __ATOMIC_RELEASE);
  check((int)syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
                     NULL, 0),
        "io_uring_enter");
  while (__atomic_load_n(cq_tail, __ATOMIC_ACQUIRE) == *cq_head) {
  }
  int result = cqes[*cq_head & *cq_mask].res;
  __atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
  if (result < 0) errno = -result;
  return check(result, what);
}

static struct io_uring_sqe request(int op, const void *at, size_t length) {
  struct io_uring_sqe sqe;
  memset(&sqe, 0, sizeof sqe);
  sqe.opcode = (uint8_t)op;
  sqe.fd = connection;
  sqe.addr = (uint64_t)(uintptr_t)at;
  sqe.len = (unsigned)length;
  if (is_direct) sqe.flags = IOSQE_FIXED_FILE;
  return sqe;
}

static void open_socket(int family) {
  struct io_uring_sqe sqe;
  memset(&sqe, 0, sizeof sqe);
  sqe.opcode = OP_SOCKET;
  sqe.fd = family;
  sqe.off = SOCK_STREAM;
  if (is_direct) {
    int none = -1;
    check((int)syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES,
                       &none, 1),
          "IORING_REGISTER_FILES");
    /* file_index: the place in the table, counted from 1 */
    sqe.splice_fd_in = 1;
  }
  int fd = submit(sqe, "socket");
  connection = is_direct ? 0 : fd;
}

int main(int argc, char **argv) {
  char back[sizeof TEXT];
  if (argc != 3) return 2;
  begin();
  is_direct = strcmp(argv[1], "direct") == 0;
  struct endpoint to = endpoint_of(argv[2]);
  open_ring();
  open_socket(to.address.ss_family);
  struct io_uring_sqe connect = request(IORING_OP_CONNECT, raw(&to), 0);
  connect.off = to.length;
  submit(connect, "connect");
  log_event("connected", argv[2]);
  wait_for_go();
  submit(request(IORING_OP_SEND, TEXT, sizeof TEXT), "send");
  if (submit(request(IORING_OP_RECV, back, sizeof back), "recv") !=
      (int)sizeof back)
    return 3;
  return 0;
}
