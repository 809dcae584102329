/**
 * Names of addresses, from the answers of DNS servers that this machine gets:
 * datagrams from port 53 in the network namespace of this process. What is
 * asked by way of TCP, TLS or HTTPS is not seen.
 *
 * @module
 */
import { assembleClassic } from "../../bpf/classic/instruction.ts";
import { compileFilter, FilterLinkType } from "../../bpf/filter/compile.ts";
import { SyscallError } from "../../ffi/errno.ts";
import type { Fd } from "../../ffi/fd.ts";
import {
  bindPacketSocket,
  openPacketSocket,
  receivePacket,
} from "../../ffi/packet.ts";
import { attachFilter } from "../../ffi/socket.ts";
import { LinkType } from "../bytes/link_type.ts";
import { DnsNames } from "../packet/dns_names.ts";
import { decodePacket } from "../packet/packet.ts";
import { setcapHint } from "../proc/rights.ts";
import { ViewError } from "./errors.ts";

const ANSWERS = "udp src port 53";
/** Longest datagram. */
const BUFFER_LENGTH = 1 << 16;

/** Listens to answers and remembers names. */
export class DnsAnswers implements Disposable {
  readonly #socket: Fd;
  readonly #buffer = new Uint8Array(BUFFER_LENGTH);
  readonly #names = new DnsNames();

  /**
   * Begins to listen.
   *
   * @throws {ViewError} when packets may not be looked at
   */
  constructor() {
    try {
      this.#socket = openSocket();
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      throw new ViewError(
        "permission",
        error.code === "EPERM"
          ? "Cannot look at answers of DNS: the right CAP_NET_RAW is missing"
          : `Cannot look at answers of DNS: ${error.message}`,
        { hint: setcapHint(), cause: error },
      );
    }
  }

  /** Takes in the answers that have come. */
  learn(): void {
    for (;;) {
      const length = receivePacket(this.#socket, this.#buffer);
      if (length === undefined) return;
      const packet = this.#buffer.subarray(0, length);
      const { payloadOffset, payloadEnd } = decodePacket(packet, LinkType.RAW, {
        depth: "transport",
      });
      this.#names.learn(packet.subarray(payloadOffset, payloadEnd));
    }
  }

  /** The name that was asked for when this address was the answer. */
  nameOf(address: string): string | undefined {
    return this.#names.nameOf(address);
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** A packet socket that gets answers only, from the first packet on. */
function openSocket(): Fd {
  const socket = openPacketSocket();
  try {
    const { program } = compileFilter(ANSWERS, {
      linkType: FilterLinkType.LINUX_SLL,
      placement: "socket",
    });
    const errno = attachFilter(socket.number, assembleClassic(program));
    if (errno !== 0) throw new SyscallError("SO_ATTACH_FILTER", errno);
    bindPacketSocket(socket, 0);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
