/*
 * System calls in a loop, for scripts/bench.
 *
 *   bench_loop listen      accepts connections on the port that it prints,
 *                          until its input ends
 *   bench_loop PORT MS     says "ready", waits for a line, then prints the
 *                          nanoseconds of a getppid() and of a connection:
 *                          socket(), setsockopt(), connect(), close() by RST
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

static int serve(void) {
  struct sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, length) < 0) fail("bind");
  if (listen(listener, 4096) < 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("ready %d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct pollfd ready[2] = {{.fd = listener, .events = POLLIN},
                            {.fd = 0, .events = POLLIN}};
  for (;;) {
    if (poll(ready, 2, -1) < 0) fail("poll");
    if (ready[1].revents) return 0;
    int connection = accept(listener, NULL, NULL);
    if (connection >= 0) close(connection);
  }
}

static void call(int port) {
  (void)port;
  syscall(SYS_getppid);
}

static void connect_once(int port) {
  struct sockaddr_in address = loopback(port);
  /* Without TIME_WAIT the ports never run out. */
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
    fail("connect");
  close(fd);
}

static double measure(void (*step)(int), int port, double duration) {
  double start = now(), end;
  long count = 0;
  do {
    for (int i = 0; i < 20; i++) step(port);
    count += 20;
    end = now();
  } while (end - start < duration);
  return (end - start) / count;
}

int main(int argc, char **argv) {
  char line[16];
  alarm(LIFETIME);
  if (argc == 2 && strcmp(argv[1], "listen") == 0) return serve();
  if (argc != 3) return 2;
  int port = atoi(argv[1]);
  double duration = atof(argv[2]) * 1e6;
  printf("ready\n");
  fflush(stdout);
  if (fgets(line, sizeof line, stdin) == NULL) return 1;
  double call_time = measure(call, port, duration);
  double connect_time = measure(connect_once, port, duration);
  printf("getppid %.1f connect %.1f\n", call_time, connect_time);
  return 0;
}
