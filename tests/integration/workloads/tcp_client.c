/*
 * TCP clients, one way of connecting each:
 *   tcp_client MODE ADDRESS:PORT [COUNT|ADDRESS:PORT]
 */
#include "workload.h"

static int open_stream(int family, int flags) {
  return check(socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0),
               "socket");
}

static void nonblocking(const char *text) {
  struct endpoint to = endpoint_of(text);
  int error = 0;
  socklen_t size = sizeof error;
  int fd = open_stream(to.address.ss_family, SOCK_NONBLOCK);
  struct pollfd writable = {.fd = fd, .events = POLLOUT};
  if (connect(fd, raw(&to), to.length) == 0 || errno != EINPROGRESS)
    die("no EINPROGRESS");
  check(poll(&writable, 1, 5000), "poll");
  check(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), "SO_ERROR");
  if (error != 0) exit(94);
  log_socket(fd);
  fcntl(fd, F_SETFL, 0);
  echo_once(fd);
  finish(fd);
}

/* Begins to connect and closes before anything else. */
static void abandoned(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = open_stream(to.address.ss_family, SOCK_NONBLOCK);
  if (connect(fd, raw(&to), to.length) == 0 || errno != EINPROGRESS)
    die("no EINPROGRESS");
  log_pair(fd, "tcp", &to);
  close(fd);
}

static void mapped(const char *text) {
  struct endpoint to = mapped_of(text);
  int fd = open_stream(AF_INET6, 0);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  echo_once(fd);
  finish(fd);
}

static void bound(const char *from_text, const char *to_text) {
  struct endpoint to = endpoint_of(to_text), from = endpoint_of(from_text);
  int one = 1;
  int fd = open_stream(to.address.ss_family, 0);
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), "reuse");
  check(bind(fd, raw(&from), from.length), "bind");
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  echo_once(fd);
  log_event("echoed", from_text);
  wait_for_go();
  echo_once(fd);
  finish(fd);
}

static void refused(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = open_stream(to.address.ss_family, 0);
  if (connect(fd, raw(&to), to.length) == 0 || errno != ECONNREFUSED)
    die("not refused");
  log_pair(fd, "tcp", &to);
  close(fd);
}

static void refused_nonblocking(const char *text) {
  struct endpoint to = endpoint_of(text);
  int error = 0;
  socklen_t size = sizeof error;
  int fd = open_stream(to.address.ss_family, SOCK_NONBLOCK);
  struct pollfd writable = {.fd = fd, .events = POLLOUT};
  if (connect(fd, raw(&to), to.length) == 0) die("not refused");
  log_pair(fd, "tcp", &to);
  check(poll(&writable, 1, 5000), "poll");
  check(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), "SO_ERROR");
  if (error != 0 && error != ECONNREFUSED) exit(94);
  close(fd);
}

static void send_and_exit(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = open_stream(to.address.ss_family, 0);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  send_all(fd, "the last words", 14);
  _exit(0);
}

/* Leaves the end of the connection to the kernel. */
static void echo_and_exit(const char *text) {
  struct endpoint to = endpoint_of(text);
  int fd = open_stream(to.address.ss_family, 0);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  echo_once(fd);
  _exit(0);
}

/* Ends while the peer is still sending: its segments meet a closed port. */
static void quit_midway(const char *text) {
  static char data[300000];
  struct endpoint to = endpoint_of(text);
  int fd = open_stream(to.address.ss_family, SOCK_NONBLOCK);
  struct pollfd ready = {.fd = fd, .events = POLLIN | POLLOUT};
  size_t sent = 0, got = 0;
  if (connect(fd, raw(&to), to.length) != 0 && errno != EINPROGRESS)
    die("connect");
  while (got < sizeof data / 3) {
    check(poll(&ready, 1, -1), "poll");
    if (ready.revents & POLLIN) {
      ssize_t part = recv(fd, data, 4096, 0);
      if (part <= 0) die("recv");
      got += (size_t)part;
    }
    if (ready.revents & POLLOUT && sent < sizeof data) {
      ssize_t part = send(fd, data, sizeof data - sent, MSG_NOSIGNAL);
      if (part > 0) sent += (size_t)part;
    }
    if (sent == sizeof data) ready.events = POLLIN;
  }
  log_socket(fd);
  _exit(0);
}

/* SO_LINGER with a zero time: close() sends RST. */
static void reset(const char *text) {
  struct endpoint to = endpoint_of(text);
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  int fd = open_stream(to.address.ss_family, 0);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  echo_once(fd);
  check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), "linger");
  close(fd);
}

/* Closes with unread data in the receive buffer, which sends RST too. */
static void unread(const char *text) {
  struct endpoint to = endpoint_of(text);
  char c;
  int fd = open_stream(to.address.ss_family, 0);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  send_all(fd, "unread answer", 13);
  if (recv(fd, &c, 1, MSG_PEEK) != 1) die("peek");
  close(fd);
}

/* Data in the SYN, by sendto. */
static void fastopen(const char *text) {
  struct endpoint to = endpoint_of(text);
  char back[32];
  int fd = open_stream(to.address.ss_family, 0);
  if (sendto(fd, "data in the SYN", 15, MSG_FASTOPEN, raw(&to), to.length) !=
      15)
    die("MSG_FASTOPEN");
  log_socket(fd);
  receive_all(fd, back, 15);
  finish(fd);
}

/* Data in the SYN, by a connect that is put off until the first write. */
static void fastopen_connect(const char *text) {
  struct endpoint to = endpoint_of(text);
  int one = 1;
  int fd = open_stream(to.address.ss_family, 0);
  check(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof one),
        "TCP_FASTOPEN_CONNECT");
  check(connect(fd, raw(&to), to.length), "connect");
  echo_once(fd);
  log_socket(fd);
  finish(fd);
}

/* One socket for two connections: AF_UNSPEC dissolves the first. */
static void reconnect(const char *first, const char *second) {
  struct endpoint to = endpoint_of(first), next = endpoint_of(second);
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  int fd = open_stream(to.address.ss_family, 0);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  echo_once(fd);
  check(connect(fd, &none, sizeof none), "disconnect");
  check(connect(fd, raw(&next), next.length), "connect again");
  log_socket(fd);
  echo_once(fd);
  finish(fd);
}

/* Several connections open at once, to one server. */
static void parallel(const char *text, int count) {
  struct endpoint to = endpoint_of(text);
  int fds[64];
  if (count > 64) exit(98);
  for (int i = 0; i < count; i++) {
    fds[i] = open_stream(to.address.ss_family, 0);
    check(connect(fds[i], raw(&to), to.length), "connect");
    log_socket(fds[i]);
  }
  for (int i = 0; i < count; i++) echo_once(fds[i]);
  for (int i = 0; i < count; i++) finish(fds[i]);
}

/* Sends and gets back so many bytes. */
static void bulk(const char *text, int bytes) {
  static char out[4096], in[4096];
  struct endpoint to = endpoint_of(text);
  int fd = open_stream(to.address.ss_family, 0);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  for (int done = 0; done < bytes; done += (int)sizeof out) {
    memset(out, done / (int)sizeof out, sizeof out);
    send_all(fd, out, sizeof out);
    receive_all(fd, in, sizeof in);
  }
  finish(fd);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *mode = argv[1], *to = argv[2];
  const char *more = argc > 3 ? argv[3] : "1";
  begin();
  if (strcmp(mode, "nonblocking") == 0) nonblocking(to);
  else if (strcmp(mode, "abandoned") == 0) abandoned(to);
  else if (strcmp(mode, "mapped") == 0) mapped(to);
  else if (strcmp(mode, "bound") == 0) bound(more, to);
  else if (strcmp(mode, "refused") == 0) refused(to);
  else if (strcmp(mode, "refused_nonblocking") == 0) refused_nonblocking(to);
  else if (strcmp(mode, "send_and_exit") == 0) send_and_exit(to);
  else if (strcmp(mode, "quit_midway") == 0) quit_midway(to);
  else if (strcmp(mode, "echo_and_exit") == 0) echo_and_exit(to);
  else if (strcmp(mode, "reset") == 0) reset(to);
  else if (strcmp(mode, "unread") == 0) unread(to);
  else if (strcmp(mode, "fastopen") == 0) fastopen(to);
  else if (strcmp(mode, "fastopen_connect") == 0) fastopen_connect(to);
  else if (strcmp(mode, "reconnect") == 0) reconnect(to, more);
  else if (strcmp(mode, "parallel") == 0) parallel(to, atoi(more));
  else if (strcmp(mode, "bulk") == 0) bulk(to, atoi(more));
  else if (strcmp(mode, "blocking") == 0) {
    for (int i = 0; i < atoi(more); i++) visit(to);
  } else return 2;
  return 0;
}
