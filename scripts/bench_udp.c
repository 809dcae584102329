/*
 * Datagrams as fast as they go, for scripts/bench.
 *
 *   bench_udp sink              holds the port that it prints, until its
 *                               input ends; takes no datagram out
 *   bench_udp PORT              says "ready" and its own port; for each line
 *                               "SIZE MS MAX" of its input sends datagrams of
 *                               SIZE bytes for MS milliseconds, but at most
 *                               MAX, and prints how many and the nanoseconds
 *                               that it took
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* No measurement takes longer. */
#define LIFETIME 7200

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

static void say_ready(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  getsockname(fd, (struct sockaddr *)&address, &length);
  printf("ready %d\n", ntohs(address.sin_port));
  fflush(stdout);
}

static void send_all(int fd, size_t size, double duration, long most) {
  static char data[65536];
  double start = now(), end = start;
  long count = 0;
  if (size > sizeof data) exit(2);
  while (count < most && end - start < duration) {
    for (int i = 0; i < 50 && count < most; i++) {
      if (send(fd, data, size, 0) >= 0) count++;
      else if (errno != ENOBUFS && errno != EAGAIN) fail("send");
    }
    end = now();
  }
  printf("sent %ld %.0f\n", count, end - start);
  fflush(stdout);
}

int main(int argc, char **argv) {
  char line[100];
  alarm(LIFETIME);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) fail("socket");
  if (argc != 2) return 2;
  int sink = strcmp(argv[1], "sink") == 0;
  struct sockaddr_in address = loopback(sink ? 0 : atoi(argv[1]));
  if ((sink ? bind : connect)(fd, (struct sockaddr *)&address,
                              sizeof address) < 0)
    fail(sink ? "bind" : "connect");
  say_ready(fd);
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t size;
    double milliseconds;
    long most;
    if (sink || sscanf(line, "%zu %lf %ld", &size, &milliseconds, &most) != 3)
      return 2;
    send_all(fd, size, milliseconds * 1e6, most);
  }
  return 0;
}
