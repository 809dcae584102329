/**
 * Entry point of the thread that reads an interface. Once running, it is told
 * to end through shared memory.
 *
 * @module
 */
import { type InterfaceSetup, InterfaceSniffer } from "./interface_sniffer.ts";

declare const self: DedicatedWorkerGlobalScope;

/** From the thread. */
export type InterfaceMessage =
  /** The ring is mapped. */
  | { readonly type: "ready" }
  | {
    readonly type: "packets";
    readonly bytes: ArrayBuffer;
    /** Names of interfaces that appear for the first time. */
    readonly interfaces: readonly string[];
  }
  /** Nothing more comes; `error` says why, unless it was told to end. */
  | { readonly type: "done"; readonly error: string | undefined };

function post(message: InterfaceMessage, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}

self.onmessage = ({ data }: MessageEvent<InterfaceSetup>) => {
  let error: string | undefined;
  try {
    using sniffer = new InterfaceSniffer(
      data,
      (bytes, interfaces) =>
        post({ type: "packets", bytes, interfaces }, [bytes]),
    );
    post({ type: "ready" });
    error = sniffer.run();
  } catch (cause) {
    error = cause instanceof Error ? cause.message : String(cause);
  }
  post({ type: "done", error });
};
