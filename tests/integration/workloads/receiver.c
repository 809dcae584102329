/*
 * Uses sockets that another program made (giver.c):
 *   receiver - UDP_PEER        has them as descriptors 10, 11 and 12
 *   receiver PATH UDP_PEER     gets them through the Unix socket PATH, and
 *                              waits for a line before it uses them
 *   receiver PID,FD,FD,FD UDP_PEER
 *                              takes them out of that process, keeps its
 *                              pidfd, and waits alike
 * One connection is accepted, one message goes through the connection, and one
 * datagram to the peer.
 */
#include "workload.h"
#include <sys/un.h>

#define COUNT 3
#define FIRST 10

static void receive(int *fds, const char *path) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  char control[CMSG_SPACE(COUNT * sizeof(int))], byte;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
  snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
  int fd = check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");
  check(connect(fd, (struct sockaddr *)&at, sizeof at), "connect");
  if (recvmsg(fd, &message, 0) != 1) die("recvmsg");
  memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), COUNT * sizeof(int));
  log_event("received", path);
  wait_for_go();
}

/* pidfd_getfd(2) */
static void take(int *fds, const char *from) {
  int pid, theirs[COUNT];
  if (sscanf(from, "%d,%d,%d,%d", &pid, &theirs[0], &theirs[1], &theirs[2]) !=
      1 + COUNT)
    exit(2);
  int process = check((int)syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
  for (int i = 0; i < COUNT; i++)
    fds[i] = check((int)syscall(SYS_pidfd_getfd, process, theirs[i], 0),
                   "pidfd_getfd");
  log_event("taken", from);
  wait_for_go();
}

int main(int argc, char **argv) {
  int fds[COUNT] = {FIRST, FIRST + 1, FIRST + 2};
  char name[80], data[64];
  struct endpoint at = {.length = sizeof at.address};
  if (argc != 3) return 2;
  begin();
  if (strchr(argv[1], ',') != NULL) take(fds, argv[1]);
  else if (strcmp(argv[1], "-") != 0) receive(fds, argv[1]);
  for (int i = 0; i < COUNT; i++) log_socket(fds[i]);
  check(getsockname(fds[0], raw(&at), &at.length), "getsockname");
  text_of(&at.address, name, sizeof name);
  log_event("listening", name);
  int fd = check(accept(fds[0], NULL, NULL), "accept");
  ssize_t got;
  while ((got = recv(fd, data, sizeof data, 0)) > 0)
    send_all(fd, data, (size_t)got);
  close(fd);
  echo_once(fds[1]);
  finish(fds[1]);
  struct endpoint to = endpoint_of(argv[2]);
  if (sendto(fds[2], "given", 5, 0, raw(&to), to.length) != 5) die("sendto");
  if (recv(fds[2], data, sizeof data, 0) != 5) die("recv");
  return 0;
}
