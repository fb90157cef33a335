import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { choosePort } from "@tocsin/platform";
import { eventually, runTocsin } from "@tocsin/testing";
import { startKafka, type KafkaBroker } from "../support/kafka.ts";
import { createPrometheusServer, type PrometheusServer } from "../support/prometheus-server.ts";
import { createSearchServer, type SearchServer } from "../support/search-server.ts";

const BIN = fileURLToPath(new URL("../../cli/bin/tocsin.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tocsin-roles-"));
const config = join(folder, "tocsin.yaml");

let kafka: KafkaBroker;
let elasticsearch: SearchServer;
let prometheus: PrometheusServer;
const ports: Record<string, number> = {};
const children: ChildProcess[] = [];

beforeAll(async () => {
  prometheus = await createPrometheusServer("storage: { tsdb: { out_of_order_time_window: 10m } }\n");
  elasticsearch = await createSearchServer("elasticsearch");
  await Promise.all([prometheus.start(), elasticsearch.start(), startKafka().then((started) => (kafka = started))]);
  const taken = new Set<number>();
  for (const name of ["collector", "otlp-http", "otlp-grpc", "writer", "rules", "dashboard", "alertmanager"]) {
    const port = await choosePort({
      host: "127.0.0.1",
      port: 0,
      what: name,
      flag: "",
      moveWhenTaken: false,
      except: taken,
    });
    taken.add(port);
    ports[name] = port;
  }
  const at = (name: string) => `http://127.0.0.1:${ports[name]}`;
  writeFileSync(
    config,
    JSON.stringify({
      bus: { driver: "kafka", kafka: { brokers: kafka.brokers, topic_prefix: `roles-${process.pid}-` } },
      store: { elasticsearch: { nodes: [elasticsearch.url] }, prometheus: { url: prometheus.url } },
      peers: { collector: at("collector"), rules: at("rules"), alertmanagers: [at("alertmanager")] },
      external_url: at("dashboard"),
    }),
  );
  const rules = join(folder, "rules.yml");
  writeFileSync(
    rules,
    "groups:\n  - name: g\n    interval: 1s\n    rules:\n      - alert: QueueLong\n        expr: queue_length_ratio > 3\n",
  );
  const routing = join(folder, "alertmanager.yml");
  writeFileSync(routing, "route:\n  receiver: a\nreceivers:\n  - name: a\n");
  start(
    "alertmanager",
    `--config.file=${routing}`,
    `--storage.path=${join(folder, "am")}`,
    `--web.listen-address=127.0.0.1:${ports["alertmanager"]}`,
  );
  const role = (name: string, ...args: string[]) =>
    start(name, "--config", config, "--port", String(ports[name]), "--data-dir", join(folder, name), ...args);
  role("collector", "--otlp-http-port", String(ports["otlp-http"]), "--otlp-grpc-port", String(ports["otlp-grpc"]));
  role("writer");
  role("rules", "--rules", rules);
  role("dashboard");
  for (const name of ["collector", "writer", "rules", "dashboard"]) {
    await eventually(`${name} is ready`, 90_000, async () => (await fetch(`${at(name)}/-/ready`)).ok);
  }
});

afterAll(async () => {
  await Promise.all(
    children.map(async (child) => {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await ended;
    }),
  );
  await Promise.all([kafka?.stop(), elasticsearch?.remove(), prometheus?.remove()]);
});

function start(...args: string[]): void {
  children.push(spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "ignore", "inherit"] }));
}

const get = async <T>(path: string): Promise<T> => {
  const answer = await fetch(`http://127.0.0.1:${ports["dashboard"]}${path}`);
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
};

test("telemetry sent to the collector's process is read from the dashboard's, and an alert goes the whole way", async () => {
  const nano = String(BigInt(Date.now()) * 1_000_000n);
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "printer" } }] };
  const post = (path: string, body: object) =>
    fetch(`http://127.0.0.1:${ports["otlp-http"]}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const answers = await Promise.all([
    post("/v1/logs", {
      resourceLogs: [
        { resource, scopeLogs: [{ logRecords: [{ timeUnixNano: nano, body: { stringValue: "paper jam" } }] }] },
      ],
    }),
    post("/v1/metrics", {
      resourceMetrics: [
        {
          resource,
          scopeMetrics: [
            {
              metrics: [
                { name: "queue.length", unit: "1", gauge: { dataPoints: [{ timeUnixNano: nano, asDouble: 4 }] } },
              ],
            },
          ],
        },
      ],
    }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  await eventually("the log is found", 30_000, async () => {
    const { items } = await get<{ items: { message: string }[] }>("/api/tocsin/v1/logs?q=jam");
    return items[0]?.message === "paper jam";
  });
  await eventually("the alert is with the router", 30_000, async () => {
    const alerts = await get<{ labels: { alertname: string } }[]>("/api/v2/alerts");
    return alerts.some(({ labels }) => labels.alertname === "QueueLong");
  });
  const { data } = await get<{ data: { groups: { name: string }[] } }>("/api/v1/rules");
  expect(data.groups.map(({ name }) => name)).toEqual(["g"]);
  const { signals } = await get<{ signals: { signal: string; received: number }[] }>("/api/tocsin/v1/pipeline");
  expect(signals.find(({ signal }) => signal === "logs")?.received).toBe(1);
});

test("a silence made through the dashboard's process reaches the router", async () => {
  const answer = await fetch(`http://127.0.0.1:${ports["dashboard"]}/api/v2/silences`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      matchers: [{ name: "alertname", value: "QueueLong", isRegex: false }],
      startsAt: new Date().toISOString(),
      endsAt: new Date(Date.now() + 60_000).toISOString(),
      createdBy: "test",
      comment: "roles",
    }),
  });
  expect(answer.status).toBe(200);
  await eventually("the alert is suppressed", 10_000, async () => {
    const alerts = await get<{ labels: { alertname: string }; status: { state: string } }[]>("/api/v2/alerts");
    return alerts.find(({ labels }) => labels.alertname === "QueueLong")?.status.state === "suppressed";
  });
});

test("a role without the engines it shares is refused with what is missing", async () => {
  const refused = await runTocsin(["writer", "--port", "0", "--data-dir", join(folder, "refused")]);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain("needs bus.driver: kafka, store.elasticsearch, store.prometheus in tocsin.yaml");
});
