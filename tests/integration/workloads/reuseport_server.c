/*
 * Echo server on a port that it may share with others (SO_REUSEPORT):
 *   reuseport_server ADDRESS:PORT [VISITS]
 * Logs "listening", each connection that it accepts, and ends when standard
 * input does. A child visits the port at once so many times, and logs "visited".
 */
#include "workload.h"

static void serve(int listener) {
  char data[256];
  ssize_t got;
  struct endpoint from;
  from.length = sizeof from.address;
  int fd = check(accept(listener, raw(&from), &from.length), "accept");
  log_socket(fd);
  while ((got = recv(fd, data, sizeof data, 0)) > 0)
    send_all(fd, data, (size_t)got);
  close(fd);
}

int main(int argc, char **argv) {
  char name[80];
  int one = 1;
  if (argc != 2 && argc != 3) return 2;
  begin();
  struct endpoint at = endpoint_of(argv[1]);
  int fd = check(socket(at.address.ss_family, SOCK_STREAM, 0), "socket");
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one),
        "SO_REUSEPORT");
  check(bind(fd, raw(&at), at.length), "bind");
  check(listen(fd, 64), "listen");
  if (argc == 3 && check(fork(), "fork") == 0) {
    close(fd);
    for (int i = 0; i < atoi(argv[2]); i++) visit(argv[1]);
    log_event("visited", argv[1]);
    return 0;
  }
  check(getsockname(fd, raw(&at), &at.length), "getsockname");
  text_of(&at.address, name, sizeof name);
  log_event("listening", name);
  struct pollfd ready[2] = {{.fd = 0, .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};
  for (;;) {
    if (poll(ready, 2, -1) < 0) die("poll");
    if (ready[1].revents != 0) serve(fd);
    else if (ready[0].revents != 0) return 0;
  }
}
