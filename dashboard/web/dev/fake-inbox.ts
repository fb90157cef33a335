import type { InboxDetail } from "@tocsin/model";
import { gettableAlerts } from "./fake-alerts.ts";

const HTML = `<html><head><style>body{font-family:sans-serif;margin:0;padding:24px;background:#f6f8fa;color:#1b1f24}
.card{background:#fff;border:1px solid #d8dee4;border-radius:6px;padding:16px 20px;max-width:560px}
h1{font-size:18px;margin:0 0 4px}.bar{height:4px;background:#b3260f;border-radius:2px;margin-bottom:16px}
td{padding:4px 16px 4px 0;font-size:13px;vertical-align:top}td:first-child{color:#57606a}a{color:#103db0}</style></head>
<body><div class="card"><div class="bar"></div><h1>[FIRING:2] sms (messaging)</h1>
<p>SMS provider alpha refuses 82 % of the messages</p>
<table><tr><td>Value</td><td><b>82 %</b>, limit 20 %</td></tr><tr><td>Since</td><td>14:03:22, 3 m 24 s ago</td></tr>
<tr><td>Why you</td><td>team="messaging" → sms-oncall</td></tr></table>
<p><a href="/alerts">Open the alert</a> · <a href="/alerts">Why was I told?</a></p></div></body></html>`;

const TEXT = `[FIRING:2] sms (messaging)

SMS provider alpha refuses 82 % of the messages
  Value    82 %, limit 20 %
  Since    14:03:22, 3 m 24 s ago
  Why you  team="messaging" -> sms-oncall

p95 of POST /messages is 2.41 s (limit 1 s)
`;

export function inboxMessages(now: number): InboxDetail[] {
  const iso = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString();
  const webhook = {
    version: "4",
    groupKey: '{}/{team="edge"}:{service="api", team="edge"}',
    truncatedAlerts: 0,
    status: "firing",
    receiver: "audit-webhook",
    groupLabels: { service: "api", team: "edge" },
    commonLabels: { alertname: "GatewayErrorsHigh", severity: "critical" },
    externalURL: "http://127.0.0.1:9400",
    alerts: gettableAlerts(now)
      .slice(2, 3)
      .map(({ labels, annotations, startsAt }) => ({ status: "firing", labels, annotations, startsAt })),
  };
  return [
    {
      id: "m-4",
      kind: "email",
      receivedAt: iso(106),
      to: "sms-oncall@example.org",
      subject: "[FIRING:2] sms (messaging)",
      body: TEXT,
      html: HTML,
      headers: [
        { name: "From", value: "Tocsin <tocsin@localhost>" },
        { name: "To", value: "sms-oncall@example.org" },
        { name: "Subject", value: "[FIRING:2] sms (messaging)" },
        { name: "Message-ID", value: "<6f1c0d2e-0a1b-4c3d@localhost>" },
        { name: "References", value: "<group-5f1d2c9e@localhost>" },
      ],
    },
    {
      id: "m-3",
      kind: "email",
      receivedAt: iso(199),
      to: "sms-oncall@example.org",
      subject: "[FIRING:1] SmsProviderOutage sms",
      body: TEXT,
      html: HTML,
      headers: [{ name: "From", value: "Tocsin <tocsin@localhost>" }],
    },
    {
      id: "m-2",
      kind: "webhook",
      receivedAt: iso(640),
      to: "/hooks/audit",
      subject: "firing: GatewayErrorsHigh",
      body: JSON.stringify(webhook),
      html: null,
      headers: [
        { name: "content-type", value: "application/json" },
        { name: "user-agent", value: "Alertmanager/0.34.0" },
      ],
    },
    {
      id: "m-1",
      kind: "email",
      receivedAt: iso(4200),
      to: "edge@example.org",
      subject: "[RESOLVED] GatewayErrorsHigh api",
      body: "[RESOLVED] GatewayErrorsHigh\n\nLasted 11 m 40 s, peak 9.2 %, now 0.2 %.\n",
      html: null,
      headers: [{ name: "From", value: "Tocsin <tocsin@localhost>" }],
    },
  ];
}
