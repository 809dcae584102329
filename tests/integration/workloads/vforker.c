/*
 * Starts a child by vfork(2) again and again, each of which sleeps a while:
 *   vforker SLEEP_MS
 * Logs "child" after each of them. After a line on standard input it logs
 * "longest", the time in milliseconds that the longest of them took, and ends.
 * It has a socket.
 */
#include "workload.h"

#include <time.h>

static long long now_ms(void) {
  struct timespec now;
  check(clock_gettime(CLOCK_MONOTONIC, &now), "clock_gettime");
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void run_child(int sleep_ms) {
  pid_t child = vfork();
  if (child == 0) {
    usleep((useconds_t)sleep_ms * 1000);
    _exit(0);
  }
  check(child, "vfork");
  check(waitpid(child, NULL, 0), "waitpid");
}

int main(int argc, char **argv) {
  char text[32];
  long long longest = 0;
  struct pollfd input = {.fd = 0, .events = POLLIN};
  if (argc != 2) return 2;
  datagram_socket(AF_INET);
  log_event("ready", "");
  while (poll(&input, 1, 0) == 0) {
    long long before = now_ms();
    run_child(atoi(argv[1]));
    if (now_ms() - before > longest) longest = now_ms() - before;
    log_event("child", "");
  }
  snprintf(text, sizeof text, "%lld", longest);
  log_event("longest", text);
  return 0;
}
