/*
 * Queues signals with the values 0, 1, 2, ... for a process:
 *   queue_signals PID COUNT
 * prints its own process id.
 */
#include "workload.h"

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  for (int i = 0; i < atoi(argv[2]); i++) {
    union sigval value = {.sival_int = i};
    check(sigqueue((pid_t)atoi(argv[1]), SIGRTMIN + 3, value), "sigqueue");
    usleep(500);
  }
  printf("%d\n", (int)getpid());
  return 0;
}
