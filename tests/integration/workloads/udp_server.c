/*
 * UDP server (or of WORKLOAD_PROTOCOL) that takes COUNT datagrams of foreign clients and ends:
 *   udp_server MODE ADDRESS:PORT COUNT
 * "echo" sends each one back, "mute" never answers.
 */
#include "workload.h"

int main(int argc, char **argv) {
  char name[80], data[4096];
  int zero = 0;
  if (argc != 4) return 2;
  int mute = strcmp(argv[1], "mute") == 0;
  begin();
  struct endpoint at = endpoint_of(argv[2]);
  int fd = datagram_socket(at.address.ss_family);
  if (at.address.ss_family == AF_INET6)
    check(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero),
          "IPV6_V6ONLY");
  check(bind(fd, raw(&at), at.length), "bind");
  check(getsockname(fd, raw(&at), &at.length), "getsockname");
  text_of(&at.address, name, sizeof name);
  log_socket(fd);
  log_event("listening", name);
  for (int i = 0; i < atoi(argv[3]); i++) {
    struct endpoint from;
    from.length = sizeof from.address;
    ssize_t got = recvfrom(fd, data, sizeof data, 0, raw(&from), &from.length);
    if (got < 0) die("recvfrom");
    if (mute) continue;
    if (sendto(fd, data, (size_t)got, 0, raw(&from), from.length) != got)
      die("sendto");
  }
  return 0;
}
