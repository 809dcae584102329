/**
 * System-wide views: what all processes of the machine do on the network.
 *
 * @module
 */
export { watchAccepts } from "./accepts.ts";
export {
  type ConnectionWatchOptions,
  watchConnections,
} from "./connections.ts";
export { ViewError, type ViewErrorCode } from "./errors.ts";
export {
  type RetransmitWatchOptions,
  watchRetransmits,
} from "./retransmits.ts";
export type {
  AcceptRow,
  CloseKind,
  ConnectionRow,
  OwnerKind,
  RetransmitRow,
  SessionRow,
  StateRow,
  TrafficRow,
  TrafficSample,
  ViewRow,
} from "./rows.ts";
export { type SessionWatchOptions, watchSessions } from "./sessions.ts";
export { watchStates } from "./states.ts";
export { type TrafficWatchOptions, watchTraffic } from "./traffic.ts";
export type {
  RowFilter,
  ViewLosses,
  Watch,
  WatchFeature,
  WatchOptions,
  WatchScope,
} from "./watch.ts";
