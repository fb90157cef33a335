import type { UnixMs } from "@tocsin/model";
import type { NotificationData } from "../template-data.ts";

/** The body of a webhook, version 4: field for field what Alertmanager sends, in its order. */
export function webhookPayload(data: NotificationData, groupKey: string, truncatedAlerts: number) {
  return {
    receiver: data.receiver,
    status: data.status,
    alerts: data.alerts.map((alert) => ({
      status: alert.status,
      labels: inOrder(alert.labels),
      annotations: inOrder(alert.annotations),
      startsAt: goTimestamp(alert.startsAt),
      endsAt: alert.endsAt === undefined ? "0001-01-01T00:00:00Z" : goTimestamp(alert.endsAt),
      generatorURL: alert.generatorURL,
      fingerprint: alert.fingerprint,
    })),
    notification_reason: data.reason,
    groupLabels: inOrder(data.groupLabels),
    commonLabels: inOrder(data.commonLabels),
    commonAnnotations: inOrder(data.commonAnnotations),
    routeLabels: inOrder(data.routeLabels),
    externalURL: data.externalUrl,
    version: "4",
    groupKey,
    truncatedAlerts,
  };
}

function inOrder(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** RFC 3339 with as many decimals as it takes, as Go writes times into JSON. */
function goTimestamp(at: UnixMs): string {
  return new Date(at).toISOString().replace(/\.?0+Z$/, "Z");
}
