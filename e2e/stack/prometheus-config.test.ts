import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alertmanagerApi, createAlertRouter, type AlertRouter } from "@tocsin/alerting";
import { createHttpServer, Registry, systemClock } from "@tocsin/platform";
import { eventually, silentLogger } from "@tocsin/testing";
import { createPrometheusServer, type PrometheusServer } from "../support/prometheus-server.ts";

/** The shipped prometheus.yml with its rules in a real Prometheus, beside our router; only addresses are other ones. */
const shipped = fileURLToPath(new URL("../../prometheus/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tocsin-prometheus-config-"));
const app = createHttpServer({ logger: silentLogger });
let router: AlertRouter;
let prometheus: PrometheusServer;

beforeAll(async () => {
  writeFileSync(join(folder, "alertmanager.yml"), "route: {receiver: none}\nreceivers: [{name: none}]\n");
  router = createAlertRouter({
    configFile: join(folder, "alertmanager.yml"),
    dataDir: join(folder, "router"),
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
    externalUrl: "http://tocsin.example",
    stopGraceMs: 0,
  });
  await router.start();
  await app.register(alertmanagerApi, { router });
  app.get("/api/tocsin/v1/discovery/targets", async () => [
    { targets: ["127.0.0.1:1"], labels: { job: "sms", __scheme__: "http", __metrics_path__: "/metrics" } },
    { targets: ["127.0.0.1:2"], labels: { job: "found-by-etcd", __scheme__: "http", __metrics_path__: "/metrics" } },
  ]);
  app.get("/metrics", async (_request, reply) => reply.type("text/plain; version=0.0.4").send("a 1\n"));
  const tocsin = await app.listen({ host: "127.0.0.1", port: 0 });
  const address = new URL(tocsin).host;
  cpSync(join(shipped, "targets"), join(folder, "targets"), { recursive: true });
  for (const file of ["alertmanagers", "tocsin"])
    writeFileSync(join(folder, `targets/${file}.yml`), `- targets: ["${address}"]\n`);
  const config = readFileSync(join(shipped, "prometheus.yml"), "utf8")
    .replaceAll("rules/*.yml", join(shipped, "rules/*.yml"))
    .replaceAll("[targets/", `[${folder}/targets/`)
    .replaceAll("http://127.0.0.1:9400", tocsin);
  // An alert that fires before the router is discovered is sent again only after a minute by default.
  const flags = ["--web.external-url=http://tocsin.example", "--rules.alert.resend-delay=2s"];
  prometheus = await createPrometheusServer(config, flags);
  await prometheus.start();
});
afterAll(async () => {
  await prometheus.remove();
  await app.close();
  await router.stop();
  rmSync(folder, { recursive: true });
});

const ask = async (path: string) =>
  (await (await fetch(`${prometheus.url}/api/v1/${path}`)).json()) as { data: Record<string, unknown> };

test("finds Tocsin and the samples by file, the others over HTTP, nothing twice", async () => {
  const pools = await eventually("all targets", 30_000, async () => {
    const { data } = await ask("targets?state=active");
    const active = data["activeTargets"] as { scrapePool: string; labels: Record<string, string> }[];
    const found = active.map(({ scrapePool, labels }) => `${scrapePool}: ${labels["job"]}`).sort();
    return found.some((line) => line.startsWith("discovered")) && found;
  });
  expect(pools).toEqual([
    "discovered: found-by-etcd",
    "prometheus: prometheus",
    "services: api",
    "services: rate-limiter",
    "services: sms",
    "tocsin: tocsin",
  ]);
});

test("takes samples as old as an hour, and loads every rule file", async () => {
  const { data } = await ask("status/config");
  expect(data["yaml"]).toContain("out_of_order_time_window: 1h");
  const rules = await ask("rules");
  const groups = (rules.data["groups"] as { name: string }[]).map(({ name }) => name);
  expect(groups.sort()).toEqual(
    ["business", "gateway", "http", "platform", "rate-limiter", "services", "slo", "slo-windows", "sms"],
  ); // prettier-ignore
});

test("its alerts come to our router, with links that lead to Tocsin", async () => {
  const alert = await eventually("the watchdog", 60_000, async () => {
    const { body } = await app.inject("/api/v2/alerts?filter=alertname%3DWatchdog");
    return (JSON.parse(body) as { annotations: Record<string, string>; generatorURL: string }[])[0];
  });
  expect(alert.annotations["runbook_url"]).toBe("http://tocsin.example/runbooks/Watchdog");
  expect(alert.generatorURL).toMatch(/^http:\/\/tocsin\.example\/graph\?g0\.expr=vector/);
});
