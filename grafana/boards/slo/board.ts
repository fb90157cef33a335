import { type Board, choiceVariable, labelVariable } from "../../src/board.ts";
import { orZero } from "../../src/expr.ts";
import { graph, number, type Query } from "../../src/panels.ts";

const REQUESTS = 'http_server_request_duration_seconds_count{job="$service"}';
const FAILED = 'http_server_request_duration_seconds_count{job="$service", status_code=~"5.."}';
const FAST = 'http_server_request_duration_seconds_bucket{job="$service", le="$fast"}';
/** What the objective leaves to go wrong. */
const BUDGET = "(1 - $objective / 100)";
const LATENCY_BUDGET = "(1 - $latency_objective / 100)";

export const slo: Board = {
  name: "slo",
  title: "objectives",
  about:
    "What was promised, what was kept, and how fast the rest of the error budget goes. A burn rate of 1 uses the budget up exactly in the objective's period; 14.4 uses 2% of a month's budget in an hour and calls somebody.",
  page: "/services/${service}",
  variables: [
    labelVariable("service", "Service", { metric: "http_server_request_duration_seconds_count", label: "job" }),
    choiceVariable("objective", "Answered, %", ["99.5", "99", "99.9", "99.95"]),
    choiceVariable("latency_objective", "Fast, %", ["95", "90", "99", "99.9"]),
    choiceVariable("fast", "Fast is below, s", ["0.5", "0.1", "0.25", "0.75", "2.5"]),
  ],
  rows: [
    {
      title: "Requests that are answered",
      panels: [
        number("Answered", `1 - ${badRatio("$__range")}`, { unit: "percentunit", decimals: 3, width: 6, plain: true }),
        number("Error budget left", `1 - ${badRatio("$__range")} / ${BUDGET}`, {
          unit: "percentunit",
          width: 6,
          plain: true,
          warnAt: [0.5, 0.1],
          about: "Of the budget for the range that the board shows.",
        }),
        number("Burn rate, 5 min", `${badRatio("5m")} / ${BUDGET}`, { unit: "short", width: 6, warnAt: [1, 14.4] }),
        number("Burn rate, 1 h", `${badRatio("1h")} / ${BUDGET}`, { unit: "short", width: 6, warnAt: [1, 14.4] }),
        graph("Burn rate", burnRates(badRatio, BUDGET), {
          unit: "short",
          limit: 14.4,
          about:
            "Both a short and a long window above the line: act now. A short one alone: it has just begun, or is over.",
        }),
        graph(
          "Failed",
          [
            {
              expr: orZero(`sum by (route, status_code) (increase(${FAILED}[$__rate_interval]))`),
              legend: "{{route}} {{status_code}}",
            },
          ],
          {
            unit: "short",
            stacked: true,
            page: "/logs?q=service:${service} severity:error",
          },
        ),
      ],
    },
    {
      title: "Requests that are fast",
      panels: [
        number("Fast", `1 - ${slowRatio("$__range")}`, { unit: "percentunit", decimals: 3, width: 6, plain: true }),
        number("Budget left", `1 - ${slowRatio("$__range")} / ${LATENCY_BUDGET}`, {
          unit: "percentunit",
          width: 6,
          plain: true,
          warnAt: [0.5, 0.1],
        }),
        number("Burn rate, 5 min", `${slowRatio("5m")} / ${LATENCY_BUDGET}`, {
          unit: "short",
          width: 6,
          warnAt: [1, 14.4],
        }),
        number("Burn rate, 1 h", `${slowRatio("1h")} / ${LATENCY_BUDGET}`, {
          unit: "short",
          width: 6,
          warnAt: [1, 14.4],
        }),
        graph("Burn rate", burnRates(slowRatio, LATENCY_BUDGET), {
          unit: "short",
          width: 24,
          limit: 14.4,
          page: "/traces?q=service:${service}",
        }),
      ],
    },
    {
      title: "What customers came for",
      panels: [
        graph(
          "Messages delivered",
          [
            { expr: deliveredRatio("5m"), legend: "5 min" },
            { expr: deliveredRatio("1h"), legend: "1 h" },
          ],
          {
            unit: "percentunit",
            width: 8,
            max: 1,
          },
        ),
        graph(
          "Logins that work",
          [
            { expr: loginRatio("5m"), legend: "5 min" },
            { expr: loginRatio("1h"), legend: "1 h" },
          ],
          {
            unit: "percentunit",
            width: 8,
            max: 1,
            about: "Without those that end by the customer's own wrong code.",
          },
        ),
        graph(
          "Orders confirmed",
          [
            { expr: orderRatio("5m"), legend: "5 min" },
            { expr: orderRatio("1h"), legend: "1 h" },
          ],
          {
            unit: "percentunit",
            width: 8,
            max: 1,
            about: "Accepted orders whose customer got a message.",
          },
        ),
      ],
    },
  ],
};

function badRatio(window: string): string {
  const all = `sum(rate(${REQUESTS}[${window}]))`;
  return `((sum(rate(${FAILED}[${window}])) or ${all} * 0) / ${all})`;
}

function slowRatio(window: string): string {
  return `(1 - sum(rate(${FAST}[${window}])) / sum(rate(${REQUESTS}[${window}])))`;
}

function burnRates(bad: (window: string) => string, budget: string): Query[] {
  return ["5m", "30m", "1h", "6h"].map((window) => ({ expr: `${bad(window)} / ${budget}`, legend: window }));
}

function deliveredRatio(window: string): string {
  return `sum(rate(sms_messages_total{outcome="delivered"}[${window}])) / sum(rate(sms_messages_total[${window}]))`;
}

function loginRatio(window: string): string {
  const failed = `sum(rate(logins_total{outcome=~"code_failed|unavailable"}[${window}]))`;
  return `1 - ${failed} / sum(rate(logins_total[${window}]))`;
}

function orderRatio(window: string): string {
  const accepted = `sum(rate(orders_total{outcome=~"accepted.*"}[${window}]))`;
  return `sum(rate(orders_total{outcome="accepted"}[${window}])) / ${accepted}`;
}
