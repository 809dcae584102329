/*
 * Threads that connect at the same time:
 *   threads THREADS ROUNDS TCP4 UDP4
 */
#include "workload.h"

static const char *tcp_peer, *udp_peer;
static int rounds;
static pthread_barrier_t start;

static void *work(void *unused) {
  (void)unused;
  pthread_barrier_wait(&start);
  for (int i = 0; i < rounds; i++) {
    visit(tcp_peer);
    ask(udp_peer);
  }
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[32];
  if (argc != 5) return 2;
  int count = atoi(argv[1]);
  rounds = atoi(argv[2]);
  tcp_peer = argv[3];
  udp_peer = argv[4];
  begin();
  if (count > 32) return 2;
  pthread_barrier_init(&start, NULL, (unsigned)count);
  for (int i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) die("thread");
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
  return 0;
}
