/*
 * Sends one datagram: a test finds it in the independent capture and knows
 * that all earlier packets are there.
 *   send_marker ADDRESS:PORT TEXT
 * It leaves from a port below the ephemeral range, which no program under test
 * can have.
 */
#include "workload.h"

#define FIRST_PORT 15000
#define LAST_PORT 19999

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  struct endpoint to = endpoint_of(argv[1]);
  int fd = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  size_t length = strlen(argv[2]);
  struct endpoint from = endpoint_of("0.0.0.0:0");
  for (int port = FIRST_PORT + (int)getpid() % 4000; port <= LAST_PORT; port++) {
    ((struct sockaddr_in *)&from.address)->sin_port = htons((uint16_t)port);
    if (bind(fd, raw(&from), from.length) == 0) break;
  }
  return sendto(fd, argv[2], length, 0, raw(&to), to.length) == (ssize_t)length
             ? 0
             : 1;
}
