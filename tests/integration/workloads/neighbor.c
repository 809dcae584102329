/*
 * An unrelated client of the same server, whose packets must never show up in
 * a capture: in each round TCP over IPv4 and IPv6, a refused connection, and
 * UDP from sockets that it keeps. Its ports lie below the kernel's ephemeral
 * range, so that no program under test has one of them at another time.
 *   neighbor TCP4 TCP6 REFUSED UDP4 UDP6 MUTE
 * Says "ready" after the first round and ends when standard input does.
 */
#include "workload.h"

#define PAUSE_MS 4
#define FIRST_PORT 20000
#define LAST_PORT 31000

/* A socket of the peer's family with the next port that is free. */
static int bound_socket(const struct endpoint *to, int type) {
  static int next;
  int family = to->address.ss_family;
  struct endpoint at = endpoint_of(family == AF_INET ? "0.0.0.0:0" : "[::]:0");
  int fd = check(socket(family, type | SOCK_CLOEXEC, 0), "socket");
  int on = 1;
  /* Ports of connections that are over may be in TIME_WAIT. */
  if (type == SOCK_STREAM)
    check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse");
  if (next == 0) next = FIRST_PORT + (int)getpid() % 5000;
  for (int tries = 0; tries < LAST_PORT - FIRST_PORT; tries++) {
    int port = next++;
    if (next == LAST_PORT) next = FIRST_PORT;
    ((struct sockaddr_in *)&at.address)->sin_port = htons((uint16_t)port);
    if (bind(fd, raw(&at), at.length) == 0) return fd;
  }
  die("bind");
  return -1;
}

static int kept_udp(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = bound_socket(&to, SOCK_DGRAM);
  log_socket(fd);
  return fd;
}

/* As `visit`, from a port of this program's own. */
static void visit_bound(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = bound_socket(&to, SOCK_STREAM);
  while (connect(fd, raw(&to), to.length) != 0) {
    /* The same pair of ends may be in TIME_WAIT. */
    if (errno != EADDRNOTAVAIL) die("connect");
    close(fd);
    fd = bound_socket(&to, SOCK_STREAM);
  }
  log_socket(fd);
  echo_once(fd);
  finish(fd);
}

static void refused(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = bound_socket(&to, SOCK_STREAM);
  if (connect(fd, raw(&to), to.length) == 0) exit(95);
  log_pair(fd, "tcp", &to);
  close(fd);
}

static void question(int fd, const char *text, int answered) {
  struct endpoint to = endpoint_of(text);
  char back[64];
  struct pollfd readable = {.fd = fd, .events = POLLIN};
  if (sendto(fd, "neighbor", 8, 0, raw(&to), to.length) != 8) die("sendto");
  if (answered && poll(&readable, 1, 2000) == 1) recv(fd, back, 64, 0);
}

int main(int argc, char **argv) {
  if (argc != 7) return 2;
  int udp4 = kept_udp(argv[4]), udp6 = kept_udp(argv[5]);
  struct pollfd input = {.fd = 0, .events = POLLIN};
  for (int round = 0;; round++) {
    visit_bound(argv[1]);
    visit_bound(argv[2]);
    refused(argv[3]);
    question(udp4, argv[4], 1);
    question(udp6, argv[5], 1);
    question(udp4, argv[6], 0);
    if (round == 0) {
      printf("ready\n");
      fflush(stdout);
    }
    if (poll(&input, 1, PAUSE_MS) > 0) return 0;
  }
}
