/*
 * Runs a program with the signal state of a fresh login: every disposition at
 * its default (32 and 33 too, which libc hides) and nothing blocked.
 *   clean_exec PROGRAM [ARG...]
 * IGNORE="1,15" in the environment of the call leaves these signals ignored.
 */
#include "workload.h"

struct kernel_sigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

int main(int argc, char **argv) {
  struct kernel_sigaction action;
  uint64_t none = 0;
  if (argc < 2) return 2;
  memset(&action, 0, sizeof action);
  for (int number = 1; number <= 64; number++)
    syscall(SYS_rt_sigaction, number, &action, NULL, sizeof action.mask);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
  char *ignored = getenv("IGNORE");
  for (; ignored != NULL && *ignored; ignored++) {
    signal((int)strtol(ignored, &ignored, 10), SIG_IGN);
    if (*ignored == 0) break;
  }
  execvp(argv[1], argv + 1);
  die(argv[1]);
}
