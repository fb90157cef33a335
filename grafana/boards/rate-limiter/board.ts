import { type Board, labelVariable } from "../../src/board.ts";
import { quantile, rate, ratio } from "../../src/expr.ts";
import { graph, number, table } from "../../src/panels.ts";

const CLIENT = 'client=~"$client"';
const DECISIONS = `rate_limiter_decisions_total{${CLIENT}}`;
const LIMITED = `rate_limiter_decisions_total{${CLIENT}, decision="limited"}`;
const CHECKS = 'http_server_request_duration_seconds{job="rate-limiter", route="/check"}';
const BY_CLIENT = ["client"];

export const rateLimiter: Board = {
  name: "rate-limiter",
  title: "rate limiter",
  about: "Whom the limiter turns away, what is left in the buckets, and how long a decision takes.",
  page: "/services/rate-limiter",
  variables: [
    labelVariable("client", "Client", { metric: "rate_limiter_decisions_total", label: "client" }, { all: true }),
  ],
  rows: [
    {
      title: "Now",
      panels: [
        number("Decisions", rate(DECISIONS), { unit: "reqps", width: 6 }),
        number("Turned away", ratio(rate(LIMITED), rate(DECISIONS)), {
          unit: "percentunit",
          width: 6,
          warnAt: [0.05, 0.2],
        }),
        number("Smallest bucket", `min(rate_limiter_bucket_capacity{${CLIENT}})`, {
          unit: "short",
          width: 6,
          warnAt: [10, 5],
          about: "Tokens that the smallest full bucket holds. No client can work with fewer than 5.",
        }),
        number("A decision takes, p99", quantile(0.99, CHECKS), { unit: "s", width: 6, warnAt: [0.05, 0.25] }),
      ],
    },
    {
      title: "Decisions",
      panels: [
        graph("Allowed and limited", [{ expr: rate(DECISIONS, ["decision"]), legend: "{{decision}}" }], {
          unit: "reqps",
          stacked: true,
          page: "/logs?q=service:rate-limiter",
        }),
        graph(
          "Turned away, by client",
          [{ expr: ratio(rate(LIMITED, BY_CLIENT), rate(DECISIONS, BY_CLIENT)), legend: "{{client}}" }],
          { unit: "percentunit", limit: 0.5 },
        ),
        graph(
          "Filling of the buckets",
          [
            {
              expr: `min by (client) (rate_limiter_tokens{${CLIENT}} / rate_limiter_bucket_capacity{${CLIENT}})`,
              legend: "{{client}}",
            },
          ],
          { unit: "percentunit", max: 1, about: "An empty bucket turns its client away." },
        ),
        graph(
          "A decision takes",
          [
            { expr: quantile(0.5, CHECKS), legend: "p50" },
            { expr: quantile(0.99, CHECKS), legend: "p99" },
          ],
          { unit: "s", exemplars: true, page: "/traces?q=service:rate-limiter" },
        ),
        table(
          "Clients",
          [{ label: "client", title: "Client" }],
          [
            { title: "Requests", unit: "reqps", expr: rate(DECISIONS, BY_CLIENT) },
            {
              title: "Turned away",
              unit: "percentunit",
              expr: ratio(rate(LIMITED, BY_CLIENT), rate(DECISIONS, BY_CLIENT)),
            },
            { title: "Tokens left", unit: "short", expr: `min by (client) (rate_limiter_tokens{${CLIENT}})` },
            { title: "Bucket", unit: "short", expr: `min by (client) (rate_limiter_bucket_capacity{${CLIENT}})` },
          ],
        ),
      ],
    },
  ],
};
