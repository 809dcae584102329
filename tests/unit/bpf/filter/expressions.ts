/**
 * Filter expressions that are judged against tcpdump, one a line.
 *
 * @module
 */

const LINES = String.raw`ip
ip6
arp
rarp
tcp
udp
sctp
icmp
icmp6
igmp
igrp
pim
vrrp
carp
ah
esp
atalk
aarp
decnet
lat
sca
moprc
mopdl
iso
esis
isis
clnp
l1
l2
iih
lsp
snp
csnp
psnp
stp
ipx
netbeui
llc
pppoed
not ip
not tcp
not icmp6
not arp
not ipx
not isis
llc i
llc s
llc u
llc rr
llc rnr
llc rej
llc ui
llc ua
llc disc
llc sabme
llc test
llc xid
llc frmr
es-is
is-is
not llc
not llc u
llc s or llc u
llc i and stp
proto 0
proto 1
proto 6
proto 17
proto 47
proto 58
proto 132
proto 300
ip proto 1
ip proto 6
ip proto 17
ip proto 51
ip proto 103
ip proto 112
ip proto 255
ip proto 256
ip6 proto 0
ip6 proto 6
ip6 proto 17
ip6 proto 44
ip6 proto 58
ip6 proto 59
ip6 proto 60
ip proto \tcp
ip proto \udp
ip proto \icmp
ip proto \igmp
ip proto \gre
ip proto \esp
proto \tcp
proto \udp
ip6 proto \tcp
ip6 proto \udp
proto gre
ip proto ospf
proto \ip
proto vrrp
ether proto 0x0800
ether proto 0x86dd
ether proto 0x806
ether proto 0x8035
ether proto 0x88cc
ether proto 0x9000
ether proto 0x0600
ether proto 1500
ether proto 1501
ether proto 1536
ether proto 5
ether proto 6
ether proto 0x42
ether proto 0xe0
ether proto 0xf0
ether proto 0xfe
ether proto 0x809b
ether proto 0x80f3
ether proto 0x8137
ether proto 0x8100
ether proto 0x8847
ether proto 2048
ether proto \ip
ether proto \ip6
ether proto \arp
ether proto \rarp
ether proto \atalk
ether proto \aarp
ether proto \decnet
ether proto \lat
ether proto \sca
ether proto \moprc
ether proto \mopdl
ether proto \iso
ether proto \stp
ether proto \ipx
ether proto \netbeui
ether proto \loopback
link proto 0x800
not ether proto 0x800
iso proto \esis
iso proto \isis
iso proto \clnp
iso proto 0x83
isis proto 15
isis proto 18 or 20
ether proto 0x800 or 0x86dd
proto 6 or 17
ip proto 6 or 17 or 132
proto 6 and 17
ip6 proto 6 or 58
host 10.0.0.1
host 10.0.0.2
host 192.168.1.1
host 127.0.0.1
host 255.255.255.255
host 10.9.9.9
host 0.0.0.0
src host 10.0.0.1
dst host 10.0.0.1
src 10.0.0.1
dst 10.0.0.2
src or dst host 10.0.0.1
src and dst host 127.0.0.1
dst and src 192.168.1.1
dst or src 10.0.0.2
ip host 10.0.0.1
ip src host 10.0.0.1
ip dst 10.0.0.2
ip src or dst 10.0.0.2
arp host 10.0.0.1
arp src host 10.0.0.1
arp dst 192.168.1.1
arp src and dst host 192.168.1.1
rarp host 10.0.0.1
rarp dst host 192.168.1.1
not host 10.0.0.1
not src host 10.0.0.1
host 10.0.0.1 and host 10.0.0.2
host 10.0.0.1 or host 192.168.1.1
host 10.0.0.1 or 192.168.1.1
host 10.0.0.1 and not 192.168.1.1
host (10.0.0.1 or 10.0.0.2)
src host (10.0.0.1 or 10.0.0.2 or 192.168.1.1)
host not 10.0.0.1
host 10
host 10.0
host 10.0.0
host 167772161
dst 80
src host 10.0.0.1 and dst host 10.0.0.2
src 10.0.0.1 and dst 192.168.1.1 or src 192.168.1.1 and dst 10.0.0.1
not (host 10.0.0.1 and host 10.0.0.2)
host 10.0.0.1 and tcp
tcp and host 10.0.0.1
host 10.0.0.1 and arp
host 10.0.0.1 and not arp
(host 10.0.0.1 or host 10.0.0.2) and (tcp or udp)
ip host 10.0.0.1 or ip6 host 2001::1
host 2001::1
src host 2001::1
dst 2001::2
ip6 host fe80::1
host ::1
src and dst host ::1
ip6 src host 2001::1 and dst host 2001::2
not host 2001::1
host 2001::1 or 2001::2
host 2001::1 or 10.0.0.1
ip6 dst host ff02::1
host 2001:0:0:0:0:0:0:1
host ::ffff:10.0.0.1
src 2001::1 or dst fe80::1
net 10
net 10.0.0
net 10.0.0.0/8
net 10.0.0.0/24
net 192.168
net 192.168.0.0/16
net 10.0.0.0 mask 255.255.255.0
net 10.0.0.0 mask 255.0.0.255
src net 10
dst net 10
src and dst net 10
src or dst net 192.168.1
net 0.0.0.0/0
net 224.0.0.0/4
dst net 224.0.0.0/4
net 127
net 10 or 192.168
src net 10 or 172.16
not net 10
ip net 10
arp net 10
rarp net 192.168.1.0/24
ip src net 172.16.0.0/12
net 10.0.0.1/32
net 10.0.0.1
net 10.0.0.0/31
src net 10 and dst net 192.168
net 128.0.0.0/1
arp src net 10 and dst net 192.168.1
net 2001::/16
ip6 net fe80::/10
net ff00::/8
src net 2001::/64
dst net ff02::/16
net ::/0
net 2001::/72
net fe80::/96
net 2001::/127
net 2001::1/128
net ::1
ip6 src net fe80::/64 and ip6 dst net ff02::/64
not net 2001::/16
src and dst net fe80::/10
net 2001::/33
port 80
port 53
port 443
port 22
port 0x50
port 0120
port 65535
port 0
port 2905
src port 80
dst port 80
src or dst port 80
src and dst port 80
dst and src port 53
tcp port 80
udp port 80
sctp port 80
tcp src port 80
tcp dst port 443
udp src port 53
udp dst port 53
sctp dst port 36412
tcp src and dst port 80
udp src and dst port 123
not port 80
not tcp port 80
port not 80
port 80 or 443
port 80 or 443 or 22
port (80 or 443)
port (80 or 443 or 22 or 21)
tcp port 80 or 443
tcp port 80 or udp port 53
port 80 and port 443
port 80 and not 443
src port 80 or dst port 443
src port 80 and dst port 443
port 80 or port 443 or port 22 or port 21 or port 53
tcp dst port 80 or 443 or 8080
udp port 53 or 67 or 68
udp port (67 or 68)
tcp and port 80
port 80 and tcp
udp and not port 53
port 53 and (tcp or udp)
ip and port 80
ip6 and port 80
ip6 and tcp port 443
ip and udp port 53
tcp and not port 22
not port 22 and not port 80
not (port 22 or port 80)
not port 22 and not 80 and not 443
port ssh
port domain
port http
tcp port http or https
udp port domain
port ftp
tcp port ftp or ssh
udp port ntp
port ntp
dst port http
port ftp or domain
udp port bootps or bootpc
port http and host 10.0.0.1
portrange 20-25
portrange 1-1023
src portrange 40000-40010
dst portrange 80-443
tcp portrange 20-25
udp portrange 50-60
tcp src portrange 1-1023
sctp portrange 36000-37000
udp dst portrange 1024-65535
portrange 443-80
portrange 80
src and dst portrange 80-443
portrange 20-25 or 50-60
not portrange 0-1023
tcp portrange ftp-http
portrange ssh-domain
tcp portrange 80-80
portrange 20-25 and host 192.168.1.1
src portrange 1-1023 and dst portrange 1024-65535
tcp or udp
tcp and udp
not tcp and not udp
tcp or udp or icmp
tcp or icmp6
ip and not tcp
ip6 and not icmp6
tcp or udp port 53
tcp and port 80 or udp
not tcp and udp
! tcp || udp && ip
(tcp or udp) and host 10.0.0.1
icmp or icmp6 or arp
not (tcp or udp or icmp)
(tcp and (port 80 or port 443)) or (udp and port 53)
host 10.0.0.1 and (port 80 or port 443)
src host 10.0.0.1 and tcp dst port 80
host 10.0.0.1 and not port 80
host 10.0.0.1 and port 80 and tcp
ip host 10.0.0.1 and port 80
net 10 and port 53
net 10 and tcp port 80 or net 192.168 and udp port 53
tcp and net 10 and not host 10.0.0.2
arp or icmp
arp or rarp
not arp and not rarp
ip or ip6
ip or arp or ip6
not ip and not ip6
not not tcp
not (not tcp)
((tcp))
ip and ip
tcp and tcp
tcp or tcp
ip and ip6
tcp or not tcp
ah or esp
host 10.0.0.1 and tcp port 80 and src port 40000
udp and (port 53 or port 5353) and not host 192.168.1.1
tcp port 80 and (src host 10.0.0.1 or src host 10.0.0.2)
ip proto 17 and port 53
ip6 proto 17 and port 53
sctp or (tcp and port 22)
(udp or tcp) and port 53 and (ip or ip6)
tcp and ip6 or udp and ip
ip6 and udp and dst port 5353
host 2001::1 and tcp port 80
net fe80::/10 and icmp6
(net 10 or net 2001::/16) and port 80
src net 10 and dst port 53 or dst net 10 and src port 53
broadcast
ether broadcast
ip broadcast
multicast
ether multicast
ip multicast
ip6 multicast
not broadcast and not multicast
ip multicast or ip6 multicast
not ip multicast
ip broadcast or ip multicast
udp and ip broadcast
ether host 02:00:00:00:00:01
ether src 02:00:00:00:00:01
ether dst 2:0:0:0:0:2
ether dst ff:ff:ff:ff:ff:ff
ether src or dst 02-00-00-00-00-02
ether src and dst 02:00:00:00:00:02
ether host 0200.0000.0001
ether host 020000000001
not ether host 02:00:00:00:00:01
ether dst host 01:00:5e:00:00:fb
ether src 02:00:00:00:00:01 and tcp
ether host 02:00:00:00:00:01 or 02:00:00:00:00:02
ether src 02:00:00:00:00:01 and ether dst 02:00:00:00:00:02
inbound
outbound
inbound and tcp
outbound and udp port 53
not inbound
ifindex 1
ifindex 2
ifindex 1 or ifindex 3
ifindex 2 and tcp
outbound and ifindex 1
less 60
greater 100
less 1000
greater 1400
len > 100
len <= 60
len = 54
len != 54
len >= 40 and len <= 100
length < 80
len > 100 and tcp
less 60 or greater 1000
len - 14 > 100
len & 1 = 1
len % 2 = 0
len * 2 > 200
100 < len
60 >= len
len = len
tcp[tcpflags] & (tcp-syn|tcp-fin) != 0
tcp[tcpflags] = tcp-syn
tcp[tcpflags] & tcp-syn != 0
tcp[13] & 2 != 0
tcp[13] = 18
tcp[13] == 0x12
tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn
tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack)
tcp[tcpflags] & tcp-rst != 0
tcp[tcpflags] & tcp-push != 0
tcp[tcpflags] & (tcp-ece|tcp-cwr) != 0
tcp[tcpflags] & tcp-urg != 0
tcp[tcpflags] & tcp-fin = 0
tcp[tcpflags] & tcp-syn = tcp-syn
not tcp[tcpflags] & tcp-syn != 0
tcp[tcpflags] = tcp-ack or tcp[tcpflags] = tcp-syn
tcp[tcpflags] & tcp-syn != 0 and port 80
port 80 and tcp[tcpflags] & tcp-syn != 0
tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10
tcp[0:2] = 80
tcp[2:2] = 80 or tcp[0:2] = 80
tcp[0:2] > 1023 and tcp[2:2] < 1024
tcp[4:4] = 1000
tcp[12] >> 4 = 5
tcp[12] & 0xf0 = 0x50
tcp[0:2] & 1 = 0
tcp[20:4] = 0x47455420
tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420
tcp[(tcp[12]>>2):4] = 0x47455420
tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)
tcp[0] >= 0 and ip[2:2] - ((ip[0] & 0xf) << 2) - ((tcp[12] & 0xf0) >> 2) > 10
tcp[2:2] = tcp[0:2]
tcp[0:2] != tcp[2:2]
tcp[0:2] > tcp[2:2]
tcp[0:2] < tcp[2:2]
tcp[0:2] <= tcp[2:2]
tcp[0:2] + tcp[2:2] > 40500
tcp[0:2] - tcp[2:2] = 0
udp[0:2] = 53
udp[2:2] = 53
udp[4:2] > 20
udp[8:2] = 0x7175
udp[4:2] - 8 > 100
udp[0:2] = udp[2:2]
udp[0:2] * 2 = 106
udp[4] + udp[5] > 20
udp[udp[5] - 8] = 0
sctp[0:2] = 36412
sctp[8:4] = 0
icmp[0] = 8
icmp[icmptype] = icmp-echo
icmp[icmptype] != icmp-echo
icmp[icmptype] = icmp-echo or icmp[icmptype] = icmp-echoreply
icmp[icmptype] = icmp-unreach and icmp[icmpcode] = 1
icmp[icmptype] >= icmp-redirect
icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply
icmp[4:2] = 1
icmp[icmptype] = icmp-timxceed
icmp6[0] = 128
icmp6[icmp6type] = icmp6-echo
icmp6[icmp6type] == icmp6-neighborsolicit
icmp6[icmp6type] != icmp6-echo and icmp6[icmp6code] = 0
icmp6[icmp6type] = icmp6-destinationunreach and icmp6[icmp6code] = 4
igmp[0] = 0x16
pim[0] = 0x20
vrrp[0] = 0x21
igrp[0] = 0
carp[1] = 1
ip[0] = 0x45
ip[0] & 0xf != 5
ip[0] & 0xf > 5
ip[1] != 0
ip[6:2] & 0x1fff != 0
ip[6:2] & 0x2000 != 0
ip[6:2] & 0x3fff != 0
ip[8] < 64
ip[8] = 255 or ip[8] = 1
ip[9] = 6
ip[12:4] = 0x0a000001
ip[12:4] = 10 << 24 | 1
ip[12:4] = ip[16:4]
ip[12:4] > ip[16:4]
ip[16] >= 224
ip[12] = 10 and ip[16] = 192
ip[2:2] > 100
ip[2:2] = len - 14
ip[2:2] + 14 = len
len - ip[2:2] = 14
ip[0] * 256 + ip[1] = ip[0:2]
ip[0] + ip[1] * 2 = 69
ip[0] / 16 = 4
ip[0] % 16 = 5
ip[0] ^ 0x40 = 5
ip[0] | 0x0f = 0x4f
ip[0] >> 4 = 4
ip[0] & 0xf << 2 = 20
ip[3] << 8 | ip[2] > 1000
(ip[0] & 15) * 4 = 20
ip[0] - 64 = 5
ip[ip[9]] = 17
ip[(ip[0] & 15) * 4 : 2] = 80
ip[10:2] = 0 and ip[4:2] = 0x1234
ip[8] & ip[9] = 0
ip[8] | ip[9] = 70
ip[8] ^ ip[9] = 81
ip[8] / ip[9] = 10
ip[8] % ip[9] = 4
ip[9] < 32 and ip[8] << ip[9] > 1000
ip[9] < 32 and ip[8] >> ip[9] = 0
ip[8] * ip[9] - ip[0] > 300
ip[8] - (ip[9] - (ip[0] - ip[1])) > 100
(ip[0] + ip[1]) * (ip[8] + ip[9]) > 5000
((ip[0] + ip[1]) * (ip[8] + ip[9])) - ((ip[2] + ip[3]) * (ip[4] + ip[5])) > 5000
ip6[6] = 6
ip6[6] = 0 or ip6[6] = 44
ip6[0] >> 4 = 6
ip6[4:2] > 60
ip6[8:2] = 0xfe80
ip6[24] = 0xff
ip6[40] = 6 and ip6[6] = 0
ip6[7] < 255
ip6[8:4] = ip6[24:4]
ip6[4:2] + 40 = len
arp[6:2] = 1
arp[7] = 2
arp[14:4] = 0x0a000001
arp[14:4] = arp[24:4]
rarp[6:2] = 3
decnet[0] = 20
atalk[0] = 0
lat[0] = 0
mopdl[0] = 0
moprc[0] = 0
sca[0] = 0
ether[0] & 1 = 0 and ip[16] >= 224
ether[0] & 1 != 0
ether[12:2] = 0x0800
ether[12:2] > 1500
ether[0:4] = 0x02000000
ether[6:2] = 0x200 and ether[8:4] = 1
link[0] = 2
ether[14] & 0xf0 = 0x40
link[0:2] = 4
link[14:2] = 0x86dd
link[4:4] = 2
ether[len - 1] = 0
ether[len / 2] = 0
ether[2 * 7] = 69
wlan[0] = 2
slip[1] = 0
ppp[0] = 0
fddi[0] = 2
tr[0] = 0
byte 0 = 2
byte 14 = 69
byte 12 > 7
byte 12 < 8
byte 23 = 6 or byte 23 = 17
1 = 1
5 > 6
1 = 1 and tcp
5 > 6 or tcp
5 > 6 and tcp
2 + 3 * 4 = 14
10 - 2 - 3 = 5
2 | 1 & 1 = 3
1 << 3 = 8
100 >> 2 = 25
7 & 3 = 3
5 ^ 3 = 6
17 % 5 = 2
20 / 3 = 6
0xff = 255
010 = 8
tcp[tcpflags] & 2 = 2 or 1 = 2
-1 = 0xffffffff
0 - 1 > 5
(2 + 3) * 4 = 20
((5)) = 5
2 * (3 + 4) - 1 = 13
5 % 2 + 1 = 2
icmp-echo = 8
tcp-syn|tcp-ack = 0x12
vlan
vlan 5
vlan 7
vlan and ip
vlan and ip6
vlan 5 and tcp
vlan and tcp port 80
vlan and vlan
vlan 100 and vlan 7
vlan and vlan and ip6
vlan 100 and vlan 7 and tcp port 80
vlan and arp
vlan and host 10.0.0.1
vlan 5 or vlan 7
not vlan
vlan and not ip
vlan or ip
ip or vlan
tcp or vlan and tcp
(vlan and tcp) or udp
vlan and udp port 53
vlan and icmp[0] = 8
vlan and ip6[6] = 17
vlan and ether[0] = 2
vlan 9 and mpls
vlan and mpls 7 and tcp
not vlan and tcp
vlan and ether host 02:00:00:00:00:01
vlan 0xfff
vlan and greater 60
mpls
mpls 5
mpls 1024
mpls and ip
mpls and ip6
mpls 5 and tcp
mpls 16 and tcp port 80
mpls and mpls
mpls 5 and mpls 1024
mpls and mpls and ip
mpls and mpls 1024 and udp port 53
mpls 5 and mpls 6 and mpls 7
mpls and host 10.0.0.1
mpls and tcp[13] = 2
mpls or ip
not mpls
mpls 5 or mpls 7
mpls and net 10
mpls and udp
mpls and src port 53
mpls and ip[9] = 6
pppoes
pppoes 5
pppoes 6
pppoes and ip
pppoes and ip6
pppoes 5 and tcp
pppoes and tcp port 80
pppoes and udp port 53
pppoes and host 10.0.0.1
pppoes and not ip
pppoed or pppoes
not pppoes
pppoes or tcp
pppoes and tcp[13] = 2
pppoes and net 10
pppoes and ip[9] = 6
pppoes and ip6 host 2001::1
pppoes and link[0] = 0
geneve
geneve 5
geneve 7
geneve and ip
geneve and tcp
geneve and tcp port 80
geneve 5 and tcp
geneve and udp port 53
geneve and host 10.9.9.9
geneve and ip6
geneve and ip6 and tcp port 80
geneve 7 and udp
geneve and tcp[13] = 2
geneve and ether host 02:00:00:00:00:01
geneve and ether[12:2] = 0x800
geneve and ip[9] = 6
geneve and not tcp
geneve and net 10
geneve and src port 7
geneve and ip6[6] = 6
not geneve
geneve 5 or geneve 6
geneve and icmp
geneve and arp
geneve and broadcast
vlan and geneve
host 10.0.1.1 or host 10.0.1.2 or host 10.0.1.3 or host 10.0.1.4 or host 10.0.1.5 or host 10.0.1.6 or host 10.0.1.7 or host 10.0.1.8 or host 10.0.1.9 or host 10.0.1.10 or host 10.0.1.11 or host 10.0.1.12 or host 10.0.1.13 or host 10.0.1.14 or host 10.0.1.15 or host 10.0.1.16 or host 10.0.1.17 or host 10.0.1.18 or host 10.0.1.19 or host 10.0.1.20 or host 10.0.1.21 or host 10.0.1.22 or host 10.0.1.23 or host 10.0.1.24 or host 10.0.1.25 or host 10.0.1.26 or host 10.0.1.27 or host 10.0.1.28 or host 10.0.1.29 or host 10.0.1.30 or host 10.0.1.31 or host 10.0.1.32 or host 10.0.1.33 or host 10.0.1.34 or host 10.0.1.35 or host 10.0.1.36 or host 10.0.1.37 or host 10.0.1.38 or host 10.0.1.39 or host 10.0.1.40
tcp port (1000 or 1001 or 1002 or 1003 or 1004 or 1005 or 1006 or 1007 or 1008 or 1009 or 1010 or 1011 or 1012 or 1013 or 1014 or 1015 or 1016 or 1017 or 1018 or 1019 or 1020 or 1021 or 1022 or 1023 or 1024 or 1025 or 1026 or 1027 or 1028 or 1029 or 1030 or 1031 or 1032 or 1033 or 1034 or 1035 or 1036 or 1037 or 1038 or 1039 or 80)
not (port 22 or port 53 or port 123 or port 443 or port 5353)
(host 10.0.0.0 and port 80) or (host 10.0.0.1 and port 81) or (host 10.0.0.2 and port 82) or (host 10.0.0.3 and port 83) or (host 10.0.0.4 and port 84) or (host 10.0.0.5 and port 85)
ip and (src net 10.0.0.0/16 or src net 10.1.0.0/16 or src net 10.2.0.0/16 or src net 10.3.0.0/16 or src net 10.4.0.0/16 or src net 10.5.0.0/16 or src net 10.6.0.0/16 or src net 10.7.0.0/16 or src net 10.8.0.0/16 or src net 10.9.0.0/16)
host 10.0.0.1 and (tcp port 80 or tcp port 443 or udp port 53) and not (net 192.168.1 or ip broadcast)
udp and not port 53 and not port 123 and not (src net 10 and dst net 10)`;

/** The expressions; the first is the empty one. */
export const EXPRESSIONS: readonly string[] = ["", ...LINES.split("\n")];
