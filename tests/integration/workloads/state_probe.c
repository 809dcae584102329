/*
 * Prints everything that a process inherits, one "name: value" per line, for a
 * comparison of two ways of starting it.
 */
#include "workload.h"
#include <dirent.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

extern char **environ;

static void print_lines(const char *file, const char *const *names) {
  char line[1024];
  FILE *in = fopen(file, "re");
  if (in == NULL) die(file);
  while (fgets(line, sizeof line, in) != NULL)
    for (int i = 0; names[i] != NULL; i++)
      if (strncmp(line, names[i], strlen(names[i])) == 0)
        printf("%s", line);
  fclose(in);
}

static void print_limits(void) {
  for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
    struct rlimit limit;
    getrlimit((__rlimit_resource_t)resource, &limit);
    printf("limit %d: %llu %llu\n", resource,
           (unsigned long long)limit.rlim_cur,
           (unsigned long long)limit.rlim_max);
  }
}

static void print_fds(void) {
  for (int fd = 0; fd < 1024; fd++) {
    int flags = fcntl(fd, F_GETFD);
    struct stat what;
    if (flags < 0 || fstat(fd, &what) < 0) continue;
    printf("fd %d: type %o flags %d status %#x\n", fd, what.st_mode & S_IFMT,
           flags, fcntl(fd, F_GETFL));
  }
}

static void print_dispositions(void) {
  struct {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
  } action;
  for (int number = 1; number <= 64; number++) {
    if (syscall(SYS_rt_sigaction, number, NULL, &action, 8) == 0)
      printf("signal %d: %p %lx\n", number, action.handler, action.flags);
  }
}

int main(int argc, char **argv) {
  static const char *const kept[] = {
      "Name:",   "Umask:",  "Uid:",        "Gid:",    "Groups:",
      "SigPnd:", "ShdPnd:", "SigBlk:",     "SigIgn:", "SigCgt:",
      "CapInh:", "CapPrm:", "CapEff:",     "CapBnd:", "CapAmb:",
      "NoNewPrivs:", "Threads:", "Cpus_allowed:", "THP_enabled:", NULL};
  char folder[4096];
  int death = -1;
  for (int i = 0; i < argc; i++) printf("argument %d: %s\n", i, argv[i]);
  for (int i = 0; environ[i] != NULL; i++)
    printf("environment %d: %s\n", i, environ[i]);
  print_lines("/proc/self/status", kept);
  print_limits();
  print_fds();
  print_dispositions();
  printf("folder: %s\n", getcwd(folder, sizeof folder));
  printf("group is %s\n", getpgrp() == getpid() ? "own" : "inherited");
  printf("session is %s\n", getsid(0) == getpid() ? "own" : "inherited");
  printf("nice: %d\n", getpriority(PRIO_PROCESS, 0));
  printf("scheduler: %d\n", sched_getscheduler(0));
  printf("personality: %x\n", personality(0xffffffff));
  prctl(PR_GET_PDEATHSIG, &death);
  printf("death signal: %d\n", death);
  printf("dumpable: %d\n", prctl(PR_GET_DUMPABLE));
  printf("securebits: %d\n", prctl(PR_GET_SECUREBITS));
  printf("subreaper: %d\n", prctl(PR_GET_CHILD_SUBREAPER, &death) ? -1 : death);
  printf("slack: %d\n", prctl(PR_GET_TIMERSLACK));
  printf("keepcaps: %d\n", prctl(PR_GET_KEEPCAPS));
  printf("alarm: %u\n", alarm(0));
  return 0;
}
