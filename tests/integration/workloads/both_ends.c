/*
 * Client and server in one program:
 *   both_ends MODE ADDRESS
 * "processes": the server is a child; "threads": a thread; "self": one socket
 * connected to itself (TCP simultaneous open on loopback).
 */
#include "workload.h"

#define ROUNDS 5

static int listener, datagrams;
static char tcp_at[80], udp_at[80];

static int open_at(const char *address, int type, char *name, size_t size) {
  char text[80];
  snprintf(text, sizeof text, "%s:0", address);
  struct endpoint at = endpoint_of(text);
  int fd = check(socket(at.address.ss_family, type, 0), "socket");
  check(bind(fd, raw(&at), at.length), "bind");
  if (type == SOCK_STREAM) check(listen(fd, 64), "listen");
  check(getsockname(fd, raw(&at), &at.length), "getsockname");
  text_of(&at.address, name, size);
  log_socket(fd);
  return fd;
}

static void *serve(void *unused) {
  char data[256];
  (void)unused;
  for (int i = 0; i < ROUNDS; i++) {
    int fd = check(accept(listener, NULL, NULL), "accept");
    ssize_t got;
    while ((got = recv(fd, data, sizeof data, 0)) > 0)
      send_all(fd, data, (size_t)got);
    close(fd);
    struct endpoint from;
    from.length = sizeof from.address;
    got = recvfrom(datagrams, data, sizeof data, 0, raw(&from), &from.length);
    if (got < 0) die("recvfrom");
    if (sendto(datagrams, data, (size_t)got, 0, raw(&from), from.length) != got)
      die("sendto");
  }
  return NULL;
}

static void talk(void) {
  for (int i = 0; i < ROUNDS; i++) {
    visit(tcp_at);
    ask(udp_at);
  }
}

static void to_itself(void) {
  struct endpoint at = endpoint_of("127.0.0.1:0");
  char back[8];
  int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(bind(fd, raw(&at), at.length), "bind");
  check(getsockname(fd, raw(&at), &at.length), "getsockname");
  check(connect(fd, raw(&at), at.length), "connect to itself");
  log_socket(fd);
  send_all(fd, "myself", 6);
  receive_all(fd, back, 6);
  close(fd);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  begin();
  if (strcmp(argv[1], "self") == 0) {
    to_itself();
    return 0;
  }
  listener = open_at(argv[2], SOCK_STREAM, tcp_at, sizeof tcp_at);
  datagrams = open_at(argv[2], SOCK_DGRAM, udp_at, sizeof udp_at);
  if (strcmp(argv[1], "processes") == 0) {
    int status;
    pid_t child = check(fork(), "fork");
    if (child == 0) {
      serve(NULL);
      _exit(0);
    }
    talk();
    check(waitpid(child, &status, 0), "waitpid");
    return status == 0 ? 0 : 93;
  }
  pthread_t thread;
  if (pthread_create(&thread, NULL, serve, NULL) != 0) die("thread");
  talk();
  pthread_join(thread, NULL);
  return 0;
}
