/*
 * A process whose first thread has ended, with a UDP socket from before:
 *   leaderless UDP4
 * For each line on standard input it sends a datagram and gets it back, and
 * logs "done".
 */
#include "workload.h"

static int fd;

static void *echo_all(void *unused) {
  char line[80], back[16];
  (void)unused;
  log_event("ready", "");
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (send(fd, "hello", 5, 0) != 5) die("send");
    if (recv(fd, back, sizeof back, 0) != 5) die("recv");
    log_event("done", "");
  }
  exit(0);
}

int main(int argc, char **argv) {
  pthread_t thread;
  if (argc != 2) return 2;
  struct endpoint to = endpoint_of(argv[1]);
  fd = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  if (pthread_create(&thread, NULL, echo_all, NULL) != 0) return 3;
  pthread_exit(NULL);
}
