import type { Board } from "../../src/board.ts";
import { orZero, quantile, rate } from "../../src/expr.ts";
import { graph, number, table } from "../../src/panels.ts";

export const alerting: Board = {
  name: "alerting",
  title: "alerting",
  about: "From rule to receiver: what fires, what is held back, what was sent, and how long it took.",
  page: "/alerts",
  rows: [
    {
      title: "Now",
      panels: [
        number("Firing", orZero('sum(ALERTS{alertstate="firing", alertname!="Watchdog"})'), {
          unit: "short",
          warnAt: [1, 5],
        }),
        number("Watchdog", orZero('count(ALERTS{alertname="Watchdog", alertstate="firing"})'), {
          unit: "bool_yes_no",
          warnAt: [1, 0.5],
          plain: true,
          about: "Fires always. When it does not, alerts no longer get through.",
        }),
        number("Told within, p95", quantile(0.95, "tocsin_alert_response_seconds"), {
          unit: "s",
          about:
            "From the start of the newest firing alert to the acceptance of its notification; waiting by the route's own timers is part of it.",
        }),
        number("Failed notifications", orZero(rate("alertmanager_notifications_failed_total")), {
          unit: "cps",
          warnAt: [0.001, 0.1],
        }),
        number("Silences", 'sum(alertmanager_silences{state="active"})', { unit: "short", plain: true }),
        number("Configuration", "min(alertmanager_config_last_reload_successful)", {
          unit: "bool_yes_no",
          warnAt: [1, 0.5],
          plain: true,
          about: "Whether the newest alertmanager.yml was taken.",
        }),
      ],
    },
    {
      title: "Alerts",
      panels: [
        graph(
          "As the rules see them",
          [{ expr: "sum by (alertname, alertstate) (ALERTS)", legend: "{{alertname}} {{alertstate}}" }],
          { unit: "short", stacked: true, page: "/alerts" },
        ),
        graph("As the router has them", [{ expr: "sum by (state) (alertmanager_alerts)", legend: "{{state}}" }], {
          unit: "short",
          stacked: true,
          about: "Suppressed: silenced or inhibited.",
        }),
        table(
          "Active now",
          [
            { label: "alertname", title: "Alert", page: "/alerts?q=alertname=${__value.text}" },
            { label: "severity", title: "Severity" },
            { label: "service", title: "Service" },
            { label: "alertstate", title: "State" },
          ],
          [{ title: "Alerts", unit: "short", expr: "sum by (alertname, severity, service, alertstate) (ALERTS)" }],
        ),
      ],
    },
    {
      title: "Notifications",
      panels: [
        graph(
          "Sent",
          [
            {
              expr: `${rate("alertmanager_notifications_total", ["integration"])} > 0 or on () vector(0)`,
              legend: "{{integration}}",
            },
          ],
          { unit: "cps", width: 8, page: "/inbox" },
        ),
        graph(
          "Failed",
          [
            {
              expr: `${rate("alertmanager_notifications_failed_total", ["integration", "reason"])} > 0 or on () vector(0)`,
              legend: "{{integration}} {{reason}}",
            },
          ],
          { unit: "cps", width: 8 },
        ),
        graph(
          "Held back",
          [{ expr: rate("alertmanager_notifications_suppressed_total", ["reason"]), legend: "{{reason}}" }],
          { unit: "cps", width: 8, page: "/silences" },
        ),
        graph(
          "Receivers answer within, p95",
          [
            {
              expr: `max by (integration) (${quantile(0.95, "alertmanager_notification_latency_seconds", ["integration"])} > 0) or on () vector(0)`,
              legend: "{{integration}}",
            },
          ],
          { unit: "s" },
        ),
        graph(
          "From alert to notification",
          [
            { expr: quantile(0.5, "tocsin_alert_response_seconds"), legend: "p50" },
            { expr: quantile(0.95, "tocsin_alert_response_seconds"), legend: "p95" },
          ],
          { unit: "s" },
        ),
      ],
    },
    {
      title: "Rules",
      panels: [
        graph(
          "A group takes, of its interval",
          [
            {
              expr: "max by (rule_group) (prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds)",
              legend: "{{rule_group}}",
            },
          ],
          { unit: "percentunit", width: 8, limit: 0.8 },
        ),
        graph(
          "Evaluations that failed or were skipped",
          [
            { expr: orZero(rate("prometheus_rule_evaluation_failures_total")), legend: "failed" },
            { expr: orZero(rate("prometheus_rule_group_iterations_missed_total")), legend: "skipped" },
          ],
          { unit: "cps", width: 8 },
        ),
        graph(
          "From rules to router",
          [
            { expr: rate("prometheus_notifications_sent_total"), legend: "sent" },
            { expr: rate("prometheus_notifications_dropped_total"), legend: "dropped" },
            { expr: rate("prometheus_notifications_errors_total"), legend: "errors" },
          ],
          { unit: "cps", width: 8 },
        ),
        graph(
          "Records of why",
          [{ expr: rate("tocsin_decisions_dropped_total", ["reason"]), legend: "dropped: {{reason}}" }],
          { unit: "cps", about: "Decision records that could not be kept." },
        ),
        graph(
          "State on disk",
          [{ expr: orZero(rate("tocsin_router_state_write_failures_total")), legend: "failed writes" }],
          { unit: "cps", about: "Silences and the notification log." },
        ),
      ],
    },
  ],
};
