/*
 * UDP clients (or of WORKLOAD_PROTOCOL), one way of sending each:
 *   udp_client MODE ADDRESS:PORT [ADDRESS:PORT...]
 */
#include "workload.h"

#define BATCH 3
#define SEGMENT 1000
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static int open_datagram(struct endpoint *to) {
  return datagram_socket(to->address.ss_family);
}

static void expect_echo(int fd, size_t length) {
  static char back[65536];
  if (recv(fd, back, sizeof back, 0) != (ssize_t)length) die("recv");
}

static void send_text(int fd, const char *text) {
  if (send(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) die("send");
}

static void send_text_to(int fd, const char *text, struct endpoint *to) {
  size_t length = strlen(text);
  if (sendto(fd, text, length, 0, raw(to), to->length) != (ssize_t)length)
    die("sendto");
}

/* connect, send; optionally to a second peer with the same socket. */
static void connected(char **peers, int count) {
  struct endpoint to = endpoint_of(peers[0]);
  int fd = open_datagram(&to);
  for (int i = 0; i < count; i++) {
    to = endpoint_of(peers[i]);
    check(connect(fd, raw(&to), to.length), "connect");
    log_socket(fd);
    send_text(fd, "connected datagram");
    expect_echo(fd, 18);
  }
  close(fd);
}

/* A connected socket that still names another destination in sendto. */
static void connected_sendto(char **peers) {
  struct endpoint first = endpoint_of(peers[0]);
  struct endpoint second = endpoint_of(peers[1]);
  int fd = open_datagram(&first);
  check(connect(fd, raw(&first), first.length), "connect");
  log_socket(fd);
  log_pair(fd, protocol_of(fd), &second);
  send_text(fd, "to the peer");
  expect_echo(fd, 11);
  send_text_to(fd, "past the peer", &second);
  send_text(fd, "to the peer again");
  expect_echo(fd, 17);
  close(fd);
}

static void one_sendmsg(int fd, const char *text, struct endpoint *to) {
  struct iovec part = {.iov_base = (char *)(uintptr_t)text,
                       .iov_len = strlen(text)};
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_name = raw(to);
  message.msg_namelen = to->length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (sendmsg(fd, &message, 0) != (ssize_t)part.iov_len) die("sendmsg");
}

static void by_sendmsg(char **peers, int count) {
  struct endpoint to = endpoint_of(peers[0]);
  int fd = open_datagram(&to);
  for (int i = 0; i < count; i++) {
    to = endpoint_of(peers[i]);
    one_sendmsg(fd, "by sendmsg", &to);
    if (i == 0) log_socket(fd);
    expect_echo(fd, 10);
  }
  close(fd);
}

/* Several destinations in one call on an unbound socket. */
static void by_sendmmsg(char **peers, int count) {
  struct endpoint to[BATCH];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
  static char text[BATCH][32];
  if (count > BATCH) count = BATCH;
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < count; i++) {
    to[i] = endpoint_of(peers[i]);
    parts[i].iov_base = text[i];
    parts[i].iov_len = (size_t)snprintf(text[i], 32, "message %d of a batch",
                                        i);
    messages[i].msg_hdr.msg_name = raw(&to[i]);
    messages[i].msg_hdr.msg_namelen = to[i].length;
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int fd = open_datagram(&to[0]);
  if (sendmmsg(fd, messages, (unsigned)count, 0) != count) die("sendmmsg");
  log_socket(fd);
  for (int i = 0; i < count; i++) expect_echo(fd, 20);
  close(fd);
}

/* The same on a connected socket, without names. */
static void connected_sendmmsg(const char *peer) {
  struct endpoint to = endpoint_of(peer);
  struct iovec part = {.iov_base = (char[]){"no name"}, .iov_len = 7};
  struct mmsghdr messages[2];
  int fd = open_datagram(&to);
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < 2; i++) {
    messages[i].msg_hdr.msg_iov = &part;
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  if (sendmmsg(fd, messages, 2, 0) != 2) die("sendmmsg");
  expect_echo(fd, 7);
  expect_echo(fd, 7);
  close(fd);
}

static void bound(const char *at_text, const char *peer) {
  struct endpoint to = endpoint_of(peer), at = endpoint_of(at_text);
  int fd = open_datagram(&to);
  check(bind(fd, raw(&at), at.length), "bind");
  log_socket(fd);
  send_text_to(fd, "from a bound port", &to);
  expect_echo(fd, 17);
  close(fd);
}

static void mapped(const char *peer) {
  struct endpoint to = mapped_of(peer);
  int fd = open_datagram(&to);
  send_text_to(fd, "mapped", &to);
  log_socket(fd);
  expect_echo(fd, 6);
  close(fd);
}

/* A datagram that the path cuts into fragments (in a namespace of MTU 1500). */
static void large(const char *peer, size_t bytes) {
  static char data[65536];
  struct endpoint to = endpoint_of(peer);
  int fd = open_datagram(&to);
  memset(data, 'x', sizeof data);
  for (int i = 0; i < 3; i++) {
    if (sendto(fd, data, bytes, 0, raw(&to), to.length) != (ssize_t)bytes)
      die("sendto");
    if (i == 0) log_socket(fd);
    expect_echo(fd, bytes);
  }
  close(fd);
}

/* To a port that nobody has: an ICMP error comes back. */
static void refused(const char *peer, size_t bytes) {
  static char data[65536];
  struct endpoint to = endpoint_of(peer);
  int fd = open_datagram(&to);
  memset(data, 'x', sizeof data);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  if (send(fd, data, bytes, 0) != (ssize_t)bytes) die("send");
  if (recv(fd, data, sizeof data, 0) >= 0 || errno != ECONNREFUSED)
    die("refusal");
  close(fd);
}

/* One call that the kernel or the card cuts into datagrams (udp(7)). */
static void by_segments(const char *peer) {
  static char data[8 * SEGMENT];
  struct endpoint to = endpoint_of(peer);
  int fd = open_datagram(&to), size = SEGMENT;
  check(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size),
        "UDP_SEGMENT");
  memset(data, 'x', sizeof data);
  if (sendto(fd, data, sizeof data, 0, raw(&to), to.length) !=
      (ssize_t)sizeof data)
    die("sendto");
  log_socket(fd);
  for (int i = 0; i < 8; i++) expect_echo(fd, SEGMENT);
  close(fd);
}

/* To a peer that never answers; the program ends with the call. */
static void send_and_exit(const char *peer) {
  struct endpoint to = endpoint_of(peer);
  int fd = open_datagram(&to);
  send_text_to(fd, "the last words", &to);
  log_socket(fd);
  _exit(0);
}

/* One socket that sends to one peer after the other. */
static void by_sendto(char **peers, int count) {
  struct endpoint to = endpoint_of(peers[0]);
  int fd = open_datagram(&to);
  for (int i = 0; i < count; i++) {
    to = endpoint_of(peers[i]);
    send_text_to(fd, "by sendto", &to);
    if (i == 0) log_socket(fd);
    expect_echo(fd, 9);
  }
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const char *mode = argv[1];
  char **peers = argv + 2;
  int count = argc - 2;
  begin();
  if (strcmp(mode, "connected") == 0) connected(peers, count);
  else if (strcmp(mode, "connected_sendto") == 0) connected_sendto(peers);
  else if (strcmp(mode, "sendmsg") == 0) by_sendmsg(peers, count);
  else if (strcmp(mode, "sendmmsg") == 0) by_sendmmsg(peers, count);
  else if (strcmp(mode, "connected_sendmmsg") == 0)
    connected_sendmmsg(peers[0]);
  else if (strcmp(mode, "bound") == 0) bound(peers[0], peers[1]);
  else if (strcmp(mode, "mapped") == 0) mapped(peers[0]);
  else if (strcmp(mode, "large") == 0) large(peers[0], 8000);
  else if (strcmp(mode, "refused") == 0) refused(peers[0], 4000);
  else if (strcmp(mode, "segments") == 0) by_segments(peers[0]);
  else if (strcmp(mode, "send_and_exit") == 0) send_and_exit(peers[0]);
  else if (strcmp(mode, "sendto") == 0) by_sendto(peers, count);
  else if (strcmp(mode, "many") == 0) {
    for (int i = 0; i < 40; i++) ask(peers[0]);
  } else return 2;
  return 0;
}
