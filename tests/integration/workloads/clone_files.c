/*
 * Tables of file descriptors that are shared or split in unusual ways:
 *   clone_files MODE TCP4 TCP4_OTHER
 * "shared": a process that shares its parent's table (CLONE_FILES without
 * CLONE_THREAD) connects the parent's socket. "unshared": a thread leaves the
 * table, and one descriptor number is two sockets in two threads. "leaderless":
 * the main thread ends before its threads connect. "vm_only": CLONE_VM with a
 * table of its own.
 */
#include "workload.h"

#define STACK_SIZE (256 * 1024)

static const char *peer, *other_peer;
static int shared_fd;
static pthread_barrier_t step;

static void connect_to(int fd, const char *text) {
  struct endpoint to = endpoint_of(text);
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
}

static int in_clone(void *unused) {
  (void)unused;
  connect_to(shared_fd, peer);
  echo_once(shared_fd);
  return 0;
}

static void with_clone(int flags) {
  char *stack = malloc(STACK_SIZE);
  int status;
  shared_fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  pid_t child = check(clone(in_clone, stack + STACK_SIZE, flags | SIGCHLD,
                            NULL),
                      "clone");
  check(waitpid(child, &status, 0), "waitpid");
  if (status != 0) exit(93);
  echo_once(shared_fd);
  finish(shared_fd);
}

/* Here the number shared_fd comes to mean another socket than outside. */
static void *in_unshared(void *unused) {
  (void)unused;
  check(unshare(CLONE_FILES), "unshare");
  int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(dup2(fd, shared_fd), "dup2");
  close(fd);
  pthread_barrier_wait(&step);
  connect_to(shared_fd, other_peer);
  echo_once(shared_fd);
  pthread_barrier_wait(&step);
  finish(shared_fd);
  return NULL;
}

static void with_unshare(void) {
  pthread_t thread;
  pthread_barrier_init(&step, NULL, 2);
  shared_fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  if (pthread_create(&thread, NULL, in_unshared, NULL) != 0) die("thread");
  pthread_barrier_wait(&step);
  connect_to(shared_fd, peer);
  echo_once(shared_fd);
  pthread_barrier_wait(&step);
  pthread_join(thread, NULL);
  finish(shared_fd);
}

static int leader_is_gone(void) {
  char line[512], *state;
  FILE *stat = fopen("/proc/self/stat", "re");
  if (stat == NULL || fgets(line, sizeof line, stat) == NULL) die("stat");
  fclose(stat);
  state = strrchr(line, ')');
  return state != NULL && state[2] == 'Z';
}

static void *in_orphan_thread(void *unused) {
  (void)unused;
  while (!leader_is_gone()) usleep(1000);
  visit(peer);
  exit(0);
}

static void leaderless(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, in_orphan_thread, NULL) != 0)
    die("thread");
  pthread_exit(NULL);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  peer = argv[2];
  other_peer = argv[3];
  begin();
  if (strcmp(argv[1], "shared") == 0) with_clone(CLONE_FILES);
  else if (strcmp(argv[1], "shared_vm") == 0)
    with_clone(CLONE_FILES | CLONE_VM);
  else if (strcmp(argv[1], "vm_only") == 0) with_clone(CLONE_VM);
  else if (strcmp(argv[1], "unshared") == 0) with_unshare();
  else if (strcmp(argv[1], "leaderless") == 0) leaderless();
  else return 2;
  return 0;
}
