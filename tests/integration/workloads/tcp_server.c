/*
 * TCP servers that serve COUNT connections of foreign clients and end:
 *   tcp_server MODE ADDRESS:PORT COUNT
 * "one": one after the other; "fork": a child per connection; "threads": a
 * thread per connection; "poll": non-blocking accept4 in one loop; "prefork":
 * two children accept from the same listener.
 */
#include "workload.h"

static int listen_at(const char *text, int flags) {
  struct endpoint at = endpoint_of(text);
  int one = 1, zero = 0;
  char name[80];
  int fd = check(socket(at.address.ss_family,
                        SOCK_STREAM | SOCK_CLOEXEC | flags, 0),
                 "socket");
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), "reuse");
  if (at.address.ss_family == AF_INET6)
    check(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero),
          "IPV6_V6ONLY");
  check(bind(fd, raw(&at), at.length), "bind");
  check(listen(fd, 512), "listen");
  check(getsockname(fd, raw(&at), &at.length), "getsockname");
  text_of(&at.address, name, sizeof name);
  log_socket(fd);
  log_event("listening", name);
  return fd;
}

static void serve(int fd) {
  char data[4096];
  ssize_t got;
  while ((got = recv(fd, data, sizeof data, 0)) > 0)
    send_all(fd, data, (size_t)got);
  close(fd);
}

static void *serve_in_thread(void *fd) {
  serve((int)(intptr_t)fd);
  return NULL;
}

static void by_fork(int listener, int count) {
  for (int i = 0; i < count; i++) {
    int fd = check(accept(listener, NULL, NULL), "accept");
    if (check(fork(), "fork") == 0) {
      serve(fd);
      _exit(0);
    }
    close(fd);
  }
  while (wait(NULL) > 0) {
  }
}

static void by_threads(int listener, int count) {
  pthread_t threads[64];
  if (count > 64) exit(98);
  for (int i = 0; i < count; i++) {
    int fd = check(accept(listener, NULL, NULL), "accept");
    if (pthread_create(&threads[i], NULL, serve_in_thread,
                       (void *)(intptr_t)fd) != 0)
      die("thread");
  }
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static void by_poll(int listener, int count) {
  for (int done = 0; done < count;) {
    struct pollfd readable = {.fd = listener, .events = POLLIN};
    check(poll(&readable, 1, -1), "poll");
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) continue;
    serve(fd);
    done++;
  }
}

static void by_prefork(int listener, int count) {
  for (int child = 0; child < 2; child++) {
    if (check(fork(), "fork") > 0) continue;
    for (int i = 0; i < count / 2; i++)
      serve(check(accept(listener, NULL, NULL), "accept"));
    _exit(0);
  }
  while (wait(NULL) > 0) {
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const char *mode = argv[1];
  int count = atoi(argv[3]);
  begin();
  int listener = listen_at(argv[2],
                           strcmp(mode, "poll") == 0 ? SOCK_NONBLOCK : 0);
  if (strcmp(mode, "one") == 0) {
    for (int i = 0; i < count; i++)
      serve(check(accept(listener, NULL, NULL), "accept"));
  } else if (strcmp(mode, "fork") == 0) by_fork(listener, count);
  else if (strcmp(mode, "threads") == 0) by_threads(listener, count);
  else if (strcmp(mode, "poll") == 0) by_poll(listener, count);
  else if (strcmp(mode, "prefork") == 0) by_prefork(listener, count);
  else return 2;
  return 0;
}
