import { type Board, labelVariable } from "../../src/board.ts";
import { buckets, quantile, rate, ratio } from "../../src/expr.ts";
import { graph, heatmap, number, table } from "../../src/panels.ts";

const SELECTED = 'job="$service", route=~"$route"';
const DURATION = `http_server_request_duration_seconds{${SELECTED}}`;
const REQUESTS = `http_server_request_duration_seconds_count{${SELECTED}}`;
const FAILED = `http_server_request_duration_seconds_count{${SELECTED}, status_code=~"5.."}`;
/** `span_metrics.interval` of the store. */
const WRITTEN_EVERY = "15s";
const BY_ROUTE = ["method", "route"];

export const service: Board = {
  name: "service",
  title: "service",
  about: "Rate, errors and duration of one service, by route; whom it calls and who calls it.",
  page: "/services/${service}",
  variables: [
    labelVariable("service", "Service", { metric: "http_server_request_duration_seconds_count", label: "job" }),
    labelVariable(
      "route",
      "Route",
      { metric: 'http_server_request_duration_seconds_count{job="$service"}', label: "route" },
      { all: true },
    ),
  ],
  rows: [
    {
      title: "$service now",
      panels: [
        number("Requests", rate(REQUESTS), { unit: "reqps" }),
        number("Failing", ratio(rate(FAILED), rate(REQUESTS)), { unit: "percentunit", warnAt: [0.01, 0.05] }),
        number("p50", quantile(0.5, DURATION), { unit: "s" }),
        number("p95", quantile(0.95, DURATION), { unit: "s", warnAt: [0.5, 1] }),
        number("p99", quantile(0.99, DURATION), { unit: "s" }),
        number("Instances up", 'sum(up{job="$service"})', { unit: "short", warnAt: [1, 0.5], plain: true }),
      ],
    },
    {
      title: "Rate, errors, duration",
      panels: [
        graph("Rate by route", [{ expr: rate(REQUESTS, BY_ROUTE), legend: "{{method}} {{route}}" }], {
          unit: "reqps",
          width: 8,
          stacked: true,
          page: "/traces?q=service:${service}",
        }),
        graph("Answers by status", [{ expr: rate(REQUESTS, ["status_code"]), legend: "{{status_code}}" }], {
          unit: "reqps",
          width: 8,
          stacked: true,
          page: "/logs?q=service:${service}",
        }),
        graph(
          "Failing by route",
          [{ expr: ratio(rate(FAILED, BY_ROUTE), rate(REQUESTS, BY_ROUTE)), legend: "{{method}} {{route}}" }],
          {
            unit: "percentunit",
            width: 8,
            limit: 0.05,
            about: "5xx answers; the red line is where HighErrorRate begins.",
            page: "/logs?q=service:${service} severity:error",
          },
        ),
        graph(
          "Duration",
          [
            { expr: quantile(0.5, DURATION), legend: "p50" },
            { expr: quantile(0.95, DURATION), legend: "p95" },
            { expr: quantile(0.99, DURATION), legend: "p99" },
          ],
          {
            unit: "s",
            exemplars: true,
            about: "A dot is one request; its trace_id leads to its trace in Tocsin.",
            page: "/traces?q=service:${service}",
          },
        ),
        heatmap("Spread of durations", buckets(DURATION), { unit: "s" }),
        table(
          "By route",
          [
            { label: "method", title: "Method" },
            { label: "route", title: "Route" },
          ],
          [
            { title: "Requests", unit: "reqps", expr: rate(REQUESTS, BY_ROUTE) },
            { title: "Failing", unit: "percentunit", expr: ratio(rate(FAILED, BY_ROUTE), rate(REQUESTS, BY_ROUTE)) },
            { title: "p50", unit: "s", expr: quantile(0.5, DURATION, BY_ROUTE) },
            { title: "p95", unit: "s", expr: quantile(0.95, DURATION, BY_ROUTE) },
            { title: "p99", unit: "s", expr: quantile(0.99, DURATION, BY_ROUTE) },
          ],
        ),
      ],
    },
    {
      title: "Neighbours, from traces",
      panels: [
        graph(
          "Who calls it, and whom it calls",
          [
            {
              expr: rate('traces_service_graph_request_total{server="$service"}', ["client"]),
              legend: "from {{client}}",
            },
            {
              expr: rate('traces_service_graph_request_total{client="$service"}', ["server"]),
              legend: "to {{server}}",
            },
          ],
          {
            unit: "reqps",
            about: "Counted by the span writer from pairs of client and server spans.",
            step: WRITTEN_EVERY,
            page: "/map",
          },
        ),
        graph(
          "Duration as the caller sees it, p95",
          [
            {
              expr: quantile(0.95, 'traces_service_graph_request_client_seconds{client="$service"}', ["server"]),
              legend: "to {{server}}",
            },
            {
              expr: quantile(0.95, 'traces_service_graph_request_client_seconds{server="$service"}', ["client"]),
              legend: "from {{client}}",
            },
          ],
          { unit: "s", step: WRITTEN_EVERY, page: "/map" },
        ),
      ],
    },
  ],
};
