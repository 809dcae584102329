/*
 * Very many short conversations:
 *   soak serve ADDRESS PORT
 *   soak talk FROM ADDRESS PORT COUNT THREADS PAUSE_US REST_SECONDS
 * Each conversation has a socket of its own and ends in one of several ways;
 * a COUNT of 0 goes on until standard input ends. "talk" tells every hundred
 * thousand conversations on standard error, then stays for a while.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP 100000
#define SERVERS 4
#define LENGTH 24

static struct sockaddr_in server, self;
static long count, done;
static useconds_t pause_us;

static void die(const char *what) {
  fprintf(stderr, "soak: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int check(int result, const char *what) {
  if (result < 0) die(what);
  return result;
}

static struct sockaddr_in place(const char *address, const char *port) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, address, &at.sin_addr) != 1) die(address);
  return at;
}

/* The ways in which conversations end; the first byte of a request. */
enum { BY_CLIENT, BY_SERVER, BY_RESET, DATAGRAM, REFUSED, WAYS };

static void *serve_streams(void *listener_fd) {
  char text[LENGTH];
  int listener = (int)(long)listener_fd;
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    if (recv(fd, text, LENGTH, MSG_WAITALL) == LENGTH) {
      send(fd, text, LENGTH, MSG_NOSIGNAL);
      if (text[0] != BY_SERVER) recv(fd, text, 1, 0);
    }
    close(fd);
  }
  return NULL;
}

static void *serve_datagrams(void *socket_fd) {
  char text[LENGTH];
  int fd = (int)(long)socket_fd;
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    struct sockaddr *to = (struct sockaddr *)&from;
    if (recvfrom(fd, text, LENGTH, 0, to, &length) == LENGTH)
      sendto(fd, text, LENGTH, 0, to, length);
  }
  return NULL;
}

static int serve(void) {
  int one = 1;
  pthread_t thread;
  int stream = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  int datagram = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  struct sockaddr *at = (struct sockaddr *)&server;
  setsockopt(stream, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  check(bind(stream, at, sizeof server), "bind");
  check(bind(datagram, at, sizeof server), "bind");
  check(listen(stream, 4096), "listen");
  for (int i = 0; i < SERVERS; i++) {
    pthread_create(&thread, NULL, serve_streams, (void *)(long)stream);
    pthread_create(&thread, NULL, serve_datagrams, (void *)(long)datagram);
  }
  printf("ready\n");
  fflush(stdout);
  pause();
  return 0;
}

/* A socket that sends from the given address, with a port of the kernel's. */
static int open_socket(int type) {
  int one = 1;
  int fd = check(socket(AF_INET, type, 0), "socket");
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  if (self.sin_addr.s_addr != 0)
    check(bind(fd, (struct sockaddr *)&self, sizeof self), "bind");
  return fd;
}

static void ask(long number) {
  char text[LENGTH + 1], back[LENGTH];
  struct pollfd readable = {.events = POLLIN};
  int fd = readable.fd = open_socket(SOCK_DGRAM);
  snprintf(text, sizeof text, "%c%-*ld", DATAGRAM, LENGTH - 1, number);
  sendto(fd, text, LENGTH, 0, (struct sockaddr *)&server, sizeof server);
  if (poll(&readable, 1, 1000) == 1) recv(fd, back, LENGTH, 0);
  close(fd);
}

static void refused(void) {
  struct sockaddr_in nobody = server;
  nobody.sin_port = htons(1);
  int fd = open_socket(SOCK_STREAM);
  if (connect(fd, (struct sockaddr *)&nobody, sizeof nobody) == 0) exit(1);
  close(fd);
}

static void converse(int way, long number) {
  char text[LENGTH + 1], back[LENGTH];
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  int fd = open_socket(SOCK_STREAM);
  check(connect(fd, (struct sockaddr *)&server, sizeof server), "connect");
  snprintf(text, sizeof text, "%c%-*ld", way, LENGTH - 1, number);
  send(fd, text, LENGTH, MSG_NOSIGNAL);
  if (recv(fd, back, LENGTH, MSG_WAITALL) != LENGTH) die("recv");
  if (way == BY_SERVER) recv(fd, back, 1, 0);
  if (way == BY_RESET)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
}

static void *talk(void *unused) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  (void)unused;
  for (;;) {
    long number = __atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
    if (count > 0 && number >= count) return NULL;
    if (count == 0 && poll(&input, 1, 0) > 0) return NULL;
    int way = (int)(number % WAYS);
    if (way == DATAGRAM) ask(number);
    else if (way == REFUSED) refused();
    else converse(way, number);
    if (count > 0 && (number + 1) % STEP == 0)
      fprintf(stderr, "conversations: %ld\n", number + 1);
    if (pause_us > 0) usleep(pause_us);
  }
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc == 4 && strcmp(argv[1], "serve") == 0) {
    server = place(argv[2], argv[3]);
    return serve();
  }
  if (argc != 9 || strcmp(argv[1], "talk") != 0) return 2;
  self = place(argv[2], "0");
  server = place(argv[3], argv[4]);
  count = atol(argv[5]);
  int threads = atoi(argv[6]);
  pause_us = (useconds_t)atol(argv[7]);
  pthread_t thread[16];
  if (threads > 16) return 2;
  for (int i = 0; i < threads; i++)
    if (pthread_create(&thread[i], NULL, talk, NULL) != 0) die("thread");
  for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  fprintf(stderr, "conversations: over\n");
  sleep((unsigned)atoi(argv[8]));
  return 0;
}
