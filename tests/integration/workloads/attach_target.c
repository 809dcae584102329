/*
 * A program that is already running when it is attached to:
 *   attach_target MODE TCP4 UDP4 [THREADS]
 * Before "ready" it has a TCP connection, a connected UDP socket, an unbound
 * UDP socket that has sent, an unused TCP socket and a listener. At each line
 * on standard input it uses all of them, makes new ones, and logs "done"; at
 * the end of input it ends. Modes: "plain"; "threads": each thread does so;
 * "children": a child and a grandchild do so; "busy": connects without pause
 * until a line comes.
 */
#include "workload.h"

#define MAX_THREADS 16
/* Without it tcpdump could not keep up with an untraced one. */
#define BUSY_PAUSE_US 2000

static const char *tcp_peer, *udp_peer;
static pthread_barrier_t step;

struct old_sockets {
  int connection, connected_udp, unconnected_udp, unused, listener;
  char listening_at[80];
};

static int connect_to(const char *text, int type) {
  struct endpoint to = endpoint_of(text);
  int fd = check(socket(to.address.ss_family, type, 0), "socket");
  check(connect(fd, raw(&to), to.length), "connect");
  log_socket(fd);
  return fd;
}

static struct old_sockets prepare(void) {
  struct old_sockets old;
  char back[16];
  struct endpoint at = endpoint_of("127.0.0.1:0");
  struct endpoint to = endpoint_of(udp_peer);
  old.connection = connect_to(tcp_peer, SOCK_STREAM);
  echo_once(old.connection);
  old.connected_udp = connect_to(udp_peer, SOCK_DGRAM);
  old.unused = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  old.unconnected_udp = check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
  if (sendto(old.unconnected_udp, "early", 5, 0, raw(&to), to.length) != 5)
    die("sendto");
  log_socket(old.unconnected_udp);
  if (recv(old.unconnected_udp, back, sizeof back, 0) != 5) die("recv");
  old.listener = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  check(bind(old.listener, raw(&at), at.length), "bind");
  check(listen(old.listener, 16), "listen");
  check(getsockname(old.listener, raw(&at), &at.length), "getsockname");
  text_of(&at.address, old.listening_at, sizeof old.listening_at);
  log_socket(old.listener);
  return old;
}

/* Uses each old socket once; the unused one is used up by the first call. */
static void use(struct old_sockets *old) {
  char back[16];
  struct endpoint to = endpoint_of(tcp_peer), udp = endpoint_of(udp_peer);
  echo_once(old->connection);
  if (send(old->connected_udp, "again", 5, 0) != 5) die("send");
  if (recv(old->connected_udp, back, sizeof back, 0) != 5) die("recv");
  if (sendto(old->unconnected_udp, "later", 5, 0, raw(&udp), udp.length) != 5)
    die("sendto");
  if (recv(old->unconnected_udp, back, sizeof back, 0) != 5) die("recv");
  if (old->unused >= 0) {
    check(connect(old->unused, raw(&to), to.length), "connect");
    log_socket(old->unused);
    echo_once(old->unused);
    finish(old->unused);
    old->unused = -1;
  }
  visit(tcp_peer);
  ask(udp_peer);
}

/* One client from outside, announced to the test by "accepting". */
static void accept_one(struct old_sockets *old) {
  char data[256];
  ssize_t got;
  log_event("accepting", old->listening_at);
  int fd = check(accept(old->listener, NULL, NULL), "accept");
  while ((got = recv(fd, data, sizeof data, 0)) > 0)
    send_all(fd, data, (size_t)got);
  close(fd);
}

static void plain(void) {
  struct old_sockets old = prepare();
  log_event("ready", old.listening_at);
  while (wait_for_go()) {
    use(&old);
    accept_one(&old);
    log_event("done", "");
  }
}

static void *in_thread(void *unused) {
  struct old_sockets old = prepare();
  (void)unused;
  for (;;) {
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    use(&old);
  }
  return NULL;
}

static void threads(int count) {
  pthread_t thread;
  if (count > MAX_THREADS) exit(98);
  pthread_barrier_init(&step, NULL, (unsigned)count + 1);
  for (int i = 0; i < count; i++)
    if (pthread_create(&thread, NULL, in_thread, NULL) != 0) die("thread");
  pthread_barrier_wait(&step);
  log_event("ready", "");
  while (wait_for_go()) {
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    log_event("done", "");
  }
}

static void pass_byte(int from, int to) {
  char byte = 'x';
  if (from >= 0 && read(from, &byte, 1) != 1) exit(0);
  if (to >= 0 && write(to, &byte, 1) != 1) exit(92);
}

/*
 * A chain of processes, each with sockets of its own beside those that it
 * inherits: a byte goes down the chain at each line and comes back.
 */
static void children(int generations) {
  int down[2] = {-1, -1}, up[2] = {-1, -1}, generation = 0;
  struct old_sockets old = prepare();
  while (generation < generations) {
    check(pipe(down), "pipe");
    check(pipe(up), "pipe");
    if (check(fork(), "fork") > 0) break;
    dup2(down[0], 0);
    dup2(up[1], 1);
    close(down[1]);
    close(up[0]);
    down[1] = up[0] = -1;
    generation++;
    old = prepare();
  }
  int root = generation == 0;
  if (up[0] >= 0) pass_byte(up[0], -1);
  if (root) log_event("ready", "");
  else pass_byte(-1, 1);
  for (;;) {
    pass_byte(0, -1);
    use(&old);
    if (down[1] >= 0) {
      pass_byte(-1, down[1]);
      pass_byte(up[0], -1);
    }
    if (root) log_event("done", "");
    else pass_byte(-1, 1);
  }
}

static void busy(void) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  log_event("ready", "");
  while (poll(&input, 1, 0) == 0) {
    visit(tcp_peer);
    ask(udp_peer);
    usleep(BUSY_PAUSE_US);
  }
  log_event("done", "");
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  const char *mode = argv[1];
  tcp_peer = argv[2];
  udp_peer = argv[3];
  begin();
  if (strcmp(mode, "plain") == 0) plain();
  else if (strcmp(mode, "threads") == 0 && argc == 5) threads(atoi(argv[4]));
  else if (strcmp(mode, "children") == 0) children(2);
  else if (strcmp(mode, "busy") == 0) busy();
  else return 2;
  return 0;
}
