/*
 * Sends one datagram with the given text to the discard port: a test finds it
 * in the independent capture and knows that all earlier packets are there.
 */
#include "workload.h"

int main(int argc, char **argv) {
  struct endpoint to = endpoint_of("127.0.0.1:9");
  if (argc != 2) return 2;
  int fd = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  size_t length = strlen(argv[1]);
  return sendto(fd, argv[1], length, 0, raw(&to), to.length) == (ssize_t)length
             ? 0
             : 1;
}
