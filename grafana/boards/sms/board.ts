import type { Board } from "../../src/board.ts";
import { buckets, orZero, quantile, rate, ratio, total } from "../../src/expr.ts";
import { graph, heatmap, number } from "../../src/panels.ts";

const MESSAGES = "sms_messages_total";
const FAILED = 'sms_messages_total{outcome="failed"}';

export const sms: Board = {
  name: "sms",
  title: "SMS",
  about: "Messages and codes: what customers get, by which provider, and how long it takes.",
  page: "/services/sms",
  rows: [
    {
      title: "Now",
      panels: [
        number("Delivered in this range", total('sms_messages_total{outcome="delivered"}'), {
          unit: "short",
          decimals: 0,
          plain: true,
        }),
        number("Not delivered", ratio(rate(FAILED), rate(MESSAGES)), { unit: "percentunit", warnAt: [0.01, 0.05] }),
        number("Sending, p95", quantile(0.95, "sms_send_duration_seconds"), { unit: "s", warnAt: [0.5, 1] }),
        number("Providers up", "sum(sms_provider_up)", { unit: "short", warnAt: [2, 1], plain: true }),
        number("Waiting", "sum(sms_queue_depth)", { unit: "short", warnAt: [20, 50] }),
        number(
          "Codes that were right",
          ratio(rate('sms_codes_verified_total{outcome="ok"}'), rate("sms_codes_verified_total")),
          {
            unit: "percentunit",
            warnAt: [0.8, 0.5],
          },
        ),
      ],
    },
    {
      title: "Messages",
      panels: [
        graph("Messages", [{ expr: rate(MESSAGES, ["provider", "outcome"]), legend: "{{provider}} {{outcome}}" }], {
          unit: "cps",
          stacked: true,
          page: "/logs?q=service:sms",
        }),
        graph(
          "Not delivered, by provider",
          [{ expr: ratio(rate(FAILED, ["provider"]), rate(MESSAGES, ["provider"])), legend: "{{provider}}" }],
          { unit: "percentunit", limit: 0.05, page: "/logs?q=service:sms severity:error" },
        ),
        graph(
          "Sending, by provider",
          [
            { expr: quantile(0.5, "sms_send_duration_seconds", ["provider"]), legend: "{{provider}} p50" },
            { expr: quantile(0.95, "sms_send_duration_seconds", ["provider"]), legend: "{{provider}} p95" },
          ],
          { unit: "s", limit: 1, exemplars: true, page: "/traces?q=service:sms" },
        ),
        heatmap("Spread of sending times", buckets("sms_send_duration_seconds"), { unit: "s" }),
      ],
    },
    {
      title: "Fail-over and queue",
      panels: [
        graph("Provider up", [{ expr: "max by (provider) (sms_provider_up)", legend: "{{provider}}" }], {
          unit: "bool_yes_no",
          width: 8,
          max: 1,
        }),
        graph("Failed over", [{ expr: rate("sms_failover_total", ["from", "to"]), legend: "{{from}} → {{to}}" }], {
          unit: "cps",
          width: 8,
        }),
        graph(
          "Queue",
          [
            { expr: "sum(sms_queue_depth)", legend: "waiting" },
            { expr: orZero(rate("sms_refused_total")), legend: "refused per second" },
          ],
          { unit: "short", width: 8, limit: 50 },
        ),
      ],
    },
    {
      title: "Codes",
      panels: [
        graph("Issued", [{ expr: rate("sms_codes_issued_total"), legend: "issued" }], { unit: "cps" }),
        graph("Verified", [{ expr: rate("sms_codes_verified_total", ["outcome"]), legend: "{{outcome}}" }], {
          unit: "cps",
          stacked: true,
          about: "Many wrong ones may be somebody guessing.",
        }),
      ],
    },
  ],
};
