import type { Board } from "../../src/board.ts";
import { orZero, quantile, rate } from "../../src/expr.ts";
import { graph, number } from "../../src/panels.ts";

const RECEIVED = "tocsin_collector_received_records_total";
const SETTLED = "tocsin_collector_settled_records_total";
const NOT_WRITTEN = 'tocsin_collector_settled_records_total{fate!="written"}';

export const pipeline: Board = {
  name: "pipeline",
  title: "pipeline",
  about: "The way of telemetry: received, queued, behind, written, and what was dropped on the way and why.",
  page: "/pipeline",
  rows: [
    {
      title: "Received",
      panels: [
        number("Received", rate(RECEIVED), { unit: "cps", width: 6 }),
        number("Not written", orZero(rate(NOT_WRITTEN)), {
          unit: "cps",
          width: 6,
          warnAt: [0.01, 1],
          about: "Records rejected as invalid or dropped for any reason.",
        }),
        number("Waiting in memory", "sum(tocsin_bus_in_flight_bytes)", { unit: "bytes", width: 6 }),
        number("OTLP answered within, p99", quantile(0.99, "tocsin_collector_otlp_http_request_seconds"), {
          unit: "s",
          width: 6,
          warnAt: [0.5, 2],
          about: "Until the bus has the batch: an answer of 200 means that it is safe.",
        }),
        graph("Received", [{ expr: rate(RECEIVED, ["signal", "receiver"]), legend: "{{signal}} {{receiver}}" }], {
          unit: "cps",
          width: 8,
          stacked: true,
        }),
        graph(
          "What became of them",
          [{ expr: rate(SETTLED, ["signal", "fate", "reason"]), legend: "{{signal}} {{fate}} {{reason}}" }],
          { unit: "cps", width: 8 },
        ),
        graph(
          "OTLP requests by answer",
          [{ expr: rate("tocsin_collector_otlp_http_request_seconds_count", ["code"]), legend: "{{code}}" }],
          { unit: "reqps", width: 8, stacked: true, about: "429 and 503 tell the sender to come again." },
        ),
        graph("Scrapes", [{ expr: rate("tocsin_collector_scrape_events_total", ["event"]), legend: "{{event}}" }], {
          unit: "cps",
          width: 8,
        }),
        graph(
          "Waiting in the services",
          [{ expr: "sum by (job, signal) (tocsin_sdk_queue_length)", legend: "{{job}} {{signal}}" }],
          { unit: "short", width: 8, about: "Queues of the SDK before they are sent." },
        ),
        graph(
          "Dropped in the services",
          [
            { expr: orZero(rate("tocsin_sdk_dropped_total", ["job", "signal"])), legend: "{{job}} {{signal}} dropped" },
            { expr: orZero(rate("tocsin_sdk_export_failures_total", ["job"])), legend: "{{job}} failed exports" },
          ],
          { unit: "cps", width: 8 },
        ),
      ],
    },
    {
      title: "Queued",
      panels: [
        graph("Taken by the bus", [{ expr: rate("tocsin_bus_records_total", ["topic"]), legend: "{{topic}}" }], {
          unit: "cps",
          width: 8,
        }),
        graph(
          "Refused by the bus",
          [{ expr: orZero(rate("tocsin_bus_refused_total", ["topic", "reason"])), legend: "{{topic}} {{reason}}" }],
          { unit: "cps", width: 8, about: "Sends that were not taken; the sender was told to try again." },
        ),
        graph(
          "Waiting",
          [
            { expr: "sum(tocsin_bus_in_flight_bytes)", legend: "in memory" },
            { expr: "sum(tocsin_bus_spool_bytes)", legend: "in the spool" },
          ],
          { unit: "bytes", width: 8, about: "The spool holds what was acknowledged while Kafka is away." },
        ),
      ],
    },
    {
      title: "Behind (with Kafka)",
      panels: [
        graph("Lag", [{ expr: "max by (topic, group) (tocsin_bus_lag_records)", legend: "{{topic}} {{group}}" }], {
          unit: "short",
          width: 8,
          about: "Messages that a writer has yet to write.",
        }),
        graph(
          "Consumed",
          [{ expr: rate("tocsin_bus_consumed_records_total", ["topic", "group"]), legend: "{{topic}} {{group}}" }],
          { unit: "cps", width: 8 },
        ),
        graph(
          "Kafka acknowledges within",
          [
            { expr: quantile(0.5, "tocsin_bus_send_seconds", ["topic"]), legend: "{{topic}} p50" },
            { expr: quantile(0.99, "tocsin_bus_send_seconds", ["topic"]), legend: "{{topic}} p99" },
          ],
          { unit: "s", width: 8 },
        ),
        graph(
          "Trouble",
          [
            { expr: orZero(rate("tocsin_bus_send_failures_total", ["topic"])), legend: "{{topic}} not acknowledged" },
            { expr: orZero(rate("tocsin_bus_rebalances_total", ["group"])), legend: "{{group}} rebalances" },
            { expr: orZero(rate("tocsin_bus_consumer_restarts_total", ["group"])), legend: "{{group}} reconnects" },
            { expr: orZero(rate("tocsin_bus_expired_records_total", ["group"])), legend: "{{group}} expired unread" },
          ],
          { unit: "cps", width: 24, height: 6 },
        ),
      ],
    },
    {
      title: "Written",
      panels: [
        graph(
          "Logs and spans",
          [{ expr: rate("tocsin_store_written_records_total", ["signal"]), legend: "{{signal}}" }],
          { unit: "cps", width: 8 },
        ),
        graph(
          "Samples",
          [
            { expr: rate("tocsin_metrics_samples_appended_total"), legend: "embedded" },
            { expr: rate("tocsin_prometheus_write_samples_total"), legend: "to Prometheus" },
          ],
          { unit: "cps", width: 8 },
        ),
        graph("Series", [{ expr: "sum(tocsin_metrics_active_series)", legend: "active" }], { unit: "short", width: 8 }),
        graph(
          "On disk",
          [
            { expr: "sum by (signal) (tocsin_store_bytes)", legend: "{{signal}}" },
            { expr: "sum(tocsin_metrics_block_bytes + tocsin_metrics_wal_bytes)", legend: "metrics" },
          ],
          { unit: "bytes", stacked: true, width: 8 },
        ),
        graph(
          "Engines not keeping up",
          [
            { expr: "sum(tocsin_prometheus_write_pending_samples)", legend: "samples waiting for Prometheus" },
            { expr: orZero(rate("tocsin_prometheus_write_retries_total")), legend: "writes to Prometheus repeated" },
            {
              expr: orZero(rate("tocsin_store_bulk_retries_total", ["reason"])),
              legend: "writes to Elasticsearch repeated {{reason}}",
            },
          ],
          { unit: "short", width: 8 },
        ),
        graph(
          "Queries take",
          [
            {
              expr: quantile(0.95, "tocsin_metrics_query_duration_seconds", ["lane", "type"]),
              legend: "{{lane}} {{type}} p95",
            },
          ],
          { unit: "s", width: 8, about: "Rules have a lane of their own." },
        ),
      ],
    },
    {
      title: "Dropped",
      panels: [
        graph(
          "Dead letters",
          [
            { expr: orZero(rate("tocsin_bus_dead_letters_total", ["topic", "group"])), legend: "{{topic}} {{group}}" },
            {
              expr: orZero(rate("tocsin_bus_handler_errors_total", ["topic", "group"])),
              legend: "{{topic}} {{group}} tried again",
            },
          ],
          { unit: "cps", width: 8, about: "What could not be decoded or stored; the page Pipeline lists each." },
        ),
        graph(
          "Records left out",
          [
            { expr: orZero(rate(NOT_WRITTEN, ["signal", "reason"])), legend: "{{signal}} {{reason}}" },
            {
              expr: orZero(rate("tocsin_store_left_out_records_total", ["signal", "reason"])),
              legend: "{{signal}} {{reason}}",
            },
          ],
          { unit: "cps", width: 8, about: "`repeated` is a replay recognised as such: nothing is lost." },
        ),
        graph(
          "Samples refused",
          [
            {
              expr: `${rate("tocsin_metrics_samples_refused_total", ["reason"])} > 0 or on () vector(0)`,
              legend: "{{reason}}",
            },
            {
              expr: orZero(rate("tocsin_prometheus_write_dropped_samples_total", ["reason"])),
              legend: "Prometheus: {{reason}}",
            },
            { expr: orZero(rate("tocsin_metrics_otlp_dropped_total", ["reason"])), legend: "{{reason}}" },
          ],
          { unit: "cps", width: 8 },
        ),
      ],
    },
  ],
};
