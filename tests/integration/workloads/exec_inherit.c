/*
 * Sockets that are handed to a new program image or to another process:
 *   exec_inherit MODE TCP4 UDP4
 * "connected": a connection made before exec is used after it, and an unbound
 * socket made before exec connects after it. "from_thread": a thread that is
 * not the leader calls exec. "passed": a socket goes to a child over AF_UNIX.
 */
#include "workload.h"

extern char **environ;

static char *self, *tcp_peer, *udp_peer;

static void exec_with(const char *mode, int a, int b, int c) {
  static char fds[48];
  snprintf(fds, sizeof fds, "%d,%d,%d", a, b, c);
  char *const args[] = {self,     (char *)(uintptr_t)mode,
                        tcp_peer, udp_peer,
                        fds,      NULL};
  execve(self, args, environ);
  die("execve");
}

static void before_exec(void) {
  struct endpoint to = endpoint_of(tcp_peer);
  int connected = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  int unused_tcp = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  int unused_udp = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  check(connect(connected, raw(&to), to.length), "connect");
  log_socket(connected);
  echo_once(connected);
  exec_with("after", connected, unused_tcp, unused_udp);
}

static void after_exec(const char *fds) {
  int connected, tcp, udp;
  char back[8];
  struct endpoint to = endpoint_of(tcp_peer), ask_at = endpoint_of(udp_peer);
  if (sscanf(fds, "%d,%d,%d", &connected, &tcp, &udp) != 3) exit(98);
  echo_once(connected);
  check(connect(tcp, raw(&to), to.length), "connect");
  log_socket(tcp);
  echo_once(tcp);
  if (sendto(udp, "after", 5, 0, raw(&ask_at), ask_at.length) != 5)
    die("sendto");
  log_socket(udp);
  if (recv(udp, back, sizeof back, 0) != 5) die("recv");
  finish(tcp);
  finish(connected);
}

static void *exec_in_thread(void *unused) {
  (void)unused;
  visit(tcp_peer);
  exec_with("leaf", 0, 0, 0);
  return NULL;
}

static void from_thread(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, exec_in_thread, NULL) != 0) die("thread");
  for (;;) pause();
}

static void send_fd(int channel, int fd) {
  char control[CMSG_SPACE(sizeof(int))], byte = 'x';
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(channel, &message, 0) != 1) die("sendmsg");
}

static int receive_fd(int channel) {
  char control[CMSG_SPACE(sizeof(int))], byte;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  int fd;
  if (recvmsg(channel, &message, 0) != 1) die("recvmsg");
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

/* The child connects a socket that it got from its parent. */
static void passed(void) {
  int channel[2];
  struct endpoint to = endpoint_of(tcp_peer);
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), "socketpair");
  pid_t child = check(fork(), "fork");
  if (child == 0) {
    int fd = receive_fd(channel[1]);
    check(connect(fd, raw(&to), to.length), "connect");
    log_socket(fd);
    echo_once(fd);
    finish(fd);
    _exit(0);
  }
  int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  send_fd(channel[0], fd);
  close(fd);
  int status;
  check(waitpid(child, &status, 0), "waitpid");
  exit(status == 0 ? 0 : 93);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  self = argv[0];
  tcp_peer = argv[2];
  udp_peer = argv[3];
  begin();
  if (strcmp(argv[1], "connected") == 0) before_exec();
  else if (strcmp(argv[1], "after") == 0 && argc == 5) after_exec(argv[4]);
  else if (strcmp(argv[1], "from_thread") == 0) from_thread();
  else if (strcmp(argv[1], "leaf") == 0) {
    visit(tcp_peer);
    ask(udp_peer);
  } else if (strcmp(argv[1], "passed") == 0) passed();
  else return 2;
  return 0;
}
