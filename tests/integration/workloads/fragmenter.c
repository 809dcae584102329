/*
 * Sends datagrams as fragments in an order of its own choice, those of several
 * destinations mixed, and waits for the echoes:
 *   fragmenter ORDER FROM:PORT TO:PORT [TO:PORT...]
 * ORDER names the fragments, as "210" for the last one first.
 */
#include "workload.h"

#define PIECE 1400
#define PIECES 3
#define LENGTH (PIECES * PIECE - 100)
#define ROUNDS 5

static uint32_t add_words(uint32_t sum, const void *data, size_t length) {
  const uint8_t *bytes = data;
  for (size_t i = 0; i + 1 < length; i += 2)
    sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
  if (length % 2 == 1) sum += (uint32_t)(bytes[length - 1] << 8);
  return sum;
}

static uint16_t fold(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  sum = ~sum & 0xffff;
  return htons((uint16_t)(sum == 0 ? 0xffff : sum));
}

static uint16_t port_of(struct endpoint *e) {
  return e->address.ss_family == AF_INET
             ? ((struct sockaddr_in *)&e->address)->sin_port
             : ((struct sockaddr_in6 *)&e->address)->sin6_port;
}

/* A UDP header with its checksum (RFC 768, RFC 8200 8.1), and the payload. */
static void fill(uint8_t *datagram, struct endpoint *from, struct endpoint *to,
                 int round) {
  uint16_t head[4] = {port_of(from), port_of(to), htons(LENGTH), 0};
  memset(datagram, 'a' + round, LENGTH);
  memcpy(datagram, head, sizeof head);
  uint32_t sum = add_words(IPPROTO_UDP + LENGTH, datagram, LENGTH);
  if (from->address.ss_family == AF_INET) {
    sum = add_words(sum, &((struct sockaddr_in *)&from->address)->sin_addr, 4);
    sum = add_words(sum, &((struct sockaddr_in *)&to->address)->sin_addr, 4);
  } else {
    sum = add_words(sum, &((struct sockaddr_in6 *)&from->address)->sin6_addr,
                    16);
    sum = add_words(sum, &((struct sockaddr_in6 *)&to->address)->sin6_addr,
                    16);
  }
  head[3] = fold(sum);
  memcpy(datagram, head, sizeof head);
}

static size_t header4(uint8_t *packet, struct endpoint *from,
                      struct endpoint *to, int piece, size_t length, int id) {
  uint16_t offset = (uint16_t)(piece * PIECE / 8);
  uint16_t words[10] = {htons(0x4500), htons((uint16_t)(20 + length)),
                        htons((uint16_t)id),
                        htons(piece == PIECES - 1 ? offset : 0x2000 | offset),
                        htons(64 << 8 | IPPROTO_UDP)};
  memcpy(words + 6, &((struct sockaddr_in *)&from->address)->sin_addr, 4);
  memcpy(words + 8, &((struct sockaddr_in *)&to->address)->sin_addr, 4);
  words[5] = fold(add_words(0, words, 20));
  memcpy(packet, words, 20);
  return 20;
}

static size_t header6(uint8_t *packet, struct endpoint *from,
                      struct endpoint *to, int piece, size_t length, int id) {
  uint16_t offset = (uint16_t)(piece * PIECE);
  uint16_t words[24] = {htons(0x6000), 0, htons((uint16_t)(8 + length)),
                        htons(IPPROTO_FRAGMENT << 8 | 64)};
  memcpy(words + 4, &((struct sockaddr_in6 *)&from->address)->sin6_addr, 16);
  memcpy(words + 12, &((struct sockaddr_in6 *)&to->address)->sin6_addr, 16);
  words[20] = htons(IPPROTO_UDP << 8);
  words[21] = htons(piece == PIECES - 1 ? offset : offset | 1);
  words[23] = htons((uint16_t)id);
  memcpy(packet, words, 48);
  return 48;
}

static void send_piece(int raw_socket, uint8_t *datagram, struct endpoint *from,
                       struct endpoint *to, int piece, int id) {
  uint8_t packet[48 + PIECE];
  size_t start = (size_t)piece * PIECE;
  size_t length = LENGTH - start < PIECE ? LENGTH - start : PIECE;
  struct endpoint anywhere = *to;
  size_t header =
      (to->address.ss_family == AF_INET ? header4 : header6)(packet, from, to,
                                                             piece, length, id);
  memcpy(packet + header, datagram + start, length);
  /* Raw IPv6 sockets take no port. */
  if (to->address.ss_family == AF_INET6)
    ((struct sockaddr_in6 *)&anywhere.address)->sin6_port = 0;
  if (sendto(raw_socket, packet, header + length, 0, raw(&anywhere),
             anywhere.length) < 0)
    die("sendto");
}

int main(int argc, char **argv) {
  static uint8_t datagrams[8][LENGTH];
  char back[LENGTH];
  int one = 1, count = argc - 3;
  if (argc < 4 || count > 8) return 2;
  begin();
  struct endpoint from = endpoint_of(argv[2]), to[8];
  int family = from.address.ss_family;
  int fd = check(socket(family, SOCK_DGRAM, 0), "socket");
  check(bind(fd, raw(&from), from.length), "bind");
  check(getsockname(fd, raw(&from), &from.length), "getsockname");
  int raw_socket = check(socket(family, SOCK_RAW, IPPROTO_RAW), "raw socket");
  check(setsockopt(raw_socket, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
                   family == AF_INET ? IP_HDRINCL : IPV6_HDRINCL, &one,
                   sizeof one),
        "IP_HDRINCL");
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < count; i++) {
      to[i] = endpoint_of(argv[3 + i]);
      fill(datagrams[i], &from, &to[i], round);
    }
    for (const char *piece = argv[1]; *piece != 0; piece++)
      for (int i = 0; i < count; i++)
        send_piece(raw_socket, datagrams[i], &from, &to[i], *piece - '0',
                   1 + round * count + i);
    for (int i = 0; i < count; i++) receive_all(fd, back, sizeof back - 8);
  }
  return 0;
}
