/*
 * Connections between the same ends in two network namespaces at a time:
 *   netns_twins PATH LOCAL REMOTE
 * One is opened where the program is, one in the namespace at PATH. Each line
 * on standard input goes on: the first connection is closed; the second one
 * says something, and is closed.
 */
#include "workload.h"

static int open_between(const char *local, const char *remote) {
  struct endpoint at = endpoint_of(local), to = endpoint_of(remote);
  int one = 1;
  int fd = check(socket(at.address.ss_family, SOCK_STREAM, 0), "socket");
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one),
        "SO_REUSEADDR");
  check(bind(fd, raw(&at), at.length), "bind");
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  echo_once(fd);
  return fd;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  begin();
  int first = open_between(argv[2], argv[3]);
  int place = check(open(argv[1], O_RDONLY | O_CLOEXEC), argv[1]);
  check(setns(place, CLONE_NEWNET), "setns");
  close(place);
  int second = open_between(argv[2], argv[3]);
  log_event("open", argv[2]);
  wait_for_go();
  finish(first);
  log_event("closed", "first");
  wait_for_go();
  echo_once(second);
  finish(second);
  return 0;
}
