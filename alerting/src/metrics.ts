import { Counter, Gauge, Histogram, Summary, type Registry } from "@tocsin/platform";
import { integrations } from "./notify/integrations.ts";
import type { FailureReason } from "./notify/integration.ts";

const REASONS: readonly FailureReason[] = [
  "other",
  "clientError",
  "serverError",
  "contextCanceled",
  "contextDeadlineExceeded",
  "authError",
  "rateLimited",
];

/** What gauges show at the moment they are asked. */
export interface MetricSources {
  alertsByState(): Readonly<Record<"active" | "suppressed" | "unprocessed", number>>;
  silencesByState(): Readonly<Record<"active" | "pending" | "expired", number>>;
  groups(): number;
  version: string;
}

export type RouterMetrics = ReturnType<typeof createRouterMetrics>;

/** The router's own metrics, under Alertmanager's names so that its mixin and dashboards work. */
export function createRouterMetrics(registry: Registry, sources: MetricSources) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers });

  const metrics = {
    received: counter("alertmanager_alerts_received_total", "Received alerts.", ["status", "version"]),
    invalid: counter("alertmanager_alerts_invalid_total", "Received alerts that were invalid.", ["version"]),
    limited: counter("alertmanager_alerts_limited_total", "Alerts dropped because their alertname was at its limit."),
    notifications: counter("alertmanager_notifications_total", "Notifications attempted.", ["integration"]),
    notificationsFailed: counter("alertmanager_notifications_failed_total", "Notifications given up.", [
      "integration",
      "reason",
    ]),
    requests: counter("alertmanager_notification_requests_total", "Attempts made.", ["integration"]),
    requestsFailed: counter("alertmanager_notification_requests_failed_total", "Attempts that failed.", [
      "integration",
    ]),
    latency: new Histogram({
      name: "alertmanager_notification_latency_seconds",
      help: "Duration of one attempt.",
      labelNames: ["integration"],
      buckets: [1, 5, 10, 15, 20],
      registers,
    }),
    suppressed: counter("alertmanager_notifications_suppressed_total", "Alerts kept out of notifications.", ["reason"]),
    limitReached: counter(
      "alertmanager_dispatcher_aggregation_group_limit_reached_total",
      "Alerts that found no place for their group.",
    ),
    configSuccessful: gauge("alertmanager_config_last_reload_successful", "Whether the last (re)load succeeded."),
    configSuccessTime: gauge(
      "alertmanager_config_last_reload_success_timestamp_seconds",
      "When the configuration was last loaded.",
    ),
    configHash: gauge("alertmanager_config_hash", "Hash of the loaded configuration."),
    receivers: gauge("alertmanager_receivers", "Configured receivers."),
    integrations: gauge("alertmanager_integrations", "Configured integrations."),
    inhibitionRules: gauge("alertmanager_inhibition_rules", "Configured inhibition rules."),
    concurrencyLimit: counter(
      "alertmanager_http_concurrency_limit_exceeded_total",
      "Requests refused because too many were under way.",
      ["method"],
    ),
    requestDuration: new Histogram({
      name: "alertmanager_http_request_duration_seconds",
      help: "Duration of HTTP requests.",
      labelNames: ["handler", "method", "code"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    responseSize: new Histogram({
      name: "alertmanager_http_response_size_bytes",
      help: "Size of HTTP responses.",
      labelNames: ["handler", "method"],
      buckets: [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000],
      registers,
    }),
    requestsInFlight: gauge("alertmanager_http_requests_in_flight", "HTTP requests being answered.", ["method"]),
    processing: new Summary({
      name: "alertmanager_dispatcher_alert_processing_duration_seconds",
      help: "Time to put an alert into its groups.",
      percentiles: [],
      registers,
    }),
    silencesMaintenance: counter("alertmanager_silences_maintenance_total", "Rounds of maintenance of the silences."),
    silencesMaintenanceErrors: counter("alertmanager_silences_maintenance_errors_total", "Those that failed."),
    nflogMaintenance: counter("alertmanager_nflog_maintenance_total", "Rounds of maintenance of the notification log."),
    nflogMaintenanceErrors: counter("alertmanager_nflog_maintenance_errors_total", "Those that failed."),
    stateFailures: counter("tocsin_router_state_write_failures_total", "Writes of router state that failed.", [
      "state",
    ]),
    response: new Histogram({
      name: "tocsin_alert_response_seconds",
      help: "From the start of the newest firing alert to the acceptance of the notification that reports it.",
      labelNames: ["integration"],
      buckets: [0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 120, 300, 600],
      registers,
    }),
  };

  const live = (name: string, help: string, label: string, read: () => Readonly<Record<string, number>>) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count);
      },
    });
  live("alertmanager_alerts", "Alerts by state.", "state", () => sources.alertsByState());
  live("alertmanager_silences", "Silences by state.", "state", () => sources.silencesByState());
  new Gauge({
    name: "alertmanager_dispatcher_aggregation_groups",
    help: "Groups of alerts.",
    registers,
    collect() {
      this.set(sources.groups());
    },
  });
  gauge("alertmanager_cluster_enabled", "Whether replicas know of each other.").set(0);
  gauge("alertmanager_build_info", "Version; the value is 1.", ["version", "revision", "branch", "goversion"]).set(
    { version: sources.version, revision: "", branch: "", goversion: "" },
    1,
  );

  for (const status of ["firing", "resolved"]) metrics.received.inc({ status, version: "v2" }, 0);
  metrics.invalid.inc({ version: "v2" }, 0);
  metrics.concurrencyLimit.inc({ method: "get" }, 0);
  for (const { name: integration } of integrations) {
    metrics.notifications.inc({ integration }, 0);
    metrics.requests.inc({ integration }, 0);
    metrics.requestsFailed.inc({ integration }, 0);
    metrics.latency.zero({ integration });
    for (const reason of REASONS) metrics.notificationsFailed.inc({ integration, reason }, 0);
  }
  for (const reason of ["silence", "inhibition", "mute_time_interval", "active_time_interval"])
    metrics.suppressed.inc({ reason }, 0);
  return metrics;
}
