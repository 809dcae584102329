/**
 * The kernel filter as a classic BPF program (SO_ATTACH_FILTER): made anew and
 * attached when something opens that is not let through yet. Needs no more
 * rights than the packet socket itself.
 *
 * Attaching costs tens of microseconds and more with each port, so it is put
 * off where it can be: a remote endpoint stays open for a while after the call
 * that named it, and covers the local ports that connect to it meanwhile.
 *
 * @module
 */
import {
  type CaptureRules,
  compileCaptureFilter,
  type RemoteEndpoint,
} from "../../bpf/capture_filter.ts";
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import { SyscallError } from "../../ffi/errno.ts";
import { isMapped } from "../../ffi/sockaddr.ts";
import { attachFilter } from "../../ffi/socket.ts";
import { endsKey } from "../packet/ends_key.ts";
import {
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  PROTOCOL_UDP_LITE,
} from "../packet/flow_fields.ts";
import {
  PORT_PROTOCOLS,
  PROTOCOL_PORTS,
  protocolPort,
} from "../packet/protocol_port.ts";

const ENOMEM = 12;

/** How long a remote endpoint stays open after its last call, ms. */
const REMOTE_LINGER = 1000;
/** How long a filter that lets too much through may stay, ms. */
const TIDY_INTERVAL = 500;

/**
 * Instruction counts to try: the kernel's limit first; where
 * net.core.optmem_max forbids it (ENOMEM), smaller programs that let more
 * through.
 */
const SIZES = [4096, 2000, 1000, 400, 100] as const;

interface Remote extends RemoteEndpoint {
  calls: number;
  /** When the last call ended, ms since the epoch of performance.now(). */
  idleSince: number;
  installed: boolean;
}

/** Rules of packet sockets, kept by the thread that follows the program. */
export class ClassicRules {
  readonly #sockets: number[];
  readonly #snaplen: number;
  readonly #icmp: boolean;
  /** How many sockets want a port, by `protocolPort`. */
  readonly #wanted = new Int32Array(PROTOCOL_PORTS);
  readonly #installed = new Uint8Array(PROTOCOL_PORTS);
  /** By protocol. */
  readonly #ports = new Map(
    PORT_PROTOCOLS.map((protocol) => [protocol as number, new Set<number>()]),
  );
  readonly #remotes = new Map<string, Remote>();
  /** Something is open that the kernel does not let through. */
  #lacking = false;
  /** The kernel lets through what nobody wants any more, or by a remote. */
  #untidy = false;
  #tidied = 0;

  /**
   * @param fd the packet socket
   * @param snaplen bytes of each packet to take, 0 for all
   * @param icmp whether ICMP passes, too
   */
  constructor(fd: number, snaplen: number, icmp = false) {
    this.#sockets = [fd];
    this.#snaplen = snaplen;
    this.#icmp = icmp;
  }

  /**
   * Puts the rules in force for a further packet socket, too.
   *
   * @throws {SyscallError}
   */
  attach(socket: number): void {
    this.#sockets.push(socket);
    this.#install();
  }

  /** Lets packets of a local port through. */
  openPort(protocol: number, port: number): void {
    this.#add(protocol, port);
    if (this.#installed[protocolPort(protocol, port)] === 0) {
      this.#lacking = true;
    }
  }

  /** Lets packets of a port through that an open remote lets through now. */
  openCoveredPort(protocol: number, port: number): void {
    this.#add(protocol, port);
    if (this.#installed[protocolPort(protocol, port)] === 0) {
      this.#untidy = true;
    }
  }

  /** Ends one opening of a port. */
  closePort(protocol: number, port: number): void {
    const index = protocolPort(protocol, port);
    const left = --this.#wanted[index]!;
    if (left > 0) return;
    this.#wanted[index] = 0;
    this.#ports.get(protocol)!.delete(port);
    this.#untidy = true;
  }

  /** Lets packets from and to a remote endpoint through. */
  openRemote(protocol: number, address: Uint8Array, port: number): void {
    const key = endsKey(protocol, port, address);
    let remote = this.#remotes.get(key);
    if (remote === undefined) {
      remote = {
        protocol: protocol as RemoteEndpoint["protocol"],
        address: isMapped(address) ? address.slice(12) : address.slice(),
        port,
        calls: 0,
        idleSince: 0,
        installed: false,
      };
      this.#remotes.set(key, remote);
    }
    remote.calls++;
    if (!remote.installed) this.#lacking = true;
  }

  /** Ends one opening of a remote endpoint, some time later. */
  closeRemote(protocol: number, address: Uint8Array, port: number): void {
    const remote = this.#remotes.get(endsKey(protocol, port, address));
    if (remote === undefined) return;
    if (--remote.calls === 0) {
      remote.idleSince = performance.now();
      this.#untidy = true;
    }
  }

  /**
   * Brings everything open into force.
   *
   * @throws {SyscallError} when the kernel refuses even the smallest program
   */
  apply(): void {
    if (this.#lacking) this.#install();
  }

  /** Called every now and then: stops letting through what is not wanted. */
  tidy(): void {
    const now = performance.now();
    if (!this.#untidy || now - this.#tidied < TIDY_INTERVAL) return;
    let waiting = false;
    for (const [key, remote] of this.#remotes) {
      if (remote.calls > 0) continue;
      if (now - remote.idleSince > REMOTE_LINGER) this.#remotes.delete(key);
      else waiting = true;
    }
    this.#install();
    this.#untidy = waiting;
    this.#tidied = now;
  }

  #add(protocol: number, port: number): void {
    this.#wanted[protocolPort(protocol, port)]!++;
    this.#ports.get(protocol)!.add(port);
  }

  #install(): void {
    const rules: CaptureRules = {
      tcpPorts: sorted(this.#ports.get(PROTOCOL_TCP)!),
      udpPorts: sorted(this.#ports.get(PROTOCOL_UDP)!),
      udpLitePorts: sorted(this.#ports.get(PROTOCOL_UDP_LITE)!),
      remotes: [...this.#remotes.values()],
      icmp: this.#icmp,
    };
    for (const socket of this.#sockets) this.#installAt(socket, rules);
    this.#installed.fill(0);
    for (const [protocol, ports] of this.#ports) {
      for (const port of ports) {
        this.#installed[protocolPort(protocol, port)] = 1;
      }
    }
    for (const remote of this.#remotes.values()) remote.installed = true;
    this.#lacking = false;
  }

  #installAt(socket: number, rules: CaptureRules): void {
    let result = ENOMEM;
    for (const size of SIZES) {
      const program = compileCaptureFilter(rules, {
        snaplen: this.#snaplen,
        maxInstructions: size,
      });
      result = attachFilter(socket, assembleClassic(program));
      if (result !== ENOMEM) break;
    }
    if (result !== 0) throw new SyscallError("SO_ATTACH_FILTER", result);
  }
}

function sorted(ports: ReadonlySet<number>): number[] {
  return [...ports].sort((a, b) => a - b);
}
