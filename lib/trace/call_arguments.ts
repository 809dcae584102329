/**
 * Reads the arguments of socket calls out of a stopped thread: which
 * descriptor, and which addresses it names.
 *
 * Layouts: struct msghdr (recvmsg(2)), struct mmsghdr (sendmmsg(2)), their
 * 32-bit forms, and socketcall(2).
 *
 * @module
 */
import { readProcessMemory } from "../../ffi/memory.ts";
import type { SyscallInfo } from "../../ffi/ptrace.ts";
import {
  AF_INET,
  AF_UNSPEC,
  emptyEndpoint,
  type Endpoint,
  readSockaddr,
  SOCKADDR_IN6_LENGTH,
} from "../../ffi/sockaddr.ts";
import { type CallKind, isCompatible } from "./watched_calls.ts";

/** struct msghdr: msg_name at 0, msg_namelen at 8; 56 bytes. */
const MSGHDR = { length: 56, name: 0, nameLength: 8 } as const;
/** The same on 32-bit machines: 28 bytes. */
const MSGHDR_32 = { length: 28, name: 0, nameLength: 4 } as const;
/** struct mmsghdr is a msghdr and an int, padded. */
const MMSGHDR_LENGTH = 64;
const MMSGHDR_32_LENGTH = 32;
/** UIO_MAXIOV: the most messages that the kernel takes from sendmmsg(2). */
const MOST_MESSAGES = 1024;

/** socketcall(2) numbers, linux/net.h. */
const SOCKETCALLS: Readonly<Record<number, CallKind>> = {
  2: "bind",
  3: "connect",
  4: "listen",
  5: "accept",
  11: "sendto",
  16: "sendmsg",
  18: "accept",
  20: "sendmmsg",
};

/** A watched call with what it names. */
export interface SocketCall {
  readonly kind: Exclude<CallKind, "socketcall">;
  readonly fd: number;
  /** Internet endpoints that the call names, without doubles. */
  readonly endpoints: readonly Endpoint[];
  /** The call names no family: connect(2) ends an association that way. */
  readonly unspecified: boolean;
}

const bytes = new Uint8Array(MOST_MESSAGES * MMSGHDR_LENGTH);
const view = new DataView(bytes.buffer);
const addressBytes = new Uint8Array(SOCKADDR_IN6_LENGTH);

/**
 * Reads the call that a thread is about to make.
 *
 * @returns undefined when it does not matter: no Internet address in it, or
 * arguments that cannot be read (the call will fail with EFAULT)
 */
export function readSocketCall(
  tid: number,
  info: SyscallInfo,
  kind: CallKind,
): SocketCall | undefined {
  const compatible = isCompatible(info.arch);
  if (kind !== "socketcall") {
    const values = [0, 1, 2, 3, 4, 5].map((index) => info.argument(index));
    return readCall(tid, kind, values, compatible);
  }
  const inner = SOCKETCALLS[info.intArgument(0)];
  if (inner === undefined) return undefined;
  if (readProcessMemory(tid, info.argument(1), bytes, 24) < 12) {
    return undefined;
  }
  const values = [0, 4, 8, 12, 16, 20].map((at) =>
    BigInt(view.getUint32(at, true))
  );
  return readCall(tid, inner, values, true);
}

function readCall(
  tid: number,
  kind: CallKind,
  values: readonly bigint[],
  compatible: boolean,
): SocketCall | undefined {
  const fd = Number(BigInt.asIntN(32, values[0]!));
  switch (kind) {
    case "connect":
    case "bind":
      return named(kind, tid, fd, [[values[1]!, Number(values[2]!)]]);
    case "sendto":
      return named(kind, tid, fd, [[values[4]!, Number(values[5]!)]]);
    case "sendmsg":
      return named(kind, tid, fd, messageNames(tid, values[1]!, 1, compatible));
    case "sendmmsg": {
      const wanted = Number(BigInt.asUintN(32, values[2]!));
      const count = Math.min(wanted, MOST_MESSAGES);
      const names = messageNames(tid, values[1]!, count, compatible);
      return named(kind, tid, fd, names);
    }
    case "listen":
    case "accept":
    case "io_uring_setup":
      return { kind, fd, endpoints: [], unspecified: false };
    default:
      return undefined;
  }
}

/** Address and length of the names in an array of messages. */
function messageNames(
  tid: number,
  address: bigint,
  count: number,
  compatible: boolean,
): [bigint, number][] {
  const header = compatible ? MSGHDR_32 : MSGHDR;
  const stride = compatible ? MMSGHDR_32_LENGTH : MMSGHDR_LENGTH;
  const length = (count - 1) * stride + header.length;
  const read = readProcessMemory(tid, address, bytes, length);
  const names: [bigint, number][] = [];
  for (let at = 0; at + header.length <= read; at += stride) {
    const name = compatible
      ? BigInt(view.getUint32(at + header.name, true))
      : view.getBigUint64(at + header.name, true);
    if (name === 0n) continue;
    names.push([name, view.getUint32(at + header.nameLength, true)]);
  }
  return names;
}

function named(
  kind: "connect" | "bind" | "sendto" | "sendmsg" | "sendmmsg",
  tid: number,
  fd: number,
  names: readonly [address: bigint, length: number][],
): SocketCall | undefined {
  const endpoints = new Map<string, Endpoint>();
  let unspecified = false;
  for (const [address, length] of names) {
    if (address === 0n) continue;
    const read = readProcessMemory(
      tid,
      address,
      addressBytes,
      Math.min(length, SOCKADDR_IN6_LENGTH),
    );
    const endpoint = emptyEndpoint();
    // Whoever sends may say AF_UNSPEC for AF_INET: udp_sendmsg().
    if (kind.startsWith("send") && read >= 16 && addressBytes[0] === 0) {
      addressBytes[0] = AF_INET;
    }
    if (readSockaddr(addressBytes, Math.max(0, read), endpoint)) {
      endpoints.set(`${endpoint.port} ${endpoint.address}`, endpoint);
    } else if (endpoint.family === AF_UNSPEC && read >= 2) {
      unspecified = true;
    }
  }
  if (endpoints.size === 0 && !unspecified) return undefined;
  return { kind, fd, endpoints: [...endpoints.values()], unspecified };
}
