/*
 * Sends COUNT datagrams of 100 bytes from one socket, each different:
 *   udp_burst ADDRESS:PORT COUNT PAUSE_US
 * Without pause they leave as fast as the kernel takes them; a count of 0 goes
 * on until standard input ends.
 */
#include "workload.h"

#define LENGTH 100
/* Datagrams between two looks at standard input. */
#define BETWEEN 64

int main(int argc, char **argv) {
  char data[LENGTH + 1];
  struct pollfd input = {.fd = 0, .events = POLLIN};
  if (argc != 4) return 2;
  struct endpoint to = endpoint_of(argv[1]);
  long count = atol(argv[2]);
  useconds_t pause = (useconds_t)atol(argv[3]);
  begin();
  int fd = check(socket(to.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                 "socket");
  for (long i = 0; count == 0 || i < count; i++) {
    snprintf(data, sizeof data, "%-*ld", LENGTH, i);
    if (sendto(fd, data, LENGTH, 0, raw(&to), to.length) != LENGTH)
      die("sendto");
    if (i == 0) {
      log_socket(fd);
      log_event("sending", argv[1]);
    }
    if (pause > 0) usleep(pause);
    if (count == 0 && i % BETWEEN == 0 && poll(&input, 1, 0) > 0) break;
  }
  close(fd);
  return 0;
}
