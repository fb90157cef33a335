import { type DecisionRecord, fingerprint, type Labels } from "@tocsin/model";

const RUNBOOK = "https://github.com/example/runbooks/blob/main/sms.md";

interface FakeAlert {
  labels: Labels;
  annotations: Labels;
  minutesAgo: number;
  receivers: string[];
  silencedBy?: string[];
  inhibitedBy?: string[];
}

const gatewayDown = { alertname: "GatewayErrorsHigh", severity: "critical", service: "api", team: "edge" };

const ALERTS: readonly FakeAlert[] = [
  {
    labels: {
      alertname: "SmsProviderOutage",
      severity: "critical",
      service: "sms",
      team: "messaging",
      provider: "alpha",
    },
    annotations: {
      summary: "SMS provider alpha refuses 82 % of the messages",
      description: "Fail-over to beta carries the traffic; delivery takes 2.4 s at p95 instead of 0.3 s.",
      runbook_url: RUNBOOK,
    },
    minutesAgo: 3.4,
    receivers: ["sms-oncall"],
  },
  {
    labels: {
      alertname: "SmsLatencyHigh",
      severity: "warning",
      service: "sms",
      team: "messaging",
      route: "POST /messages",
    },
    annotations: {
      summary: "p95 of POST /messages is 2.41 s (limit 1 s)",
      description: "Since the provider outage began.",
    },
    minutesAgo: 2.1,
    receivers: ["sms-oncall"],
  },
  {
    labels: gatewayDown,
    annotations: { summary: "4.1 % of the gateway's answers are 5xx", description: "Budget is 1 % over five minutes." },
    minutesAgo: 12,
    receivers: ["edge-mail", "audit-webhook"],
  },
  ...["api-7f9c", "api-b21d", "api-c04e", "api-d9aa", "api-e113", "api-f70b", "api-0aa4"].map((instance, index) => ({
    labels: { alertname: "EventLoopLagHigh", severity: "warning", service: "api", team: "edge", instance },
    annotations: { summary: `Event loop of ${instance} lags ${120 + index * 17} ms` },
    minutesAgo: 20 + index * 3,
    receivers: ["edge-mail"],
  })),
  {
    labels: { alertname: "RateLimiterRejecting", severity: "info", service: "rate-limiter", team: "edge" },
    annotations: { summary: "The limiter turns away 3.2 requests per second" },
    minutesAgo: 55,
    receivers: ["edge-mail"],
    inhibitedBy: [fingerprint(gatewayDown)],
  },
  {
    labels: { alertname: "DiskFillingUp", severity: "warning", service: "postgres", team: "storage", instance: "db-2" },
    annotations: { summary: "db-2 has 9 % of its disk left and fills in 31 h" },
    minutesAgo: 410,
    receivers: ["storage-mail"],
    silencedBy: ["5f1d2c9e-0b1a-4c55-9d0e-6a9b1c2d3e4f"],
  },
];

export interface Silence {
  id: string;
  status: { state: "active" | "pending" | "expired" };
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  createdBy: string;
  comment: string;
  matchers: { name: string; value: string; isRegex: boolean; isEqual: boolean }[];
}

const iso = (ms: number) => new Date(ms).toISOString();

export function gettableAlerts(now: number) {
  return ALERTS.map(({ labels, annotations, minutesAgo, receivers, silencedBy = [], inhibitedBy = [] }) => ({
    labels,
    annotations,
    startsAt: iso(now - minutesAgo * 60_000),
    endsAt: iso(now + 240_000),
    updatedAt: iso(now - 4000),
    fingerprint: fingerprint(labels),
    generatorURL: `http://127.0.0.1:9400/metrics?e=${encodeURIComponent("histogram_quantile(0.95, sum by (le) (rate(http_server_duration_seconds_bucket[1m]))) > 1")}`,
    receivers: receivers.map((name) => ({ name })),
    status: {
      state: silencedBy.length + inhibitedBy.length > 0 ? "suppressed" : "active",
      silencedBy,
      inhibitedBy,
      mutedBy: [],
    },
  }));
}

/** The alerts grouped by receiver, team and service, as a route with `group_by: [team, service]` does it. */
export function alertGroups(now: number) {
  const groups = new Map<
    string,
    { labels: Labels; receiver: { name: string }; alerts: ReturnType<typeof gettableAlerts> }
  >();
  for (const alert of gettableAlerts(now))
    for (const receiver of alert.receivers) {
      const labels = { team: alert.labels["team"] ?? "", service: alert.labels["service"] ?? "" };
      const key = `${receiver.name}/${fingerprint(labels)}`;
      const group = groups.get(key) ?? { labels, receiver, alerts: [] as ReturnType<typeof gettableAlerts> };
      group.alerts.push(alert);
      groups.set(key, group);
    }
  return [...groups.values()];
}

export function initialSilences(now: number): Silence[] {
  const is = (name: string, value: string, isRegex = false) => ({ name, value, isRegex, isEqual: true });
  const make = (
    id: string,
    state: Silence["status"]["state"],
    fromH: number,
    toH: number,
    rest: Pick<Silence, "createdBy" | "comment" | "matchers">,
  ) => ({
    id,
    status: { state },
    startsAt: iso(now + fromH * 3_600_000),
    endsAt: iso(now + toH * 3_600_000),
    updatedAt: iso(now + fromH * 3_600_000),
    ...rest,
  });
  return [
    make("5f1d2c9e-0b1a-4c55-9d0e-6a9b1c2d3e4f", "active", -2, 3.5, {
      createdBy: "Wei Chen",
      comment: "Moving db-2 to a larger volume, OPS-412",
      matchers: [is("alertname", "DiskFillingUp"), is("instance", "db-.*", true)],
    }),
    make("77aa01bb-3c1d-4e5f-8a9b-0c1d2e3f4a5b", "active", -0.5, 1, {
      createdBy: "Ada Lindqvist",
      comment: "Load test of the staging gateway",
      matchers: [is("env", "staging")],
    }),
    make("91cc04dd-6e7f-4a1b-9c2d-3e4f5a6b7c8d", "pending", 6, 8, {
      createdBy: "Wei Chen",
      comment: "Provider alpha's maintenance window",
      matchers: [is("service", "sms"), is("provider", "alpha")],
    }),
    make("02ee15ff-8a9b-4c3d-8e4f-5a6b7c8d9e0f", "expired", -30, -28, {
      createdBy: "Ada Lindqvist",
      comment: "Certificate roll-over of the gateway",
      matchers: [is("service", "api"), is("severity", "warning|info", true)],
    }),
  ];
}

const groupKey = '{}/{team="messaging"}:{service="sms", team="messaging"}';

/** The way of the SMS outage from rule to message, newest first, then what became of other alerts. */
export function decisions(now: number): DecisionRecord[] {
  const [sms, latency, gateway] = ALERTS.map(({ labels }) => ({ labels, print: fingerprint(labels) }));
  const limiter = ALERTS.find(({ labels }) => labels["alertname"] === "RateLimiterRejecting");
  const disk = ALERTS.find(({ labels }) => labels["alertname"] === "DiskFillingUp");
  if (!sms || !latency || !gateway || !limiter || !disk) throw new Error("the fake alerts are incomplete");
  const at = (secondsAgo: number) => iso(now - secondsAgo * 1000);
  const rule = { group: "sms", file: "prometheus/rules/sms.yml" };
  const records: DecisionRecord[] = [
    {
      id: "d-100",
      at: at(38),
      kind: "dedup",
      groupKey,
      receiver: "sms-oncall",
      integration: "email[0]",
      notify: false,
      reason: "none",
      fingerprints: [sms.print, latency.print],
      sentence: "Nothing new since the last message 68 s ago; it repeats in 3 h 58 m unless the group changes.",
    },
    {
      id: "d-99",
      at: at(41),
      kind: "muted",
      groupKey: '{}/{team="edge"}:{service="rate-limiter", team="edge"}',
      receiver: "edge-mail",
      reason: "inhibition",
      by: [gateway.print],
      fingerprints: [fingerprint(limiter.labels)],
      sentence: "RateLimiterRejecting is inhibited by GatewayErrorsHigh (same team) and is left out of the message.",
    },
    {
      id: "d-98",
      at: at(74),
      kind: "muted",
      groupKey: '{}/{team="storage"}:{service="postgres", team="storage"}',
      receiver: "storage-mail",
      reason: "silence",
      by: ["5f1d2c9e-0b1a-4c55-9d0e-6a9b1c2d3e4f"],
      fingerprints: [fingerprint(disk.labels)],
      sentence: "DiskFillingUp is silenced by Wei Chen until the volume has been moved (OPS-412).",
    },
    {
      id: "d-97",
      at: at(106),
      kind: "attempt",
      groupKey,
      receiver: "sms-oncall",
      integration: "email[0]",
      attempt: 2,
      outcome: "sent",
      durationMs: 41,
      fingerprints: [sms.print, latency.print],
      responseMs: 18_420,
      sentence: "127.0.0.1:1025 accepted the e-mail to sms-oncall@example.org with 2 firing alerts.",
    },
    {
      id: "d-96",
      at: at(111),
      kind: "attempt",
      groupKey,
      receiver: "sms-oncall",
      integration: "email[0]",
      attempt: 1,
      outcome: "retry",
      durationMs: 5003,
      error: "greeting timed out",
      fingerprints: [sms.print, latency.print],
      sentence: "127.0.0.1:1025 did not greet within 5 s; the next attempt follows in 500 ms.",
    },
    {
      id: "d-95",
      at: at(116),
      kind: "flush",
      groupKey,
      receiver: "sms-oncall",
      groupLabels: { service: "sms", team: "messaging" },
      firing: [sms.print, latency.print],
      resolved: [],
      sentence: "group_interval (10 s) is over and SmsLatencyHigh is new, so the group goes to sms-oncall.",
    },
    {
      id: "d-94",
      at: at(126),
      kind: "evaluation",
      rule: "SmsLatencyHigh",
      ...rule,
      fingerprint: latency.print,
      labels: latency.labels,
      from: "pending",
      to: "firing",
      value: 2.41,
      sentence: "p95 has been above 1 s for 10 s (for: 10s); it is 2.41 s now.",
    },
    {
      id: "d-93",
      at: at(199),
      kind: "attempt",
      groupKey,
      receiver: "sms-oncall",
      integration: "email[0]",
      attempt: 1,
      outcome: "sent",
      durationMs: 12,
      fingerprints: [sms.print],
      responseMs: 17_850,
      sentence: "127.0.0.1:1025 accepted the e-mail to sms-oncall@example.org with 1 firing alert.",
    },
    {
      id: "d-92",
      at: at(204),
      kind: "routed",
      fingerprint: sms.print,
      labels: sms.labels,
      routes: [{ path: "root > team=messaging", receiver: "sms-oncall", groupKey }],
      sentence: 'team="messaging" matched the second route; continue is not set, so the walk ended there.',
    },
    {
      id: "d-91",
      at: at(204),
      kind: "evaluation",
      rule: "SmsProviderOutage",
      ...rule,
      fingerprint: sms.print,
      labels: sms.labels,
      from: "pending",
      to: "firing",
      value: 0.82,
      sentence: "82 % of the messages were refused for 10 s (for: 10s).",
    },
    {
      id: "d-90",
      at: at(214),
      kind: "evaluation",
      rule: "SmsProviderOutage",
      ...rule,
      fingerprint: sms.print,
      labels: sms.labels,
      from: "inactive",
      to: "pending",
      value: 0.64,
      sentence: "64 % of the messages were refused, more than 20 %; it fires if that holds for 10 s.",
    },
    {
      id: "d-89",
      at: at(900),
      kind: "rule_error",
      rule: "OrdersDropped",
      group: "orders",
      file: "prometheus/rules/orders.yml",
      error: "many-to-many matching not allowed",
      sentence: 'The expression matches two series on the right side for route="/orders".',
    },
  ];
  return records;
}
