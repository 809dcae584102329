/*
 * Receives queued signals while it connects, and tells what came with each:
 *   queued_signals COUNT TCP4
 * prints "CODE SENDER VALUE" per signal in the order of delivery.
 */
#include "workload.h"

#define MAX_SIGNALS 1000
#define PAUSE_US 2000

static volatile sig_atomic_t received;
static siginfo_t seen[MAX_SIGNALS];

static void note(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  if (received < MAX_SIGNALS) seen[received] = *info;
  received++;
}

/* SA_RESTART: the connection's calls are not what is tested here. */
int main(int argc, char **argv) {
  struct sigaction action;
  if (argc != 3) return 2;
  int count = atoi(argv[1]);
  begin();
  memset(&action, 0, sizeof action);
  action.sa_sigaction = note;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  check(sigaction(SIGRTMIN + 3, &action, NULL), "sigaction");
  log_event("ready", "");
  while (received < count) {
    visit(argv[2]);
    usleep(PAUSE_US);
  }
  for (int i = 0; i < count; i++)
    printf("%d %d %d\n", seen[i].si_code, (int)seen[i].si_pid,
           seen[i].si_value.sival_int);
  return 0;
}
