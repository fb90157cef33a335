import { createHash } from "node:crypto";
import type { Labels, UnixMs } from "@tocsin/model";
import { isResolved, type Alert } from "../alert-store.ts";
import type { NotifyReason } from "../notification-log.ts";
import type { Route } from "../route.ts";

/**
 * An alert as a flush saw it. While it fires it has no end anywhere downstream, so that it cannot turn resolved on the
 * way to its receiver.
 */
export interface FlushedAlert extends Omit<Alert, "endsAt"> {
  readonly status: "firing" | "resolved";
  readonly endsAt: UnixMs | undefined;
}

export function flushedAlert(alert: Alert, at: UnixMs): FlushedAlert {
  return isResolved(alert, at) ? { ...alert, status: "resolved" } : { ...alert, status: "firing", endsAt: undefined };
}

/** One tick of one group on its way through the pipeline. */
export interface Flush {
  /** The tick's time: mutes, dedup and templates all go by it. */
  readonly at: UnixMs;
  readonly route: Route;
  readonly groupKey: string;
  readonly groupLabels: Labels;
  /** Labels of the route, rendered. */
  readonly routeLabels: Labels;
  readonly alerts: readonly FlushedAlert[];
  /** Aborted at the flush's deadline and when the router stops. */
  readonly signal: AbortSignal;
}

/** What a notifier is asked to tell. */
export interface Notification {
  readonly at: UnixMs;
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly routeLabels: Labels;
  readonly reason: NotifyReason;
  /** The whole unmuted group; without the resolved ones when the integration does not send them. */
  readonly alerts: readonly FlushedAlert[];
  /** What the receiver gave back for the previous notification of this group. */
  readonly receiverData: Readonly<Record<string, string>> | undefined;
}

export const fingerprints = (alerts: readonly FlushedAlert[]): string[] => alerts.map(({ fingerprint }) => fingerprint);

export const withStatus = (alerts: readonly FlushedAlert[], status: FlushedAlert["status"]): FlushedAlert[] =>
  alerts.filter((alert) => alert.status === status);

/** SHA-256 of a group's key in hex: what services that deduplicate know the group by. */
export const groupKeyHash = (groupKey: string): string => createHash("sha256").update(groupKey).digest("hex");
