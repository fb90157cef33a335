import type { Board } from "../../src/board.ts";
import { orZero, quantile, rate, ratio } from "../../src/expr.ts";
import { graph, number, table } from "../../src/panels.ts";

const REQUESTS = "http_server_request_duration_seconds_count";
const FAILED = 'http_server_request_duration_seconds_count{status_code=~"5.."}';
const DURATION = "http_server_request_duration_seconds";

export const overview: Board = {
  name: "overview",
  title: "overview",
  about: "How the services are, whether telemetry gets through, and whether anybody is told.",
  page: "/",
  rows: [
    {
      title: "Now",
      panels: [
        number("Targets up", "sum(up) / count(up)", {
          unit: "percentunit",
          warnAt: [1, 0.99],
          about: "Scrape targets that answer.",
        }),
        number("Alerts firing", orZero('sum(ALERTS{alertstate="firing", alertname!="Watchdog"})'), {
          unit: "short",
          warnAt: [1, 5],
          about: "As the rules see it, before silences and inhibition. The Watchdog always fires and is not counted.",
        }),
        number("Requests", rate(REQUESTS), { unit: "reqps" }),
        number("Failing requests", ratio(rate(FAILED), rate(REQUESTS)), { unit: "percentunit", warnAt: [0.01, 0.05] }),
        number("Slowest service, p95", `max(${quantile(0.95, DURATION, ["job"])})`, { unit: "s", warnAt: [0.5, 1] }),
        number("Telemetry", rate("tocsin_collector_received_records_total"), {
          unit: "cps",
          about: "Log records, spans and samples received per second.",
        }),
      ],
    },
    {
      title: "Services",
      panels: [
        graph("Requests", [{ expr: rate(REQUESTS, ["job"]), legend: "{{job}}" }], {
          unit: "reqps",
          width: 8,
          page: "/services",
        }),
        graph("Failing", [{ expr: ratio(rate(FAILED, ["job"]), rate(REQUESTS, ["job"])), legend: "{{job}}" }], {
          unit: "percentunit",
          width: 8,
          limit: 0.05,
          page: "/logs?q=severity:error",
        }),
        graph("Duration, p95", [{ expr: quantile(0.95, DURATION, ["job"]), legend: "{{job}}" }], {
          unit: "s",
          width: 8,
          exemplars: true,
          page: "/traces",
        }),
        table(
          "By service",
          [{ label: "job", title: "Service", page: "/services/${__value.text}" }],
          [
            { title: "Requests", unit: "reqps", expr: rate(REQUESTS, ["job"]) },
            { title: "Failing", unit: "percentunit", expr: ratio(rate(FAILED, ["job"]), rate(REQUESTS, ["job"])) },
            { title: "p50", unit: "s", expr: quantile(0.5, DURATION, ["job"]) },
            { title: "p95", unit: "s", expr: quantile(0.95, DURATION, ["job"]) },
            { title: "Memory", unit: "bytes", expr: "sum by (job) (process_resident_memory_bytes)" },
            { title: "CPU cores", unit: "short", expr: rate("process_cpu_seconds_total", ["job"]) },
          ],
        ),
      ],
    },
    {
      title: "Business",
      panels: [
        graph("Orders", [{ expr: rate("orders_total", ["outcome"]), legend: "{{outcome}}" }], {
          unit: "cps",
          stacked: true,
          width: 8,
        }),
        graph("Logins", [{ expr: rate("logins_total", ["outcome"]), legend: "{{outcome}}" }], {
          unit: "cps",
          stacked: true,
          width: 8,
        }),
        graph(
          "Calls from the gateway",
          [
            {
              expr: rate("gateway_upstream_requests_total", ["upstream", "outcome"]),
              legend: "{{upstream}} {{outcome}}",
            },
          ],
          { unit: "reqps", stacked: true, width: 8, page: "/map" },
        ),
      ],
    },
    {
      title: "Tocsin",
      panels: [
        graph(
          "Received",
          [{ expr: rate("tocsin_collector_received_records_total", ["signal"]), legend: "{{signal}}" }],
          { unit: "cps", width: 8, page: "/pipeline" },
        ),
        graph(
          "Refused, rejected, dropped",
          [
            { expr: orZero(rate("tocsin_bus_refused_total")), legend: "refused batches" },
            {
              expr: orZero(rate('tocsin_collector_settled_records_total{fate!="written"}')),
              legend: "records not written",
            },
            { expr: orZero(rate("tocsin_bus_dead_letters_total")), legend: "dead letters" },
          ],
          { unit: "cps", width: 8, page: "/pipeline" },
        ),
        graph(
          "Notifications",
          [
            {
              expr: `${rate("alertmanager_notifications_total", ["integration"])} > 0 or on () vector(0)`,
              legend: "{{integration}}",
            },
            { expr: orZero(rate("alertmanager_notifications_failed_total")), legend: "failed" },
          ],
          { unit: "cps", width: 8, page: "/alerts" },
        ),
      ],
    },
  ],
};
