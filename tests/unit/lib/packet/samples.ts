/**
 * Packets that a Linux 6 kernel sent between two network namespaces, captured
 * with tcpdump. Checksums are partial where the kernel left them to the device.
 *
 * @module
 */

import { LinkType } from "../../../../lib/bytes/link_type.ts";

/** A captured packet. */
export interface Sample {
  readonly about: string;
  readonly linkType: number;
  readonly originalLength: number;
  readonly data: Uint8Array;
}

/** Bytes of hexadecimal digits; white space is ignored. */
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, "");
  if (!/^(?:[0-9a-f]{2})*$/.test(digits)) throw new SyntaxError(digits);
  return Uint8Array.from(
    digits.match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );
}

function sample(
  about: string,
  linkType: number,
  data: string,
  originalLength?: number,
): Sample {
  const bytes = hex(data);
  return {
    about,
    linkType,
    originalLength: originalLength ?? bytes.length,
    data: bytes,
  };
}

/** The packets by name. */
export const SAMPLES = {
  arpRequest: sample(
    "who-has 192.0.2.2 tell 192.0.2.1",
    LinkType.ETHERNET,
    `ffff ffff ffff 0200 0000 000a 0806 0001 0800 0604 0001 0200 0000 000a
     c000 0201 0000 0000 0000 c000 0202`,
  ),
  arpReply: sample(
    "192.0.2.2 is-at 02:00:00:00:00:0b",
    LinkType.ETHERNET,
    `0200 0000 000a 0200 0000 000b 0806 0001 0800 0604 0002 0200 0000 000b
     c000 0202 0200 0000 000a c000 0201`,
  ),
  tcpSyn: sample(
    "SYN with MSS, SACK, timestamps, scale and a fast open cookie request",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4500 0040 3a60 4000 4006 7c54 c000
     0201 c000 0202 c32a 0050 225c 7744 0000 0000 b002 faf0 8436 0000 0204
     05b4 0402 080a 9176 c753 0000 0000 0103 030a 2202 0101`,
  ),
  tcpSynExperimental: sample(
    "SYN with the experimental form of the fast open option",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4500 0040 0420 4000 4006 b294 c000
     0201 c000 0202 c33a 0050 0207 cc1d 0000 0000 b002 faf0 8436 0000 0204
     05b4 0402 080a d464 e386 0000 0000 0103 030a fe04 f989`,
  ),
  tcpSynAck: sample(
    "answer to a SYN",
    LinkType.ETHERNET,
    `0200 0000 000a 0200 0000 000b 0800 4500 003c 0000 4000 4006 b6b8 c000
     0202 c000 0201 0050 c32a 7518 e533 225c 7745 a012 fe88 8432 0000 0204
     05b4 0402 080a ce12 c8fc 9176 c753 0103 030a`,
  ),
  tcpData: sample(
    "27 bytes of HTTP over IPv4",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4500 004f 3a61 4000 4006 7c44 c000
     0201 c000 0202 c32a 0050 225c 7745 7518 e534 8018 003f 8445 0000 0101
     080a 9176 c753 ce12 c8fc 4745 5420 2f20 4854 5450 2f31 2e31 0d0a 486f
     7374 3a20 780d 0a0d 0a`,
  ),
  tcp6Syn: sample(
    "SYN over IPv6",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 86dd 6002 4fff 002c 0640 2001 0db8 0000
     0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002 98ba
     0050 7dfc f764 0000 0000 b002 fd20 5ba7 0000 0204 05a0 0402 080a 3c95
     03fd 0000 0000 0103 030a 2202 0101`,
  ),
  tcp6Data: sample(
    "27 bytes of HTTP over IPv6",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 86dd 6002 4fff 003b 0640 2001 0db8 0000
     0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002 98ba
     0050 7dfc f765 0267 169f 8018 0040 5bb6 0000 0101 080a 3c95 03fe b74e
     58f8 4745 5420 2f20 4854 5450 2f31 2e31 0d0a 486f 7374 3a20 780d 0a0d
     0a`,
  ),
  dnsQuery: sample(
    "A? www.example.com",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4500 003d e344 4000 4011 d367 c000
     0201 c000 0202 d0e5 0035 0029 843e beef 0100 0001 0000 0000 0000 0377
     7777 0765 7861 6d70 6c65 0363 6f6d 0000 0100 01`,
  ),
  dnsResponse: sample(
    "CNAME and two addresses",
    LinkType.ETHERNET,
    `0200 0000 000a 0200 0000 000b 0800 4500 007a a3d9 4000 4011 1296 c000
     0202 c000 0201 0035 d0e5 0066 847b beef 8180 0001 0003 0000 0000 0377
     7777 0765 7861 6d70 6c65 0363 6f6d 0000 0100 01c0 0c00 0500 0100 0001
     2c00 1103 6364 6e07 6578 616d 706c 6503 6e65 7400 c02d 0001 0001 0000
     003c 0004 c633 6407 c02d 0001 0001 0000 003c 0004 c633 6408`,
  ),
  udp: sample(
    "10 bytes to the discard port",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4500 0026 7eef 4000 4011 37d4 c000
     0201 c000 0202 b749 0009 0012 8427 6469 7363 6172 6420 6d65`,
  ),
  icmpUnreachable: sample(
    "port unreachable, quotes a UDP packet",
    LinkType.ETHERNET,
    `0200 0000 000a 0200 0000 000b 0800 45c0 0042 9dc5 0000 4001 5832 c000
     0202 c000 0201 0303 b6ab 0000 0000 4500 0026 7eef 4000 4011 37d4 c000
     0201 c000 0202 b749 0009 0012 8427 6469 7363 6172 6420 6d65`,
  ),
  icmpEchoRequest: sample(
    "ping",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4500 0020 44ac 4000 4001 722d c000
     0201 c000 0202 0800 18e1 004d 0001 7069 6e67`,
  ),
  icmpEchoReply: sample(
    "pong",
    LinkType.ETHERNET,
    `0200 0000 000a 0200 0000 000b 0800 4500 0020 9e08 0000 4001 58d1 c000
     0202 c000 0201 0000 20e1 004d 0001 7069 6e67`,
  ),
  fragmentFirst: sample(
    "first fragment of a UDP packet of 2048 bytes, cut to 64 bytes",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4500 05dc 73f2 2000 4011 5d1b c000
     0201 c000 0202 ee06 0009 0808 7bcc 0001 0203 0405 0607 0809 0a0b 0c0d
     0e0f 1011 1213 1415`,
    1514,
  ),
  fragmentLater: sample(
    "second fragment of it, cut to 64 bytes",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4500 0254 73f2 00b9 4011 7fea c000
     0201 c000 0202 c0c1 c2c3 c4c5 c6c7 c8c9 cacb cccd cecf d0d1 d2d3 d4d5
     d6d7 d8d9 dadb dcdd`,
    610,
  ),
  udpOptions: sample(
    "router alert option",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 0800 4600 0025 a9ff 4000 4011 77c0 c000
     0201 c000 0202 9404 0000 a6e6 0009 000d 8422 616c 6572 74`,
  ),
  neighborSolicitation: sample(
    "who has 2001:db8::2",
    LinkType.ETHERNET,
    `3333 ff00 0002 0200 0000 000a 86dd 6000 0000 0020 3aff 2001 0db8 0000
     0000 0000 0000 0000 0001 ff02 0000 0000 0000 0000 0001 ff00 0002 8700
     1c1e 0000 0000 2001 0db8 0000 0000 0000 0000 0000 0002 0101 0200 0000
     000a`,
  ),
  neighborAdvertisement: sample(
    "2001:db8::2 is here",
    LinkType.ETHERNET,
    `0200 0000 000a 0200 0000 000b 86dd 6000 0000 0020 3aff 2001 0db8 0000
     0000 0000 0000 0000 0002 2001 0db8 0000 0000 0000 0000 0000 0001 8800
     8a68 6000 0000 2001 0db8 0000 0000 0000 0000 0000 0002 0201 0200 0000
     000b`,
  ),
  routerSolicitation: sample(
    "from a link-local address",
    LinkType.ETHERNET,
    `3333 0000 0002 0200 0000 000a 86dd 6000 0000 0010 3aff fe80 0000 0000
     0000 0000 00ff fe00 000a ff02 0000 0000 0000 0000 0000 0000 0002 8500
     7b1a 0000 0000 0101 0200 0000 000a`,
  ),
  listenerReport: sample(
    "after a hop-by-hop router alert",
    LinkType.ETHERNET,
    `3333 0000 0016 0200 0000 000a 86dd 6000 0000 0038 0001 fe80 0000 0000
     0000 0000 00ff fe00 000a ff02 0000 0000 0000 0000 0000 0000 0016 3a00
     0502 0000 0100 8f00 6fda 0000 0002 0400 0000 ff02 0000 0000 0000 0000
     0001 ff00 000a 0400 0000 ff02 0000 0000 0000 0000 0001 ff00 0001`,
  ),
  udp6: sample(
    "10 bytes to the discard port",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 86dd 6006 b7fe 0012 1140 2001 0db8 0000
     0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002 b2fd
     0009 0012 5b98 6469 7363 6172 6420 6d65`,
  ),
  icmp6Unreachable: sample(
    "port unreachable, quotes a UDP packet",
    LinkType.ETHERNET,
    `0200 0000 000a 0200 0000 000b 86dd 6002 9cba 0042 3a40 2001 0db8 0000
     0000 0000 0000 0000 0002 2001 0db8 0000 0000 0000 0000 0000 0001 0104
     04c8 0000 0000 6006 b7fe 0012 1140 2001 0db8 0000 0000 0000 0000 0000
     0001 2001 0db8 0000 0000 0000 0000 0000 0002 b2fd 0009 0012 5b98 6469
     7363 6172 6420 6d65`,
  ),
  echo6Request: sample(
    "ping over IPv6",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 86dd 6001 b1a3 000c 3a40 2001 0db8 0000
     0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002 8000
     4525 004d 0001 7069 6e67`,
  ),
  fragment6First: sample(
    "first fragment of a UDP packet of 2048 bytes, cut to 80 bytes",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 86dd 6008 1ea3 05b0 2c40 2001 0db8 0000
     0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002 1100
     0001 431d 8b95 b56e 0009 0808 dcf3 0001 0203 0405 0607 0809`,
    1510,
  ),
  fragment6Later: sample(
    "second fragment of it, cut to 80 bytes",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 86dd 6008 1ea3 0268 2c40 2001 0db8 0000
     0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002 1100
     05a8 431d 8b95 a0a1 a2a3 a4a5 a6a7 a8a9 aaab acad aeaf b0b1`,
    670,
  ),
  udp6Options: sample(
    "UDP after hop-by-hop and destination options",
    LinkType.ETHERNET,
    `0200 0000 000b 0200 0000 000a 86dd 600f 924a 001f 0040 2001 0db8 0000
     0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002 3c00
     0502 0000 0100 1100 0104 0000 0000 aa34 0009 000f 33d5 6f70 7469 6f6e
     73`,
  ),
  sllSyn: sample(
    "SYN to 127.0.0.1, cooked",
    LinkType.LINUX_SLL,
    `0000 0304 0006 0000 0000 0000 0000 0800 4500 003c 7844 4000 4006 c475
     7f00 0001 7f00 0001 b016 0001 e93c fb39 0000 0000 a002 ffd7 fe30 0000
     0204 ffd7 0402 080a 1151 b742 0000 0000 0103 030a`,
  ),
  sllReset: sample(
    "answer to it",
    LinkType.LINUX_SLL,
    `0000 0304 0006 0000 0000 0000 0000 0800 4500 0028 0000 4000 4006 3cce
     7f00 0001 7f00 0001 0001 b016 0000 0000 e93c fb3a 5014 0000 1d3f 0000`,
  ),
  sll6Out: sample(
    "UDP over IPv6, cooked",
    LinkType.LINUX_SLL,
    `0004 0001 0006 0200 0000 000a 0000 86dd 6006 b7fe 0012 1140 2001 0db8
     0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002
     b2fd 0009 0012 5b98 6469 7363 6172 6420 6d65`,
  ),
  sll2Syn: sample(
    "SYN to 127.0.0.1, cooked version 2",
    LinkType.LINUX_SLL2,
    `0800 0000 0000 0001 0304 0006 0000 0000 0000 0000 4500 003c 7844 4000
     4006 c475 7f00 0001 7f00 0001 b016 0001 e93c fb39 0000 0000 a002 ffd7
     fe30 0000 0204 ffd7 0402 080a 1151 b742 0000 0000 0103 030a`,
  ),
  sll2Arp: sample(
    "ARP request, cooked version 2",
    LinkType.LINUX_SLL2,
    `0806 0000 0000 0003 0001 0406 0200 0000 000a 0000 0001 0800 0604 0001
     0200 0000 000a c000 0201 0000 0000 0000 c000 0202`,
  ),
} as const;
