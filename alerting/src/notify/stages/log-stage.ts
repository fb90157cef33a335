import { errorMessage, type Logger } from "@tocsin/platform";
import type { NotificationLog } from "../../notification-log.ts";
import { fingerprints, withStatus, type Flush, type FlushedAlert } from "../notification.ts";

export interface LogStageDeps {
  readonly log: NotificationLog;
  readonly retentionMs: number;
  readonly logger: Logger;
  readonly onFailure: () => void;
}

/**
 * Writes down what the destination now knows, right after it accepted, so that a crash later does not repeat it. A
 * write that fails does not undo the notification: it is remembered until the next restart.
 */
export async function logNotification(
  { log, retentionMs, logger, onFailure }: LogStageDeps,
  key: string,
  flush: Flush,
  alerts: readonly FlushedAlert[],
  at: number,
  receiverData: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  try {
    await log.record({
      key,
      at,
      firing: fingerprints(withStatus(alerts, "firing")),
      resolved: fingerprints(withStatus(alerts, "resolved")),
      expiresAt: at + Math.min(retentionMs, 2 * flush.route.options.repeatIntervalMs),
      ...(receiverData && { receiverData }),
    });
  } catch (error) {
    onFailure();
    logger.error({ err: error, key, reason: errorMessage(error) }, "notification log entry not written");
  }
}
