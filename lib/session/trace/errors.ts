/**
 * What can go wrong with a trace, as classes to tell apart.
 *
 * @module
 */

/** Kinds of {@linkcode TraceError}. */
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

/** A URI that cannot be understood, or names what is not supported. */
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

/** A call that the present state of the trace does not permit. */
export class TraceStateError extends TraceError {
  /** Name of the class. */
  override readonly name = "TraceStateError";

  /** Makes the error; `message` is one sentence without a final period. */
  constructor(message: string) {
    super("state", message);
  }
}

/** No packet came within the time that was set. The trace goes on. */
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
