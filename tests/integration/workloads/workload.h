/*
 * Shared by the workloads: addresses from text, and the log in which a
 * workload tells the test which sockets it used. Each line of the log is one
 * JSON object, either a socket
 *   {"pid":1,"proto":"tcp","local":"127.0.0.1:1234","remote":"127.0.0.1:80"}
 * (remote "*" when the socket talks to anybody) or an event
 *   {"pid":1,"event":"ready","value":"..."}
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

#ifndef UDPLITE_SEND_CSCOV
#define UDPLITE_SEND_CSCOV 10
#endif

/*
 * A forgotten workload must not outlive its test. TRACEDUMP_TEST_PATIENCE is a
 * factor on the time, for slow machines.
 */
#define LIFETIME_SECONDS 60

static void die(const char *what) UNUSED;
static void die(const char *what) {
  fprintf(stderr, "workload: %s: %s\n", what, strerror(errno));
  exit(99);
}

static int check(int result, const char *what) UNUSED;
static int check(int result, const char *what) {
  if (result < 0) die(what);
  return result;
}

/* An address of either family. */
struct endpoint {
  struct sockaddr_storage address;
  socklen_t length;
};

static struct sockaddr *raw(struct endpoint *e) UNUSED;
static struct sockaddr *raw(struct endpoint *e) {
  return (struct sockaddr *)&e->address;
}

/* Reads "127.0.0.1:80" or "[::1]:80". */
static struct endpoint endpoint_of(const char *text) UNUSED;
static struct endpoint endpoint_of(const char *text) {
  struct endpoint e;
  char host[64];
  const char *colon = strrchr(text, ':');
  memset(&e, 0, sizeof e);
  if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
    fprintf(stderr, "workload: bad address %s\n", text);
    exit(98);
  }
  uint16_t port = htons((uint16_t)atoi(colon + 1));
  if (text[0] == '[') {
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&e.address;
    memcpy(host, text + 1, (size_t)(colon - text) - 2);
    host[colon - text - 2] = 0;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = port;
    e.length = sizeof *in6;
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1) die(text);
  } else {
    struct sockaddr_in *in = (struct sockaddr_in *)&e.address;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    in->sin_family = AF_INET;
    in->sin_port = port;
    e.length = sizeof *in;
    if (inet_pton(AF_INET, host, &in->sin_addr) != 1) die(text);
  }
  return e;
}

/* The IPv4 endpoint as an IPv6 one: ::ffff:a.b.c.d. */
static struct endpoint mapped_of(const char *text) UNUSED;
static struct endpoint mapped_of(const char *text) {
  struct endpoint from = endpoint_of(text);
  struct sockaddr_in *in = (struct sockaddr_in *)&from.address;
  struct endpoint e;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&e.address;
  memset(&e, 0, sizeof e);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = in->sin_port;
  in6->sin6_addr.s6_addr[10] = 0xff;
  in6->sin6_addr.s6_addr[11] = 0xff;
  memcpy(in6->sin6_addr.s6_addr + 12, &in->sin_addr, 4);
  e.length = sizeof *in6;
  return e;
}

static void text_of(const struct sockaddr_storage *address, char *out,
                    size_t size) UNUSED;
static void text_of(const struct sockaddr_storage *address, char *out,
                    size_t size) {
  char host[INET6_ADDRSTRLEN];
  if (address->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    snprintf(out, size, "%s:%u", host, ntohs(in->sin_port));
  } else if (address->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    snprintf(out, size, "[%s]:%u", host, ntohs(in6->sin6_port));
  } else {
    snprintf(out, size, "*");
  }
}

/* One write per line, so that lines of several processes never mix. */
static void log_line(const char *format, ...)
    __attribute__((format(printf, 1, 2))) UNUSED;
static void log_line(const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  line[length++] = '\n';
  const char *path = getenv("WORKLOAD_LOG");
  int fd = path == NULL ? 1
                        : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                               0666);
  if (write(fd, line, (size_t)length) != length) die("write log");
  if (path != NULL) close(fd);
}

static void log_event(const char *name, const char *value) UNUSED;
static void log_event(const char *name, const char *value) {
  log_line("{\"pid\":%d,\"event\":\"%s\",\"value\":\"%s\"}", (int)getpid(),
           name, value);
}

/* Logs a socket whose peer is known although the kernel may not tell it. */
static void log_pair(int fd, const char *protocol, struct endpoint *peer)
    UNUSED;
static void log_pair(int fd, const char *protocol, struct endpoint *peer) {
  struct endpoint local;
  char here[80], there[80] = "*";
  memset(&local, 0, sizeof local);
  local.length = sizeof local.address;
  check(getsockname(fd, raw(&local), &local.length), "getsockname");
  text_of(&local.address, here, sizeof here);
  if (peer != NULL) text_of(&peer->address, there, sizeof there);
  log_line("{\"pid\":%d,\"proto\":\"%s\",\"local\":\"%s\",\"remote\":\"%s\"}",
           (int)getpid(), protocol, here, there);
}

/* What the log calls a socket's protocol. */
static const char *protocol_of(int fd) UNUSED;
static const char *protocol_of(int fd) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  check(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size),
        "SO_PROTOCOL");
  if (protocol == IPPROTO_UDPLITE) return "udplite";
  return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

/*
 * A socket of WORKLOAD_PROTOCOL, UDP unless told. Checksums of UDP-Lite cover
 * the header alone, so that most of what is compared is in nobody's sum.
 */
static int datagram_socket(int family) UNUSED;
static int datagram_socket(int family) {
  const char *protocol = getenv("WORKLOAD_PROTOCOL");
  int number = protocol == NULL ? 0 : atoi(protocol), coverage = 8;
  int fd = check(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, number), "socket");
  if (number == IPPROTO_UDPLITE)
    check(setsockopt(fd, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, &coverage,
                     sizeof coverage),
          "UDPLITE_SEND_CSCOV");
  return fd;
}

/* Logs a socket as the kernel knows it; without peer it talks to anybody. */
static void log_socket(int fd) UNUSED;
static void log_socket(int fd) {
  struct endpoint peer;
  memset(&peer, 0, sizeof peer);
  peer.length = sizeof peer.address;
  int known = getpeername(fd, raw(&peer), &peer.length) == 0;
  log_pair(fd, protocol_of(fd), known ? &peer : NULL);
}

/* Waits for one line on standard input; returns 0 at its end. */
static int wait_for_go(void) UNUSED;
static int wait_for_go(void) {
  char c = 0;
  while (c != '\n') {
    ssize_t got = read(0, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
  }
  return 1;
}

static void send_all(int fd, const char *data, size_t length) UNUSED;
static void send_all(int fd, const char *data, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) die("send");
    data += sent;
    length -= (size_t)sent;
  }
}

static void receive_all(int fd, char *data, size_t length) UNUSED;
static void receive_all(int fd, char *data, size_t length) {
  while (length > 0) {
    ssize_t got = recv(fd, data, length, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) die("recv");
    data += got;
    length -= (size_t)got;
  }
}

/* Sends a text that differs per call and waits for its echo. */
static void echo_once(int fd) UNUSED;
static void echo_once(int fd) {
  static int serial;
  char text[64], back[64];
  int number = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
  int length = snprintf(text, sizeof text, "workload %d message %d",
                        (int)getpid(), number);
  send_all(fd, text, (size_t)length);
  receive_all(fd, back, (size_t)length);
  if (memcmp(text, back, (size_t)length) != 0) {
    fprintf(stderr, "workload: wrong echo\n");
    exit(96);
  }
}

/* Closes a TCP connection in order: FIN, the peer's FIN, close. */
static void finish(int fd) UNUSED;
static void finish(int fd) {
  char rest[256];
  check(shutdown(fd, SHUT_WR), "shutdown");
  while (recv(fd, rest, sizeof rest, 0) > 0) {
  }
  close(fd);
}

/* A blocking connection, one echo, an orderly end. */
static void visit(const char *text) UNUSED;
static void visit(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = check(socket(to.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0),
                 "socket");
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  echo_once(fd);
  finish(fd);
}

/* An unbound socket of datagrams, one of them, its echo. */
static void ask(const char *text) UNUSED;
static void ask(const char *text) {
  struct endpoint to = endpoint_of(text);
  char data[64], back[64];
  int fd = datagram_socket(to.address.ss_family);
  int length = snprintf(data, sizeof data, "question of %d on %d",
                        (int)getpid(), fd);
  if (sendto(fd, data, (size_t)length, 0, raw(&to), to.length) != length)
    die("sendto");
  log_socket(fd);
  if (recv(fd, back, sizeof back, 0) != length) die("recv");
  close(fd);
}

static void begin(void) UNUSED;
static void begin(void) {
  const char *factor = getenv("TRACEDUMP_TEST_PATIENCE");
  unsigned times = factor == NULL ? 1 : (unsigned)atoi(factor);
  alarm(LIFETIME_SECONDS * (times == 0 ? 1 : times));
}

#endif
