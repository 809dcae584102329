/**
 * Why a view cannot begin.
 *
 * @module
 */

/** Kinds of {@linkcode ViewError}. */
export type ViewErrorCode =
  /** A right is missing. */
  | "permission"
  /** The kernel cannot do it, or something is wrong with the environment. */
  | "unsupported"
  /** There is no such process or cgroup. */
  | "not-found";

/**
 * A view that cannot begin; the message is a sentence.
 *
 * @example Say what is wrong
 * ```ts
 * import { ViewError } from "./errors.ts";
 * import { watchConnections } from "./connections.ts";
 * import assert from "node:assert/strict";
 *
 * const scope = {
 *   kind: "processes",
 *   pids: [4194304],
 *   tree: false,
 * } as const;
 * assert.throws(
 *   () => watchConnections({ scope }),
 *   (error) => error instanceof ViewError && error.message !== "",
 * );
 * ```
 */
export class ViewError extends Error {
  /** Name of the class. */
  override readonly name = "ViewError";
  /** What kind of problem it is. */
  readonly code: ViewErrorCode;
  /** What may help. */
  readonly hint: string | undefined;
  /** More for those who want to know: the last lines of the verifier's log. */
  readonly detail: readonly string[];

  /** Makes the error. */
  constructor(
    code: ViewErrorCode,
    message: string,
    options: ErrorOptions & {
      readonly hint?: string;
      readonly detail?: readonly string[];
    } = {},
  ) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail ?? [];
  }
}
