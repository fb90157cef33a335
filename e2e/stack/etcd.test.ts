import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Collector, CollectorConfig, createCollector } from "@tocsin/collector";
import { Registry, systemClock } from "@tocsin/platform";
import { eventually, silentLogger } from "@tocsin/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEtcdServer, type EtcdServer } from "../support/etcd-server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let etcd: EtcdServer;
let collector: Collector;
const registry = new Registry();
const children = new Set<ChildProcess>();

beforeAll(async () => {
  etcd = await createEtcdServer();
  await etcd.start();
  const scrape = {
    job_name: "samples",
    scrape_interval: "1s",
    etcd_sd_configs: [{ endpoints: [etcd.url], prefix: "/shop/" }],
    relabel_configs: [{ source_labels: ["__meta_etcd_service"], target_label: "service" }],
  };
  const receivers = {
    otlp_http: { enabled: false },
    otlp_grpc: { enabled: false },
    prometheus: { scrape_configs: [scrape] },
  };
  collector = createCollector(CollectorConfig.parse({ receivers }), {
    clock: systemClock,
    logger: silentLogger,
    registry,
    producer: { send: async () => ({ status: "ok" }) },
    listen: { host: "127.0.0.1", otlpHttpPort: 0, otlpGrpcPort: 0 },
  });
  await collector.start();
});

afterAll(async () => {
  await Promise.all([...children].map((child) => end(child, "SIGKILL")));
  await collector.stop();
  await etcd.remove();
});

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, "close");
}

interface Service {
  child: ChildProcess;
  url: string;
  address: string;
}

/** A sample service that registers itself below /shop/. */
async function start(name: string): Promise<Service> {
  const args = ["--conditions=@tocsin/source", "--import", "@tocsin/sdk/register", `sample-apps/${name}/src/main.ts`];
  const env = {
    PATH: process.env["PATH"],
    PORT: "0",
    LOG_LEVEL: "silent",
    REGISTRY: `etcd://${etcd.address}/shop`,
    // Nobody listens on the discard port.
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
  };
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["pipe", "pipe", "inherit"] });
  children.add(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  let url = "";
  await eventually(`${name} is ready`, 30_000, () => {
    url = /^ready (http:\/\/\S+)$/m.exec(output)?.[1] ?? "";
    return url !== "";
  });
  return { child, url, address: new URL(url).host };
}

const targets = () => collector.scrapes?.targets().active ?? [];
const found = () =>
  targets()
    .map(({ labels }) => `${labels["service"]} ${labels["instance"]}`)
    .sort();
const finds = (what: string, withinMs: number, ...expected: string[]) =>
  eventually(what, withinMs, () => found().join("\n") === expected.toSorted().join("\n"));
const metric = async (name: string) =>
  (await registry.getSingleMetric(`tocsin_discovery_${name}`)?.get())?.values[0]?.value;

async function keys(): Promise<{ lease?: string }[]> {
  const body = JSON.stringify({ key: btoa("/shop/"), range_end: btoa("/shop0") });
  const response = await fetch(`${etcd.url}/v3/kv/range`, { method: "POST", body });
  return ((await response.json()) as { kvs?: { lease?: string }[] }).kvs ?? [];
}

const order = (api: Service) =>
  fetch(`${api.url}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client: "web",
      phone: "+8613800000001",
      items: [{ sku: "tea", quantity: 1, priceYuan: 20 }],
    }),
  });

test("scraper and gateway find services that register themselves in etcd, and live through its absence", async () => {
  const sms = await start("sms");
  await finds("the first service is found", 10_000, `sms ${sms.address}`);
  expect((await keys()).map(({ lease }) => lease !== undefined && lease !== "0")).toEqual([true]);
  await eventually("it is scraped", 15_000, () => targets()[0]?.health === "up");

  // The watch sees what comes and what goes.
  const limiter = await start("rate-limiter");
  const api = await start("api");
  const three = [`sms ${sms.address}`, `rate-limiter ${limiter.address}`, `api ${api.address}`];
  await finds("new services are found", 10_000, ...three);
  await eventually("the gateway finds the SMS service", 10_000, async () => {
    const answer = await order(api);
    return answer.status === 201 && ((await answer.json()) as { confirmation: string }).confirmation === "sent";
  });
  const second = await start("sms");
  await finds("another instance is found", 10_000, ...three, `sms ${second.address}`);
  await end(second.child, "SIGTERM");
  await finds("a service that stops takes itself out at once", 3000, ...three);

  // A lease outlives what registered it by ten seconds at most; heartbeats keep the others' alive for longer.
  const killed = await start("sms");
  await finds("one more instance is found", 10_000, ...three, `sms ${killed.address}`);
  await end(killed.child, "SIGKILL");
  await finds("a killed service is gone when its lease ends", 20_000, ...three);

  // etcd away: nobody is lost.
  await etcd.kill();
  await eventually("the absence is counted", 15_000, async () => (await metric("registries_away")) === 1);
  expect(found()).toEqual(three.toSorted());
  const newcomer = await start("sms");
  await eventually("attempts go on", 15_000, async () => ((await metric("failures_total")) ?? 0) >= 4);
  expect(found()).toEqual(three.toSorted());
  expect(await (await order(api)).json()).toMatchObject({ confirmation: "sent" });
  expect(await (await fetch(`${api.url}/metrics`)).text()).toMatch(
    /gateway_discovery_failures_total\{upstream="sms"\} [1-9]/,
  );

  // And back: what came in the meantime is found, what was there stays.
  await etcd.start();
  await finds("the list catches up", 40_000, ...three, `sms ${newcomer.address}`);
  expect(await metric("registries_away")).toBe(0);

  // A lease that somebody else ends is taken anew.
  const [revoked] = await keys();
  await fetch(`${etcd.url}/v3/lease/revoke`, { method: "POST", body: JSON.stringify({ ID: revoked?.lease }) });
  await eventually("there is another lease", 10_000, async () => {
    const leases = (await keys()).map(({ lease }) => lease);
    return leases.length === 4 && !leases.includes(revoked?.lease);
  });
  await finds("all are found again", 3000, ...three, `sms ${newcomer.address}`);
});
