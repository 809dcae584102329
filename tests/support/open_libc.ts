/**
 * Opens the C library before any test begins: it stays open for good, which
 * older versions of the test runner call a leak of the test that was first.
 *
 * @module
 */
import { libc, libcAddresses } from "../../ffi/libc.ts";

libc();
libcAddresses();
