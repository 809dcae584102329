/**
 * Calls whose outcome is not known yet: until then their packets pass the
 * kernel's filter, and the sniffer waits with each of them.
 *
 * @module
 */
import type { SocketState } from "../../ffi/socket.ts";
import type { KernelRules } from "./kernel_rules.ts";
import type { RemoteEnd } from "./slots.ts";
import { netnsNumber, SlotKind } from "./table.ts";
import {
  ANY_ADDRESS,
  type Moment,
  type SocketTableWriter,
} from "./table_writer.ts";

const TCP = 6;
/** The other end where none is named. */
const NOBODY: RemoteEnd = { address: ANY_ADDRESS, port: 0 };

/** What is needed of the socket. */
type PendingSocket = Pick<SocketState, "protocol" | "netns">;

/** A call under way whose outcome decides which packets are the program's. */
export interface CallUnderWay {
  readonly protocol: number;
  readonly owner: number;
  readonly from: Moment;
  /** What a call that opens a TCP connection connects to. */
  readonly connects: RemoteEnd | undefined;
  readonly remotes: readonly RemoteEnd[];
  readonly slots: readonly number[];
  readonly openPort: number;
  settled: boolean;
}

/** What calls under way have in the socket table and in the kernel's filter. */
export class PendingCalls {
  readonly #table: SocketTableWriter;
  readonly #rules: KernelRules;

  /** Begins with none. */
  constructor(table: SocketTableWriter, rules: KernelRules) {
    this.#table = table;
    this.#rules = rules;
  }

  /** A call is about to open a connection or to send to ends. */
  beginSending(
    socket: PendingSocket,
    remotes: readonly RemoteEnd[],
    owner: number,
    now: Moment,
  ): CallUnderWay {
    const { protocol } = socket;
    // The local port is never taken for granted: after a failed or dissolved
    // connection getsockname(2) still tells the one that was given up.
    const slots = remotes.map((remote) => {
      this.#rules.openRemote(protocol, remote.address, remote.port);
      const kind = SlotKind.PENDING_REMOTE;
      return this.#add(kind, socket, 0, remote, owner, now);
    });
    this.#rules.apply();
    return {
      protocol,
      owner,
      from: { ...now },
      connects: protocol === TCP ? remotes[0] : undefined,
      remotes,
      slots,
      openPort: 0,
      settled: false,
    };
  }

  /** A call is about to bind, or to listen on, a local port. */
  beginLocal(
    socket: PendingSocket,
    port: number,
    owner: number,
    now: Moment,
  ): CallUnderWay {
    const { protocol } = socket;
    const slots: number[] = [];
    if (port !== 0) {
      this.#rules.openPort(protocol, port);
      const kind = SlotKind.PENDING_LOCAL;
      slots.push(this.#add(kind, socket, port, NOBODY, owner, now));
      this.#rules.apply();
    }
    return {
      protocol,
      owner,
      from: { ...now },
      connects: undefined,
      remotes: [],
      slots,
      openPort: port,
      settled: false,
    };
  }

  /** Adds a slot whose packets have to wait. */
  #add(
    kind: SlotKind,
    { protocol, netns }: PendingSocket,
    localPort: number,
    remote: RemoteEnd,
    owner: number,
    from: Moment,
  ): number {
    return this.#table.add({
      kind,
      protocol,
      localPort,
      localAddress: ANY_ADDRESS,
      remotePort: remote.port,
      remoteAddress: remote.address,
      flags: 0,
      from,
      owner,
      netns: netnsNumber(netns),
    });
  }

  /** The outcome of a call is in the table: nobody needs to wait any more. */
  end(call: CallUnderWay): void {
    const { protocol, openPort } = call;
    for (const slot of call.slots) this.#table.remove(slot);
    if (openPort !== 0) {
      this.#rules.closePort(protocol, openPort);
      return;
    }
    for (const { address, port } of call.remotes) {
      this.#rules.closeRemote(protocol, address, port);
    }
  }
}
