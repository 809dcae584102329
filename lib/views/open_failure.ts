/**
 * Why the programs of a view cannot be loaded, in sentences.
 *
 * @module
 */
import { ProgramLoadError } from "../../ffi/bpf_program.ts";
import {
  missingFor,
  readRights,
  type Rights,
  rightsText,
  setcapHint,
} from "../proc/rights.ts";
import { ViewError } from "./errors.ts";

/** Lines of the verifier's log that are kept. */
const LOG_LINES = 20;

/**
 * Turns what loading threw into what users are told.
 *
 * @param hooks Whether hooks of cgroups were wanted, too.
 */
export function openFailure(
  error: Error,
  hooks: boolean,
  rights: Rights = readRights(),
): ViewError {
  if (error instanceof ViewError) return error;
  const detail = error instanceof ProgramLoadError && error.log !== ""
    ? [
      `the verifier on program "${error.program}":`,
      ...error.log.split("\n").slice(-LOG_LINES),
    ]
    : [];
  if (rights.inUserNamespace) {
    return new ViewError(
      "permission",
      "Cannot watch the machine: eBPF is not permitted in a user namespace",
      { cause: error },
    );
  }
  const missing = missingFor(rights, hooks ? "cg" : "tp");
  if (missing.length > 0) {
    return new ViewError(
      "permission",
      `Cannot watch the machine: ${rightsText(missing)} ${
        missing.length === 1 ? "is" : "are"
      } missing`,
      { hint: setcapHint(), cause: error, detail },
    );
  }
  const reason = error instanceof Deno.errors.NotFound
    ? "the kernel has no type information (BTF) in /sys/kernel/btf/vmlinux"
    : error.message;
  return new ViewError("unsupported", `Cannot watch the machine: ${reason}`, {
    cause: error,
    detail,
  });
}
