/*
 * Sends one datagram with the given text to the discard port: a test finds it
 * in the independent capture and knows that all earlier packets are there.
 * It leaves from a port below the ephemeral range, which no program under test
 * can have.
 */
#include "workload.h"

#define FIRST_PORT 15000
#define LAST_PORT 19999

int main(int argc, char **argv) {
  struct endpoint to = endpoint_of("127.0.0.1:9");
  if (argc != 2) return 2;
  int fd = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  size_t length = strlen(argv[1]);
  struct endpoint from = endpoint_of("127.0.0.1:0");
  for (int port = FIRST_PORT + (int)getpid() % 4000; port <= LAST_PORT; port++) {
    ((struct sockaddr_in *)&from.address)->sin_port = htons((uint16_t)port);
    if (bind(fd, raw(&from), from.length) == 0) break;
  }
  return sendto(fd, argv[1], length, 0, raw(&to), to.length) == (ssize_t)length
             ? 0
             : 1;
}
