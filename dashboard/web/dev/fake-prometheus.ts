import { gettableAlerts } from "./fake-alerts.ts";
import { seeded, seedOf } from "./random.ts";

const METRICS: Record<string, { type: string; unit: string; help: string }> = {
  up: { type: "gauge", unit: "", help: "1 if the last scrape of the target succeeded, else 0." },
  http_server_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    help: "Time to answer a request, by route template.",
  },
  http_requests_total: { type: "counter", unit: "", help: "Requests answered, by route template, method and status." },
  sms_messages_total: { type: "counter", unit: "", help: "Messages handed to a provider, by provider and outcome." },
  sms_provider_failovers_total: { type: "counter", unit: "", help: "How often the other provider had to take over." },
  rate_limiter_rejected_total: {
    type: "counter",
    unit: "",
    help: "Requests turned away because the bucket was empty.",
  },
  nodejs_eventloop_lag_seconds: { type: "gauge", unit: "seconds", help: "Lag of the event loop." },
  nodejs_heap_size_used_bytes: { type: "gauge", unit: "bytes", help: "Process heap size used from Node.js in bytes." },
  orders_accepted_total: { type: "counter", unit: "", help: "Orders that were accepted." },
  process_cpu_seconds_total: {
    type: "counter",
    unit: "seconds",
    help: "Total user and system CPU time spent in seconds.",
  },
};

export const metadata = Object.fromEntries(Object.entries(METRICS).map(([name, each]) => [name, [each]]));

export const LABEL_VALUES: Record<string, string[]> = {
  __name__: Object.keys(METRICS).flatMap((name) =>
    METRICS[name]?.type === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  ),
  service: ["api", "mailer", "rate-limiter", "sms"],
  instance: ["127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8083"],
  route: ["/orders", "/login", "/messages", "/take"],
  job: ["demo"],
};

/** Labels of the series an expression gives: as many as it has `many`, else by the first metric it names. */
function seriesOf(query: string): Record<string, string>[] {
  const many = /\bmany(\d*)\b/.exec(query);
  if (many) return Array.from({ length: Number(many[1] || 40) }, (_, index) => ({ instance: `node-${index}` }));
  const name = Object.keys(METRICS).find((metric) => query.includes(metric));
  if (name === undefined) return [{}];
  if (/\bsum\s*\(/.test(query)) return [{}];
  const keep: Record<string, string> = /[({]/.test(query.replace(name, "")) ? {} : { __name__: name };
  return (LABEL_VALUES["service"] ?? []).slice(0, 3).map((service, index) => ({
    ...keep,
    service,
    instance: LABEL_VALUES["instance"]?.[index] ?? "",
    job: "demo",
  }));
}

const BAD = /\b(oops|sum\s*\(\s*\)|\(\s*$)/;

export function parseError(query: string): string | undefined {
  const at = BAD.exec(query);
  return at === null
    ? undefined
    : `invalid parameter "query": 1:${at.index + 1}: parse error: unexpected identifier ${JSON.stringify(at[0])}`;
}

export function instant(query: string, atMs: number) {
  return {
    resultType: "vector",
    result: seriesOf(query).map((metric) => ({ metric, value: [atMs / 1000, String(valueOf(metric, query, atMs))] })),
  };
}

export function range(query: string, startS: number, endS: number, stepS: number) {
  return {
    resultType: "matrix",
    result: seriesOf(query).map((metric) => {
      const values: [number, string][] = [];
      for (let at = startS; at <= endS; at += stepS) values.push([at, String(valueOf(metric, query, at * 1000))]);
      return { metric, values };
    }),
  };
}

function valueOf(metric: Record<string, string>, query: string, atMs: number): number {
  if (/^up\b/.test(query)) return metric["service"] === "mailer" ? 0 : 1;
  const base = seeded(seedOf(JSON.stringify(metric) + query))();
  const noise = seeded(Math.floor(atMs / 5000) + seedOf(query))();
  return Number((0.4 + base + 0.25 * Math.sin(atMs / 240_000 + base * 6) + noise * 0.12).toFixed(4));
}

export function rules(now: number) {
  const alerts = gettableAlerts(now);
  const names = [...new Set(alerts.map(({ labels }) => labels["alertname"] ?? ""))];
  const make = (name: string) => {
    const firing = alerts.filter(({ labels }) => labels["alertname"] === name);
    return {
      type: "alerting",
      state: "firing",
      name,
      duration: 10,
      keepFiringFor: 0,
      labels: { severity: firing[0]?.labels["severity"] ?? "" },
      query:
        name === "SmsProviderOutage"
          ? 'sum by (provider) (rate(sms_messages_total{outcome="refused"}[30s])) / sum by (provider) (rate(sms_messages_total[30s])) > 0.2'
          : "histogram_quantile(0.95, sum by (le, route) (rate(http_server_duration_seconds_bucket[30s]))) > 1",
      annotations: firing[0]?.annotations ?? {},
      health: "ok",
      evaluationTime: 0.0008,
      lastEvaluation: new Date(now - 2000).toISOString(),
      alerts: firing.map(({ labels, annotations, startsAt }) => ({
        labels,
        annotations,
        state: "firing",
        activeAt: startsAt,
        value: "8.2e-01",
      })),
    };
  };
  const pending = {
    ...make("HeapGrowing"),
    state: "pending",
    labels: { severity: "warning" },
    alerts: [
      {
        labels: { alertname: "HeapGrowing", service: "api", severity: "warning" },
        annotations: {},
        state: "pending",
        activeAt: new Date(now - 4000).toISOString(),
        value: "1.2e+00",
      },
    ],
  };
  const quiet = ["OrdersDropped", "TargetDown", "LoginsFailing", "QueueFull"].map((name) => ({
    ...make(name),
    state: "inactive",
  }));
  return {
    groups: [
      {
        name: "demo",
        file: "prometheus/rules/demo.yml",
        interval: 5,
        limit: 0,
        evaluationTime: 0.003,
        lastEvaluation: new Date(now - 2000).toISOString(),
        rules: [...names.map(make), pending, ...quiet],
      },
    ],
  };
}
