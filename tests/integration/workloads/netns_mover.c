/*
 * Visits TCP echo servers in one network namespace after the other:
 *   netns_mover [PATH | -] ADDRESS:PORT ...
 * "-" stays where it is; a PATH is that of a namespace to move to.
 */
#include "workload.h"

#define VISITS 3

int main(int argc, char **argv) {
  if (argc < 3 || argc % 2 == 0) return 2;
  begin();
  for (int i = 1; i < argc; i += 2) {
    if (strcmp(argv[i], "-") != 0) {
      int fd = check(open(argv[i], O_RDONLY | O_CLOEXEC), argv[i]);
      check(setns(fd, CLONE_NEWNET), "setns");
      close(fd);
    }
    for (int visits = 0; visits < VISITS; visits++) visit(argv[i + 1]);
  }
  return 0;
}
