import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DrillRun, InboxPage } from "@tocsin/model";
import { choosePort } from "@tocsin/platform";
import { eventually, startTocsin, type TocsinProcess } from "@tocsin/testing";
import { startKafka, type KafkaBroker } from "../support/kafka.ts";
import { createPrometheusServer, type PrometheusServer } from "../support/prometheus-server.ts";
import { createSearchServer, type SearchServer } from "../support/search-server.ts";

const RULES = fileURLToPath(new URL("../../prometheus/rules/*.yml", import.meta.url));

let kafka: KafkaBroker;
let elasticsearch: SearchServer;
let prometheus: PrometheusServer;
let tocsin: TocsinProcess;

beforeAll(async () => {
  const alertmanagerPort = await choosePort({
    host: "127.0.0.1",
    port: 0,
    what: "the router",
    flag: "",
    moveWhenTaken: false,
  });
  prometheus = await createPrometheusServer(`
global: { evaluation_interval: 5s }
storage: { tsdb: { out_of_order_time_window: 10m } }
rule_files: ["${RULES}"]
alerting:
  alertmanagers:
    - api_version: v2
      static_configs: [{ targets: ["127.0.0.1:${alertmanagerPort}"] }]
`);
  elasticsearch = await createSearchServer("elasticsearch");
  await Promise.all([prometheus.start(), elasticsearch.start(), startKafka().then((started) => (kafka = started))]);
  const folder = mkdtempSync(join(tmpdir(), "tocsin-full-"));
  const config = join(folder, "tocsin.yaml");
  const noRules = join(folder, "none.yml");
  writeFileSync(noRules, "groups: []\n");
  writeFileSync(
    config,
    JSON.stringify({
      bus: { driver: "kafka", kafka: { brokers: kafka.brokers, topic_prefix: `full-${process.pid}-` } },
      store: { elasticsearch: { nodes: [elasticsearch.url] }, prometheus: { url: prometheus.url } },
    }),
  );
  tocsin = await startTocsin({
    args: ["--config", config, "--rules", noRules, "--alertmanager-port", String(alertmanagerPort)],
    readyWithinMs: 120_000,
  });
});

afterAll(async () => {
  await tocsin?.stop();
  await Promise.all([kafka?.stop(), elasticsearch?.remove(), prometheus?.remove()]);
});

const count = async (index: string): Promise<number> => {
  const answer = await fetch(`${elasticsearch.url}/tocsin-${index}-*/_count`);
  return ((await answer.json()) as { count: number }).count;
};

test("what the services send goes through Kafka into Elasticsearch and Prometheus, and the same API reads it", async () => {
  await eventually("three services report", 90_000, async () => {
    const { items } = await tocsin.get<{ items: { name: string }[] }>("/api/tocsin/v1/services?from=now-15m&to=now");
    return ["api", "rate-limiter", "sms"].every((name) => items.some((item) => item.name === name));
  });
  await eventually(
    "logs and spans are in Elasticsearch",
    30_000,
    async () => (await count("logs")) > 20 && (await count("spans")) > 20,
  );
  const logs = await tocsin.get<{ items: { service: string; traceId: string }[] }>(
    `/api/tocsin/v1/logs?limit=20&q=${encodeURIComponent("service:sms")}`,
  );
  expect(logs.items.length).toBeGreaterThan(0);
  const traceId = logs.items.find((item) => item.traceId !== "")?.traceId;
  const trace = await tocsin.get<{ resourceSpans: unknown[] }>(`/api/tocsin/v1/traces/${traceId}`);
  expect(trace.resourceSpans.length).toBeGreaterThan(0);
  const direct = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent('up{job="sms"}')}`);
  expect(await direct.json()).toMatchObject({ data: { result: [{ value: [expect.any(Number), "1"] }] } });
  expect(await tocsin.get(`/api/v1/query?query=${encodeURIComponent('up{job="sms"}')}`)).toMatchObject({
    status: "success",
    data: { result: [{ metric: { job: "sms" }, value: [expect.any(Number), "1"] }] },
  });
});

test("a broken service ends in an e-mail by way of Prometheus' own rules", async () => {
  await fetch(`${tocsin.address("dashboard")}/api/tocsin/v1/drills/sms-outage`, { method: "POST" });
  const sent = await eventually("the messages are sent", 120_000, async () => {
    const run = await tocsin.get<DrillRun>("/api/tocsin/v1/drills/sms-outage");
    return run.state === "sent" && run;
  });
  console.log("full stack:", Object.fromEntries(sent.steps.map((step) => [step.name, step.elapsedMs])));
  const inbox = await tocsin.get<InboxPage>("/api/tocsin/v1/inbox");
  const kinds = inbox.items
    .filter((item) => `${item.subject}${item.body}`.includes("SmsDeliveryFailing"))
    .map(({ kind }) => kind);
  expect(new Set(kinds)).toEqual(new Set(["email", "webhook"]));
  await fetch(`${tocsin.address("dashboard")}/api/tocsin/v1/drills/sms-outage`, { method: "DELETE" });
  await eventually("the resolved messages arrive", 120_000, async () => {
    const run = await tocsin.get<DrillRun>("/api/tocsin/v1/drills/sms-outage");
    return run.state === "done";
  });
});
