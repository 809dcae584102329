/*
 * The server that the programs under test and their neighbors talk to. It
 * listens on kernel-chosen ports, tells them as one JSON line, and echoes
 * until standard input ends.
 *   echo_server IPV4 IPV6 [LINGER]
 * tcp4 and tcp6 listen on the addresses, dual on :: for both families; udp4,
 * udp6, dualudp alike; other4, otherudp4: a second one; mute: takes datagrams,
 * never answers; closed: bound, but not listening, so that connections are
 * refused. LINGER delays its FIN by so many milliseconds after the client's.
 */
#include "workload.h"

#define MAX_FDS 4096
#define KIND_LISTENER 1
#define KIND_STREAM 2
#define KIND_DATAGRAM 3
#define KIND_MUTE 4
#define KIND_STDIN 5

static struct pollfd fds[MAX_FDS];
static int kinds[MAX_FDS];
static int count;
static int linger_ms;

static void watch(int fd, int kind) {
  if (count == MAX_FDS) {
    close(fd);
    return;
  }
  fds[count].fd = fd;
  fds[count].events = POLLIN;
  kinds[count++] = kind;
}

static int open_port(const char *address, int type, int only6, int kind) {
  struct endpoint at = endpoint_of(address);
  int one = 1, queue = 64;
  int fd = check(socket(at.address.ss_family,
                        type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                 "socket");
  if (at.address.ss_family == AF_INET6)
    check(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6),
          "IPV6_V6ONLY");
  if (type == SOCK_STREAM)
    check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), "reuse");
  check(bind(fd, raw(&at), at.length), "bind");
  if (kind == KIND_LISTENER) {
    check(listen(fd, 1024), "listen");
    setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue);
  }
  if (kind != 0) watch(fd, kind);
  check(getsockname(fd, raw(&at), &at.length), "getsockname");
  return ntohs(((struct sockaddr_in *)&at.address)->sin_port);
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    watch(fd, KIND_STREAM);
  }
}

static void echo_datagrams(int fd, int mute) {
  static char data[65536];
  for (;;) {
    struct endpoint from;
    from.length = sizeof from.address;
    ssize_t got = recvfrom(fd, data, sizeof data, 0, raw(&from), &from.length);
    if (got < 0) return;
    if (!mute) sendto(fd, data, (size_t)got, 0, raw(&from), from.length);
  }
}

/* A child keeps the connection open, so that the FIN leaves when it ends. */
static void hold(int fd) {
  if (check(fork(), "fork") > 0) return;
  for (int i = 0; i < count; i++)
    if (fds[i].fd != fd) close(fds[i].fd);
  poll(NULL, 0, linger_ms);
  _exit(0);
}

/* Returns 0 when the connection is over. */
static int echo_stream(int fd) {
  static char data[65536];
  ssize_t got = recv(fd, data, sizeof data, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) {
    if (linger_ms > 0) hold(fd);
    return 0;
  }
  ssize_t done = 0;
  while (done < got) {
    ssize_t sent = send(fd, data + done, (size_t)(got - done), MSG_NOSIGNAL);
    if (sent > 0) {
      done += sent;
    } else if (errno == EAGAIN) {
      struct pollfd writable = {.fd = fd, .events = POLLOUT};
      poll(&writable, 1, 1000);
    } else {
      return 0;
    }
  }
  return 1;
}

static void offer(const char *name, const char *address, int type, int only6,
                  int kind) {
  printf("\"%s\":%d,", name, open_port(address, type, only6, kind));
}

int main(int argc, char **argv) {
  char at4[80], at6[80];
  if (argc < 3) return 2;
  if (argc == 4) linger_ms = atoi(argv[3]);
  snprintf(at4, sizeof at4, "%s:0", argv[1]);
  snprintf(at6, sizeof at6, "[%s]:0", argv[2]);
  signal(SIGCHLD, SIG_IGN);
  watch(0, KIND_STDIN);
  printf("{");
  offer("tcp4", at4, SOCK_STREAM, 0, KIND_LISTENER);
  offer("tcp6", at6, SOCK_STREAM, 1, KIND_LISTENER);
  offer("dual", "[::]:0", SOCK_STREAM, 0, KIND_LISTENER);
  offer("other4", at4, SOCK_STREAM, 0, KIND_LISTENER);
  offer("closed", at4, SOCK_STREAM, 0, 0);
  offer("udp4", at4, SOCK_DGRAM, 0, KIND_DATAGRAM);
  offer("udp6", at6, SOCK_DGRAM, 1, KIND_DATAGRAM);
  offer("dualudp", "[::]:0", SOCK_DGRAM, 0, KIND_DATAGRAM);
  offer("otherudp4", at4, SOCK_DGRAM, 0, KIND_DATAGRAM);
  offer("mute", at4, SOCK_DGRAM, 0, KIND_MUTE);
  printf("\"end\":0}\n");
  fflush(stdout);
  for (;;) {
    if (poll(fds, (nfds_t)count, -1) < 0 && errno != EINTR) die("poll");
    int before = count;
    for (int i = before - 1; i >= 0; i--) {
      if (fds[i].revents == 0) continue;
      if (kinds[i] == KIND_STDIN) return 0;
      if (kinds[i] == KIND_LISTENER) accept_all(fds[i].fd);
      if (kinds[i] == KIND_DATAGRAM) echo_datagrams(fds[i].fd, 0);
      if (kinds[i] == KIND_MUTE) echo_datagrams(fds[i].fd, 1);
      if (kinds[i] == KIND_STREAM && !echo_stream(fds[i].fd)) {
        close(fds[i].fd);
        count--;
        fds[i] = fds[count];
        kinds[i] = kinds[count];
      }
    }
  }
}
