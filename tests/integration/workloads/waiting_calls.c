/*
 * A thread in each system call that waits, to show whether a tracer that comes
 * and goes makes one of them return early. Each line on standard input makes
 * it log "alive"; at the end of input it logs "interrupted" with the names of
 * the calls that were disturbed.
 */
#include "workload.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int epoll_fd, pipe_fds[2], listener, datagrams, event_fd, inotify_fd;
static int semaphores, messages;

static int wait_epoll(void) {
  struct epoll_event event;
  return epoll_wait(epoll_fd, &event, 1, -1);
}

static int wait_epoll_pwait(void) {
  struct epoll_event event;
  sigset_t none;
  sigemptyset(&none);
  return epoll_pwait(epoll_fd, &event, 1, -1, &none);
}

static int wait_poll(void) {
  struct pollfd readable = {.fd = pipe_fds[0], .events = POLLIN};
  return poll(&readable, 1, -1);
}

static int wait_select(void) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(pipe_fds[0], &readable);
  return select(pipe_fds[0] + 1, &readable, NULL, NULL, NULL);
}

static int wait_nanosleep(void) {
  struct timespec hour = {.tv_sec = 3600, .tv_nsec = 0};
  return nanosleep(&hour, NULL);
}

static int wait_clock_nanosleep(void) {
  struct timespec then;
  clock_gettime(CLOCK_MONOTONIC, &then);
  then.tv_sec += 3600;
  errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL);
  return errno == 0 ? 0 : -1;
}

static int wait_read(void) {
  char byte;
  return (int)read(pipe_fds[0], &byte, 1);
}

static int wait_accept(void) { return accept(listener, NULL, NULL); }

static int wait_recv(void) {
  char byte;
  return (int)recv(datagrams, &byte, 1, 0);
}

static int wait_timed_recv(void) {
  struct timeval hour = {.tv_sec = 3600, .tv_usec = 0};
  char byte;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct endpoint at = endpoint_of("127.0.0.1:0");
  bind(fd, raw(&at), at.length);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof hour);
  return (int)recv(fd, &byte, 1, 0);
}

static int wait_eventfd(void) {
  eventfd_t value;
  return eventfd_read(event_fd, &value);
}

static int wait_inotify(void) {
  char event[512];
  return (int)read(inotify_fd, event, sizeof event);
}

static int wait_sigtimedwait(void) {
  struct timespec hour = {.tv_sec = 3600, .tv_nsec = 0};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  return sigtimedwait(&set, NULL, &hour);
}

static int wait_semop(void) {
  struct sembuf take = {.sem_num = 0, .sem_op = -1, .sem_flg = 0};
  return semop(semaphores, &take, 1);
}

static int wait_msgrcv(void) {
  struct {
    long type;
    char text[8];
  } message;
  return (int)msgrcv(messages, &message, sizeof message.text, 0, 0);
}

static int wait_flagless_futex(void) {
  static int word;
  return (int)syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0);
}

static struct {
  const char *name;
  int (*wait)(void);
  int result, error;
  volatile int is_over;
} calls[] = {
    {"epoll_wait", wait_epoll, 0, 0, 0},
    {"epoll_pwait", wait_epoll_pwait, 0, 0, 0},
    {"poll", wait_poll, 0, 0, 0},
    {"select", wait_select, 0, 0, 0},
    {"nanosleep", wait_nanosleep, 0, 0, 0},
    {"clock_nanosleep", wait_clock_nanosleep, 0, 0, 0},
    {"read", wait_read, 0, 0, 0},
    {"accept", wait_accept, 0, 0, 0},
    {"recv", wait_recv, 0, 0, 0},
    {"recv_timeout", wait_timed_recv, 0, 0, 0},
    {"eventfd", wait_eventfd, 0, 0, 0},
    {"inotify", wait_inotify, 0, 0, 0},
    {"sigtimedwait", wait_sigtimedwait, 0, 0, 0},
    {"semop", wait_semop, 0, 0, 0},
    {"msgrcv", wait_msgrcv, 0, 0, 0},
    {"futex", wait_flagless_futex, 0, 0, 0},
};

static void *run(void *index) {
  size_t i = (size_t)(uintptr_t)index;
  calls[i].result = calls[i].wait();
  calls[i].error = errno;
  calls[i].is_over = 1;
  return NULL;
}

static void prepare(void) {
  struct endpoint at = endpoint_of("127.0.0.1:0");
  epoll_fd = check(epoll_create1(0), "epoll_create1");
  check(pipe(pipe_fds), "pipe");
  listener = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(bind(listener, raw(&at), at.length), "bind");
  check(listen(listener, 4), "listen");
  datagrams = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  check(bind(datagrams, raw(&at), at.length), "bind");
  event_fd = check(eventfd(0, 0), "eventfd");
  inotify_fd = check(inotify_init1(0), "inotify");
  check(inotify_add_watch(inotify_fd, "/proc/self", IN_DELETE_SELF), "watch");
  semaphores = check(semget(IPC_PRIVATE, 1, 0600), "semget");
  messages = check(msgget(IPC_PRIVATE, 0600), "msgget");
}

/* A thread that waits in a system call is asleep. */
static int asleep(void) {
  char path[64], line[512];
  int count = 0;
  for (int tid = getpid(); tid < getpid() + 256; tid++) {
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *file = fopen(path, "re");
    if (file == NULL) continue;
    if (fgets(line, sizeof line, file) != NULL) {
      char *state = strrchr(line, ')');
      count += state != NULL && state[2] == 'S';
    }
    fclose(file);
  }
  return count;
}

int main(void) {
  char report[400] = "";
  pthread_t thread;
  begin();
  prepare();
  for (size_t i = 0; i < COUNT(calls); i++)
    if (pthread_create(&thread, NULL, run, (void *)(uintptr_t)i) != 0)
      die("thread");
  while (asleep() < (int)COUNT(calls)) usleep(1000);
  log_event("ready", "");
  while (wait_for_go()) log_event("alive", "");
  semctl(semaphores, 0, IPC_RMID);
  for (size_t i = 0; i < COUNT(calls); i++) {
    if (!calls[i].is_over || calls[i].error == EIDRM) continue;
    size_t used = strlen(report);
    snprintf(report + used, sizeof report - used, "%s%s=%d/%s",
             used ? " " : "", calls[i].name, calls[i].result,
             strerrorname_np(calls[i].error));
  }
  log_event("interrupted", report);
  msgctl(messages, IPC_RMID, NULL);
  return 0;
}
