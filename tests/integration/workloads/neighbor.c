/*
 * An unrelated client of the same server, whose packets must never show up in
 * a capture: in each round TCP over IPv4 and IPv6, a refused connection, and
 * UDP from sockets that it keeps. Its UDP ports lie below the kernel's
 * ephemeral range, so that no program under test can get one of them later.
 *   neighbor TCP4 TCP6 REFUSED UDP4 UDP6 MUTE
 * Says "ready" after the first round and ends when standard input does.
 */
#include "workload.h"

#define PAUSE_MS 4
#define FIRST_PORT 20000
#define LAST_PORT 31000

static int kept_udp(const char *to_text) {
  struct endpoint to = endpoint_of(to_text);
  struct endpoint at = endpoint_of(
      to.address.ss_family == AF_INET ? "0.0.0.0:0" : "[::]:0");
  int fd = check(socket(to.address.ss_family, SOCK_DGRAM, 0), "socket");
  int port = FIRST_PORT + (int)getpid() % 5000;
  for (; port < LAST_PORT; port++) {
    ((struct sockaddr_in *)&at.address)->sin_port = htons((uint16_t)port);
    if (bind(fd, raw(&at), at.length) == 0) break;
  }
  log_socket(fd);
  return fd;
}

static void refused(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
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
    visit(argv[1]);
    visit(argv[2]);
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
