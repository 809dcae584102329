/*
 * Reads a pcap file from standard input and prints a digest that does not
 * depend on the order of packets, and in which every byte of each IPv4 packet
 * counts:
 *   soak_digest ADDRESS
 * The numbers are: packets from or to ADDRESS, other packets, and the sum of
 * the hashes of all.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LINKTYPE_ETHERNET 1
#define LINKTYPE_LINUX_SLL 113

struct file_header {
  uint32_t magic;
  uint16_t major, minor;
  uint32_t zone, accuracy, snaplen, link_type;
};

struct record_header {
  uint32_t seconds, fraction, captured, length;
};

/* FNV-1a */
static uint64_t hash(const uint8_t *bytes, size_t length) {
  uint64_t value = 0xcbf29ce484222325u;
  for (size_t i = 0; i < length; i++) {
    value ^= bytes[i];
    value *= 0x100000001b3u;
  }
  return value;
}

int main(int argc, char **argv) {
  struct file_header file;
  struct record_header record;
  static uint8_t packet[1 << 18];
  uint8_t address[4];
  uint64_t sum = 0;
  long own = 0, others = 0;
  if (argc != 2 || inet_pton(AF_INET, argv[1], address) != 1) return 2;
  if (fread(&file, sizeof file, 1, stdin) != 1) return 1;
  size_t link = file.link_type == LINKTYPE_LINUX_SLL ? 16
                : file.link_type == LINKTYPE_ETHERNET ? 14
                                                      : 0;
  if (link == 0) return 1;
  while (fread(&record, sizeof record, 1, stdin) == 1) {
    if (record.captured > sizeof packet || record.captured < link + 20)
      return 1;
    if (fread(packet, record.captured, 1, stdin) != 1) return 1;
    const uint8_t *ip = packet + link;
    if (memcmp(ip + 12, address, 4) == 0 || memcmp(ip + 16, address, 4) == 0)
      own++;
    else
      others++;
    sum += hash(ip, record.captured - link);
  }
  printf("%ld %ld %016lx\n", own, others, (unsigned long)sum);
  return 0;
}
