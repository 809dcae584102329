/**
 * System-wide views: what all processes of the machine do on the network.
 *
 * @module
 */
export {
  type ConnectionWatchOptions,
  watchConnections,
} from "./connections.ts";
export { ViewError, type ViewErrorCode } from "./errors.ts";
export type {
  CloseKind,
  ConnectionRow,
  OwnerKind,
  SessionRow,
  ViewRow,
} from "./rows.ts";
export { type SessionWatchOptions, watchSessions } from "./sessions.ts";
export type {
  RowFilter,
  ViewLosses,
  Watch,
  WatchFeature,
  WatchOptions,
  WatchScope,
} from "./watch.ts";
