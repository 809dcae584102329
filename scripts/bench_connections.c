// Opens and closes TCP connections on the loopback interface, one after the
// other, with a request and an answer on each; prints how many and how long.
//
//     bench_connections COUNT BYTES
//
// Both ends are in this process. Destinations change, so that ports of
// connections that have just ended are not needed again.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESSES = 200, MAX_BYTES = 1 << 16 };

static long connections;
static size_t bytes;
static int listener;

static void check(int ok, const char *what) {
  if (ok) return;
  perror(what);
  exit(1);
}

static void transfer(int socket, int sends) {
  static __thread char buffer[MAX_BYTES];
  for (size_t done = 0; done < bytes;) {
    ssize_t part = sends ? send(socket, buffer, bytes - done, MSG_NOSIGNAL)
                         : recv(socket, buffer, bytes - done, 0);
    check(part > 0, sends ? "send" : "recv");
    done += (size_t)part;
  }
}

static void *serve(void *unused) {
  for (long i = 0; i < connections; i++) {
    int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    check(socket >= 0, "accept4");
    transfer(socket, 0);
    transfer(socket, 1);
    close(socket);
  }
  return unused;
}

int main(int argc, char **argv) {
  check(argc == 3, "usage: bench_connections COUNT BYTES");
  connections = atol(argv[1]);
  bytes = (size_t)atol(argv[2]);
  check(bytes <= MAX_BYTES, "bytes");
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(listener >= 0, "socket");
  check(bind(listener, (struct sockaddr *)&address, length) == 0, "bind");
  check(listen(listener, 128) == 0, "listen");
  getsockname(listener, (struct sockaddr *)&address, &length);
  pthread_t server;
  check(pthread_create(&server, NULL, serve, NULL) == 0, "pthread_create");
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (long i = 0; i < connections; i++) {
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (in_addr_t)(i % ADDRESSES));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(client >= 0, "socket");
    check(connect(client, (struct sockaddr *)&address, length) == 0, "connect");
    transfer(client, 1);
    transfer(client, 0);
    close(client);
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  pthread_join(server, NULL);
  double seconds = (double)(end.tv_sec - begin.tv_sec) +
                   (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
  printf("%ld %.6f\n", connections, seconds);
  return 0;
}
