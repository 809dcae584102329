/*
 * Runs a command in the network namespace whose path is in MOVE_TO, where no
 * command line tells it:
 *   netns_exec COMMAND...
 */
#include "workload.h"

int main(int argc, char **argv) {
  const char *path = getenv("MOVE_TO");
  if (argc < 2 || path == NULL) return 2;
  int fd = check(open(path, O_RDONLY | O_CLOEXEC), path);
  check(setns(fd, CLONE_NEWNET), "setns");
  execvp(argv[1], argv + 1);
  die("execvp");
}
