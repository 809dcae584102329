/*
 * Makes sockets for another program: a listening one, a connection, and a
 * bound UDP socket.
 *   giver - TCP_PEER COMMAND...
 * runs the command with them as descriptors 10, 11 and 12.
 *   giver PATH TCP_PEER
 * hands them over to whoever connects to the Unix socket PATH.
 *   giver + TCP_PEER
 * keeps them, logs "keeping" with process and descriptors, and ends when
 * standard input does.
 */
#include "workload.h"
#include <sys/un.h>

#define COUNT 3
#define FIRST 10

static void make(int *fds, const char *peer) {
  struct endpoint anywhere = endpoint_of("127.0.0.1:0");
  struct endpoint to = endpoint_of(peer);
  fds[0] = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(bind(fds[0], raw(&anywhere), anywhere.length), "bind");
  check(listen(fds[0], 16), "listen");
  fds[1] = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(connect(fds[1], raw(&to), to.length), "connect");
  fds[2] = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  check(bind(fds[2], raw(&anywhere), anywhere.length), "bind");
}

static void hand_over(const int *fds, const char *path) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  char control[CMSG_SPACE(COUNT * sizeof(int))] = {0};
  struct iovec byte = {.iov_base = "x", .iov_len = 1};
  struct msghdr message = {.msg_iov = &byte,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
  int listener = check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  check(bind(listener, (struct sockaddr *)&at, sizeof at), "bind");
  check(listen(listener, 1), "listen");
  log_event("giving", path);
  int fd = check(accept(listener, NULL, NULL), "accept");
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(COUNT * sizeof(int));
  memcpy(CMSG_DATA(header), fds, COUNT * sizeof(int));
  if (sendmsg(fd, &message, 0) != 1) die("sendmsg");
}

int main(int argc, char **argv) {
  int fds[COUNT];
  if (argc < 3) return 2;
  begin();
  make(fds, argv[2]);
  if (strcmp(argv[1], "+") == 0) {
    char value[80];
    snprintf(value, sizeof value, "%d,%d,%d,%d", (int)getpid(), fds[0], fds[1],
             fds[2]);
    log_event("keeping", value);
    wait_for_go();
    return 0;
  }
  if (strcmp(argv[1], "-") != 0) {
    hand_over(fds, argv[1]);
    return 0;
  }
  for (int i = 0; i < COUNT; i++) {
    check(dup2(fds[i], FIRST + i), "dup2");
    close(fds[i]);
  }
  execvp(argv[3], argv + 3);
  die("execvp");
}
