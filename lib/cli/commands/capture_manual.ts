/**
 * What `--help` and the manual page say about capturing.
 *
 * @module
 */

import type { Manual } from "../command.ts";

/** The manual of `tracedump`. */
export const CAPTURE_MANUAL: Manual = {
  summary: "capture the network packets of a program",
  synopsis: ["[OPTIONS] PID...", "[OPTIONS] -- COMMAND [ARG...]"],
  description:
    "Captures the TCP and UDP packets of running processes, or of a command " +
    "that it starts, into a pcap file: every packet once, and none of any " +
    "other program. Threads and child processes are followed.",
  details: [
    "`tracedump` learns which sockets the processes use before the first " +
    "packet leaves, and keeps only the packets of these sockets. It learns " +
    "it from eBPF programs in the kernel, or from ptrace(2) where eBPF is " +
    "not permitted; see `--tracker`. Nothing is injected into a running " +
    "process, and nothing stays behind in it.",
    "Without `--`, all arguments that are no options are process ids. " +
    "Everything after `--` is the command, whose options are its own.",
    "The capture of running processes goes on until all of them have ended, " +
    "or until `tracedump` gets SIGINT (Ctrl-C), SIGTERM or SIGHUP; the " +
    "processes are left running. A second signal ends `tracedump` at once.",
    "The capture of a command goes on until the command and its children " +
    "have ended. SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are " +
    "passed on to it. Children that outlive the command are waited for; a " +
    "signal then ends the capture and, under ptrace, those children. When " +
    "`--count` or `--duration` completes the capture earlier, `tracedump` " +
    "still waits for the command.",
    "All messages go to standard error. On a terminal there is a status line " +
    "while the capture is running, and at the end the totals and the busiest " +
    "peers of each process are shown.",
  ],
  examples: [
    {
      command: "tracedump -- curl -s https://example.com/",
      text: "capture what one command sends and receives into `dump.pcap`",
    },
    {
      command: "tracedump -o web.pcap 4242 4243",
      text: "capture two running processes until Ctrl-C",
    },
    {
      command: "tracedump -s 96 --duration 1m -o headers.pcap 4242",
      text: "only headers, for one minute",
    },
    {
      command: "tracedump -f 'udp port domain' -- ./fetch.sh",
      text: "only the program's DNS packets",
    },
    {
      command: "tracedump --print -A -f 'tcp port 80' 4242",
      text: "read what it says, as it says it",
    },
    {
      command: "tracedump -o - 4242 | tcpdump -nr -",
      text: "look at the packets as they come",
    },
    {
      command: "tracedump -u alice -- make fetch",
      text: "run a command as another user",
    },
  ],
  sections: [
    {
      title: "FILES",
      paragraphs: [
        "The output is a pcap file of link type 113 (Linux cooked capture), " +
        "which tcpdump(8) and Wireshark read. An existing file is replaced. " +
        "When `tracedump` runs under sudo(8), the file is opened with the " +
        "rights of the user who called it and belongs to that user, as do " +
        "all further files. There is no option to give up rights: a command " +
        "runs as another user with `--user`.",
        "pcapng files (`--format`) hold one Linux cooked interface for each " +
        "interface that was seen, and for each packet its direction and the " +
        "process and thread that own its socket, as `epb_processid_threadid` " +
        "and as Darwin process events, which Wireshark shows. Statistics " +
        "stand at the end; drops are counted for the capture as a whole, " +
        "with its first interface.",
        "With `--rotate-size` or `--rotate-seconds`, a number is put before " +
        "the ending of the file's name, or the conversions of strftime(3) in " +
        "it are expanded with the local time of the file's first packet.",
      ],
    },
    {
      title: "RIGHTS",
      paragraphs: [
        "CAP_NET_RAW is needed for the packet socket. CAP_SYS_PTRACE is needed " +
        "to look at the sockets of other users' processes, and with ptrace at " +
        "any process that is not a child where kernel.yama.ptrace_scope is " +
        "set. Following with eBPF needs CAP_BPF, CAP_PERFMON and " +
        "CAP_NET_ADMIN, or CAP_SYS_ADMIN. Root has them all. They can also be " +
        "given to the executable:",
        "`setcap cap_net_raw,cap_sys_ptrace,cap_bpf,cap_perfmon,cap_net_admin+ep ./tracedump`",
        "A setuid program that is started under ptrace does not gain the " +
        "rights of its owner unless `tracedump` runs as root.",
      ],
    },
    {
      title: "COST",
      paragraphs: [
        "With eBPF, a little work is added to each call that opens, " +
        "connects or closes a socket; nothing is stopped.",
        "With ptrace, a command that `tracedump` starts is stopped at the " +
        "system calls that concern sockets, and all others run at full " +
        "speed. A process that was running before is stopped at each of its " +
        "system calls.",
      ],
    },
    {
      title: "LIMITS",
      paragraphs: [
        "A process can have one tracer: with ptrace, one that is being " +
        "debugged cannot be captured, and one that is being captured cannot " +
        "be debugged.",
        "A command started under ptrace is ended when `tracedump` is killed " +
        "with SIGKILL; processes that were running before go on.",
        "Only TCP, UDP and UDP-Lite (and, with `--icmp`, errors about " +
        "them) are captured. Packets in other network namespaces than that of " +
        "`tracedump` are captured there, as the program sees them, which " +
        "needs CAP_SYS_ADMIN and Linux 5.14.",
      ],
    },
  ],
};
