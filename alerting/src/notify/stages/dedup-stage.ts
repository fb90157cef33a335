import { decideNotification, type DedupDecision, type LogEntry, type NotificationLog } from "../../notification-log.ts";
import { fingerprints, withStatus, type Flush, type FlushedAlert } from "../notification.ts";

export interface Dedup {
  readonly decision: DedupDecision;
  readonly entry: LogEntry | undefined;
}

/** Asks the notification log whether the destination has to hear of the group. */
export function dedup(
  log: NotificationLog,
  key: string,
  flush: Flush,
  alerts: readonly FlushedAlert[],
  sendResolved: boolean,
): Dedup {
  const entry = log.get(key);
  const decision = decideNotification({
    entry,
    firing: fingerprints(withStatus(alerts, "firing")),
    resolved: fingerprints(withStatus(alerts, "resolved")),
    sendResolved,
    repeatIntervalMs: flush.route.options.repeatIntervalMs,
    at: flush.at,
  });
  return { decision, entry };
}
