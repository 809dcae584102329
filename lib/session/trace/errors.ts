/**
 * What can go wrong with a trace, as classes to tell apart.
 *
 * @module
 */

/** Kinds of {@linkcode TraceError}. See {@linkcode TraceStateError}. */
export type TraceErrorCode =
  | "uri" // not understood, or not supported
  | "not-found" // no such file
  | "permission" // the file may not be opened
  | "setting" // the kind of trace has no such setting
  | "state" // not now
  | "timeout" // no packet came in time
  | "io"; // reading or writing failed

/**
 * A trace cannot do what it was told.
 *
 * Three more classes stand beside it, because other parts use them, too:
 * `FilterSyntaxError` for filters, `CaptureFormatError` for damaged files, and
 * `CaptureError` for captures that cannot begin.
 *
 * @example Tell a wrong URI from other mistakes
 * ```ts
 * import { TraceError, TraceUriError } from "./errors.ts";
 * import assert from "node:assert/strict";
 *
 * const error = new TraceUriError("dag:0", 'format "dag" is not supported');
 * assert(error instanceof TraceError);
 * assert.equal(error.code, "uri");
 * assert.equal(
 *   error.message,
 *   'Cannot open trace "dag:0": format "dag" is not supported',
 * );
 * ```
 */
export class TraceError extends Error {
  /** Name of the class. */
  override readonly name: string = "TraceError";
  /** Machine-readable kind. */
  readonly code: TraceErrorCode;

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(
    code: TraceErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.code = code;
  }
}

/**
 * A URI that cannot be understood, or names what is not supported.
 *
 * @example Name what is not supported
 * ```ts
 * import { TraceUriError } from "./errors.ts";
 * import { openTrace } from "./open_trace.ts";
 * import assert from "node:assert/strict";
 *
 * assert.throws(
 *   () => openTrace("dag:0"),
 *   (error) => error instanceof TraceUriError && error.uri === "dag:0",
 * );
 * ```
 */
export class TraceUriError extends TraceError {
  /** Name of the class. */
  override readonly name = "TraceUriError";
  /** The URI as it was given. */
  readonly uri: string;

  /** Makes the error; `reason` is a phrase without a final period. */
  constructor(uri: string, reason: string) {
    super("uri", `Cannot open trace ${JSON.stringify(uri)}: ${reason}`);
    this.uri = uri;
  }
}

/**
 * A call that the present state of the trace does not permit.
 *
 * @example Read what was not started
 * ```ts
 * import { TraceStateError } from "./errors.ts";
 * import { openTrace } from "./open_trace.ts";
 * import assert from "node:assert/strict";
 *
 * await using trace = openTrace("tests/golden/data/filter_linktype_1.pcap");
 * await assert.rejects(trace.read(), TraceStateError);
 * ```
 */
export class TraceStateError extends TraceError {
  /** Name of the class. */
  override readonly name = "TraceStateError";

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(message: string) {
    super("state", message);
  }
}

/**
 * No packet came within the time that was set. The trace goes on.
 *
 * @example Go on after some time without packets
 * ```ts ignore
 * import { TraceTimeoutError } from "./errors.ts";
 * import { openTrace } from "./open_trace.ts";
 *
 * await using trace = openTrace("int:lo", { timeout: 1000 });
 * await trace.start();
 * try {
 *   console.log(await trace.read());
 * } catch (error) {
 *   if (!(error instanceof TraceTimeoutError)) throw error;
 *   console.log(`nothing for ${error.timeout} ms`);
 * }
 * ```
 */
export class TraceTimeoutError extends TraceError {
  /** Name of the class. */
  override readonly name = "TraceTimeoutError";
  /** How long was waited, in milliseconds. */
  readonly timeout: number;

  /** Makes the error; `uri` names the trace. */
  constructor(uri: string, timeout: number) {
    super(
      "timeout",
      `Cannot read from ${uri}: no packet came within ${timeout} ms`,
    );
    this.timeout = timeout;
  }
}
