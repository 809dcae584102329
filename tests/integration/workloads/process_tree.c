/*
 * Processes that the program starts in different ways; each of them connects:
 *   process_tree MODE TCP4 UDP4
 */
#include "workload.h"
#include <spawn.h>

extern char **environ;

static const char *self, *tcp_peer, *udp_peer;

static void talk(void) {
  visit(tcp_peer);
  ask(udp_peer);
}

static void await(pid_t child) {
  int status = 0;
  check(waitpid(child, &status, 0), "waitpid");
  if (status != 0) exit(93);
}

/* Two children and a grandchild, all at work at the same time. */
static void fork_tree(void) {
  pid_t children[2];
  for (int i = 0; i < 2; i++) {
    children[i] = check(fork(), "fork");
    if (children[i] == 0) {
      pid_t grandchild = check(fork(), "fork");
      talk();
      if (grandchild > 0) await(grandchild);
      exit(0);
    }
  }
  talk();
  await(children[0]);
  await(children[1]);
}

static void vfork_exec(void) {
  char *const args[] = {(char *)(uintptr_t)self, "leaf",
                        (char *)(uintptr_t)tcp_peer,
                        (char *)(uintptr_t)udp_peer, NULL};
  pid_t child = vfork();
  if (child == 0) {
    execve(self, args, environ);
    _exit(127);
  }
  check(child, "vfork");
  talk();
  await(child);
}

static void spawned(void) {
  char *const args[] = {(char *)(uintptr_t)self, "leaf",
                        (char *)(uintptr_t)tcp_peer,
                        (char *)(uintptr_t)udp_peer, NULL};
  pid_t child;
  if (posix_spawn(&child, self, NULL, NULL, args, environ) != 0) die("spawn");
  talk();
  await(child);
}

/* Waits until every process that holds the pipe's other end has ended. */
static void wait_for_end(int ends[2]) {
  char byte;
  close(ends[1]);
  if (read(ends[0], &byte, 1) != 0) exit(92);
}

/* The daemon starts to talk when its ancestors are gone. */
static void daemonize(void) {
  int ends[2];
  check(pipe(ends), "pipe");
  pid_t child = check(fork(), "fork");
  if (child == 0) {
    setsid();
    if (check(fork(), "fork") > 0) _exit(0);
    wait_for_end(ends);
    talk();
    log_event("daemon", "done");
    _exit(0);
  }
  await(child);
}

/* Many short-lived children, one after the other. */
static void churn(void) {
  for (int i = 0; i < 60; i++) {
    pid_t child = check(fork(), "fork");
    if (child == 0) {
      if (i % 3 == 0) visit(tcp_peer);
      _exit(0);
    }
    await(child);
  }
}

/* The parent's connection is used by the child and then by the parent. */
static void shared_socket(void) {
  struct endpoint to = endpoint_of(tcp_peer);
  int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  pid_t child = check(fork(), "fork");
  if (child == 0) {
    echo_once(fd);
    _exit(0);
  }
  await(child);
  echo_once(fd);
  finish(fd);
}

/* The parent ends first; its orphan goes on in the same session. */
static void orphan(void) {
  int ends[2];
  check(pipe(ends), "pipe");
  if (check(fork(), "fork") == 0) {
    wait_for_end(ends);
    talk();
    _exit(5);
  }
  talk();
  exit(3);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const char *mode = argv[1];
  self = argv[0];
  tcp_peer = argv[2];
  udp_peer = argv[3];
  begin();
  if (strcmp(mode, "leaf") == 0) talk();
  else if (strcmp(mode, "fork") == 0) fork_tree();
  else if (strcmp(mode, "vfork_exec") == 0) vfork_exec();
  else if (strcmp(mode, "spawn") == 0) spawned();
  else if (strcmp(mode, "daemon") == 0) daemonize();
  else if (strcmp(mode, "churn") == 0) churn();
  else if (strcmp(mode, "shared_socket") == 0) shared_socket();
  else if (strcmp(mode, "orphan") == 0) orphan();
  else return 2;
  return 0;
}
