/*
 * A wire that can take its time: whatever arrives at one of two Ethernet
 * interfaces leaves at the other, in order; after a line on standard input,
 * which it answers with "slow", DELAY_MS later.
 *   slow_wire INTERFACE INTERFACE DELAY_MS
 * Says "ready" and ends when standard input does.
 */
#include "workload.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <time.h>

/* Frames under way in one direction; a TCP segment may be as large as 64 KiB
 * before some interface cuts it. */
#define FRAMES 512
#define FRAME_SIZE (sizeof(struct virtio_net_hdr) + 70000)

struct frame {
  size_t length;
  long due_ms;
  char *bytes;
};

/* One direction: frames first to last-1 are under way. */
struct wire {
  int from, to;
  unsigned first, last;
  struct frame frames[FRAMES];
};

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_end(const char *interface) {
  int on = 1;
  struct sockaddr_ll at;
  memset(&at, 0, sizeof at);
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(ETH_P_ALL);
  at.sll_ifindex = (int)if_nametoindex(interface);
  int fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "socket");
  /* Checksums and sizes that are still to be made are handed on as they are. */
  check(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on),
        "PACKET_VNET_HDR");
  check(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on),
        "PACKET_IGNORE_OUTGOING");
  check(bind(fd, (struct sockaddr *)&at, sizeof at), "bind");
  return fd;
}

static void say(const char *word) {
  printf("%s\n", word);
  fflush(stdout);
}

static void take(struct wire *wire, long delay_ms) {
  if (wire->last - wire->first == FRAMES) {
    fprintf(stderr, "slow_wire: too many frames under way\n");
    exit(97);
  }
  struct frame *frame = &wire->frames[wire->last % FRAMES];
  if (frame->bytes == NULL) frame->bytes = malloc(FRAME_SIZE);
  ssize_t got = recv(wire->from, frame->bytes, FRAME_SIZE, 0);
  if (got < 0) die("recv");
  frame->length = (size_t)got;
  frame->due_ms = now_ms() + delay_ms;
  wire->last++;
}

static void deliver(struct wire *wire) {
  while (wire->first != wire->last) {
    struct frame *frame = &wire->frames[wire->first % FRAMES];
    if (frame->due_ms > now_ms()) return;
    if (write(wire->to, frame->bytes, frame->length) < 0) die("write");
    wire->first++;
  }
}

/* Milliseconds until the next frame is due; -1 when none is under way. */
static long wait_for(const struct wire *wires) {
  long least = -1, now = now_ms();
  for (int i = 0; i < 2; i++) {
    if (wires[i].first == wires[i].last) continue;
    long wait = wires[i].frames[wires[i].first % FRAMES].due_ms - now;
    if (wait < 0) wait = 0;
    if (least < 0 || wait < least) least = wait;
  }
  return least;
}

int main(int argc, char **argv) {
  static struct wire wires[2];
  if (argc != 4) return 2;
  long delay_ms = 0;
  begin();
  wires[0].from = wires[1].to = open_end(argv[1]);
  wires[1].from = wires[0].to = open_end(argv[2]);
  struct pollfd fds[3] = {
      {.fd = wires[0].from, .events = POLLIN},
      {.fd = wires[1].from, .events = POLLIN},
      {.fd = 0, .events = POLLIN},
  };
  say("ready");
  for (;;) {
    check(poll(fds, 3, (int)wait_for(wires)), "poll");
    for (int i = 0; i < 2; i++) {
      if (fds[i].revents != 0) take(&wires[i], delay_ms);
      deliver(&wires[i]);
    }
    if (fds[2].revents == 0) continue;
    if (!wait_for_go()) return 0;
    delay_ms = atol(argv[3]);
    say("slow");
  }
}
