/*
 * Uses a port, closes it, and stays: another program may take the port.
 *   port_handover tcp|udp ADDRESS:PORT
 * Serves one connection or datagram, closes, logs "closed", and ends at the
 * next line on standard input.
 */
#include "workload.h"

static void serve_stream(int listener) {
  char data[256];
  ssize_t got;
  int fd = check(accept(listener, NULL, NULL), "accept");
  while ((got = recv(fd, data, sizeof data, 0)) > 0)
    send_all(fd, data, (size_t)got);
  close(fd);
}

static void serve_datagram(int fd) {
  char data[256];
  struct endpoint from;
  from.length = sizeof from.address;
  ssize_t got = recvfrom(fd, data, sizeof data, 0, raw(&from), &from.length);
  if (got < 0) die("recvfrom");
  if (sendto(fd, data, (size_t)got, 0, raw(&from), from.length) != got)
    die("sendto");
}

int main(int argc, char **argv) {
  int one = 1;
  if (argc != 3) return 2;
  int stream = strcmp(argv[1], "tcp") == 0;
  begin();
  struct endpoint at = endpoint_of(argv[2]);
  int fd = check(socket(AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0),
                 "socket");
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), "reuse");
  check(bind(fd, raw(&at), at.length), "bind");
  if (stream) check(listen(fd, 16), "listen");
  log_socket(fd);
  log_event("listening", argv[2]);
  if (stream) serve_stream(fd);
  else serve_datagram(fd);
  close(fd);
  log_event("closed", argv[2]);
  wait_for_go();
  return 0;
}
