import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, startTocsin, type TocsinProcess } from "@tocsin/testing";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BOARDS = join(ROOT, "grafana/dashboards");

/** Metrics that the demo cannot have. A query may come back empty only if it asks for one of them. */
const KAFKA = "only with the bus on Kafka";
const PROMETHEUS = "only with samples in Prometheus";
const ELASTICSEARCH = "only with logs and spans in Elasticsearch";
const REMOTE_WRITTEN = "computed from spans by the writer; a scrape does not bring it, remote write does";
const ABSENT: Record<string, { reason: string; from: readonly Source[] }> = {
  tocsin_bus_spool_bytes: { reason: KAFKA, from: ["prometheus", "tocsin"] },
  tocsin_bus_lag_records: { reason: KAFKA, from: ["prometheus", "tocsin"] },
  tocsin_bus_consumed_records_total: { reason: KAFKA, from: ["prometheus", "tocsin"] },
  tocsin_bus_send_seconds_bucket: { reason: KAFKA, from: ["prometheus", "tocsin"] },
  tocsin_bus_send_failures_total: { reason: KAFKA, from: ["prometheus", "tocsin"] },
  tocsin_bus_rebalances_total: { reason: KAFKA, from: ["prometheus", "tocsin"] },
  tocsin_bus_consumer_restarts_total: { reason: KAFKA, from: ["prometheus", "tocsin"] },
  tocsin_bus_expired_records_total: { reason: KAFKA, from: ["prometheus", "tocsin"] },
  tocsin_prometheus_write_samples_total: { reason: PROMETHEUS, from: ["prometheus", "tocsin"] },
  tocsin_prometheus_write_pending_samples: { reason: PROMETHEUS, from: ["prometheus", "tocsin"] },
  tocsin_prometheus_write_retries_total: { reason: PROMETHEUS, from: ["prometheus", "tocsin"] },
  tocsin_prometheus_write_dropped_samples_total: { reason: PROMETHEUS, from: ["prometheus", "tocsin"] },
  tocsin_store_bulk_retries_total: { reason: ELASTICSEARCH, from: ["prometheus", "tocsin"] },
  traces_service_graph_request_total: { reason: REMOTE_WRITTEN, from: ["prometheus"] },
  traces_service_graph_request_client_seconds_bucket: { reason: REMOTE_WRITTEN, from: ["prometheus"] },
};

type Source = "prometheus" | "tocsin";

interface BoardQuery {
  /** `board: panel: refId`, for the report. */
  readonly where: string;
  /** The query for each choice of the board's service: one of them at least must give series. */
  readonly exprs: readonly string[];
}

/** Every board's queries, as Grafana sends them, to Debian's Prometheus and to our own query API beside the running demo. */
describe("queries of the Grafana boards", () => {
  const folder = mkdtempSync(join(tmpdir(), "tocsin-grafana-"));
  const url: Record<Source, string> = { prometheus: "", tocsin: "" };
  let tocsin: TocsinProcess;
  let prometheus: ChildProcess;
  let queries: BoardQuery[];

  beforeAll(async () => {
    tocsin = await startTocsin();
    url.tocsin = tocsin.address("dashboard");
    const started = await startPrometheus(folder, tocsin);
    ({ process: prometheus, url: url.prometheus } = started);
    await postAlert(tocsin);
    // Rates need two samples: of scrapes, of the notification after its group_wait, and of what the span writer computes.
    const told = "rate(tocsin_alert_response_seconds_count[20s])";
    const ordered = "sum(rate(orders_total[20s]))";
    const paired = "sum(rate(traces_service_graph_request_total[60s]))";
    await Promise.all([
      eventually("notifications in Prometheus", 90_000, () =>
        hasSeries(url.prometheus, `${told} and on () ${ordered}`),
      ),
      eventually("notifications in Tocsin", 90_000, () =>
        hasSeries(url.tocsin, `${told} and on () ${ordered} and on () ${paired}`),
      ),
    ]);
    queries = await readQueries(url.prometheus);
  });
  afterAll(async () => {
    prometheus?.kill("SIGTERM");
    await tocsin?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("there are many", () => {
    expect(queries.length).toBeGreaterThan(150);
  });

  test.each(["prometheus", "tocsin"] as const)("return series from %s", async (source) => {
    const empty: string[] = [];
    for (const { where, exprs } of queries) {
      const answers = await Promise.all(exprs.map((expr) => hasSeries(url[source], expr)));
      if (answers.includes(true)) continue;
      const names = (await Promise.all(exprs.map((expr) => metricNames(url.tocsin, expr)))).flat();
      if (!names.some((name) => ABSENT[name]?.from.includes(source))) empty.push(`${where}: ${exprs.join(" or ")}`);
    }
    expect(empty).toEqual([]);
  });

  test("ask only for metrics that somebody exposes, also where a missing one counts as 0", async () => {
    const exposed = new Set([...(await exposedNames(url.prometheus)), ...(await exposedNames(url.tocsin))]);
    const exprs = queries.flatMap(({ exprs }) => exprs);
    const asked = new Set((await Promise.all(exprs.map((expr) => metricNames(url.tocsin, expr)))).flat());
    expect([...asked].filter((name) => !exposed.has(name) && !(name in ABSENT))).toEqual([]);
    expect(Object.keys(ABSENT).filter((name) => !asked.has(name))).toEqual([]);
  });
});

async function startPrometheus(folder: string, tocsin: TocsinProcess): Promise<{ process: ChildProcess; url: string }> {
  const port = await freePort();
  const target = (name: string) => tocsin.address(name).replace("http://", "");
  const jobs = { api: "api", sms: "sms", "rate-limiter": "rate-limiter", tocsin: "dashboard" };
  const config = {
    global: { scrape_interval: "5s", scrape_timeout: "4s", evaluation_interval: "5s" },
    rule_files: [join(ROOT, "prometheus/rules/*.yml")],
    scrape_configs: Object.entries(jobs).map(([job, name]) => ({
      job_name: job,
      static_configs: [{ targets: [target(name)] }],
    })),
  };
  // JSON is YAML.
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--enable-feature=exemplar-storage",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (error) => reject(new Error("Prometheus cannot be started; install it", { cause: error })));
    child.once("exit", (code) => reject(new Error(`Prometheus ended with ${code}:\n${log}`)));
  });
  failed.catch(() => {});
  const ready = eventually("Prometheus ready", 30_000, async () => (await fetch(`${url}/-/ready`)).ok);
  await Promise.race([ready, failed]);
  return { process: child, url };
}

/** So that something has been notified: the demo alone sends nothing while all is well. */
async function postAlert(tocsin: TocsinProcess): Promise<void> {
  for (const alertname of ["BoardTest", "BoardTestAgain", "BoardTestOnceMore"]) {
    const alert = { labels: { alertname, severity: "warning", service: "api" }, annotations: { summary: "a test" } };
    const answer = await fetch(`${tocsin.address("dashboard")}/api/v2/alerts`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify([alert]),
    });
    if (!answer.ok) throw new Error(`${answer.status} from the router: ${await answer.text()}`);
    // One notification after another, so that the counters are seen to rise.
    await pause(6000);
  }
}

interface DashboardJson {
  title: string;
  panels: { title: string; targets?: { refId: string; expr: string; interval?: string }[] }[];
  templating: { list: { type: string; name: string; query: string | { query: string }; allValue?: string }[] };
}

async function readQueries(server: string): Promise<BoardQuery[]> {
  const files = readdirSync(BOARDS).filter((name) => name.endsWith(".json"));
  const boards = files.map((name) => JSON.parse(readFileSync(join(BOARDS, name), "utf8")) as DashboardJson);
  const perBoard = await Promise.all(
    boards.map(async ({ title, panels, templating }) => {
      const values: Record<string, string> = { __range: "1m" };
      let services = [""];
      for (const { type, name, query, allValue } of templating.list) {
        if (type === "custom" && typeof query === "string") values[name] = query.split(",")[0] ?? "";
        if (type !== "query" || typeof query === "string") continue;
        const found = await labelValues(server, interpolate(query.query, { ...values, service: services[0] ?? "" }));
        if (found.length === 0) throw new Error(`${title}: no values for the variable ${name}: ${query.query}`);
        if (name === "service" && allValue === undefined) services = found;
        else values[name] = allValue ?? ".*";
      }
      return panels.flatMap((panel) =>
        (panel.targets ?? []).map(({ refId, expr, interval = "5s" }) => {
          // Four scrapes, as Grafana computes it.
          const window = `${4 * Number.parseInt(interval, 10)}s`;
          const of = (service: string) => interpolate(expr, { service, ...values, __rate_interval: window });
          return { where: `${title}: ${panel.title}: ${refId}`, exprs: [...new Set(services.map(of))] };
        }),
      );
    }),
  );
  return perBoard.flat();
}

function interpolate(text: string, values: Record<string, string>): string {
  return text.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => values[name] ?? whole);
}

/** `label_values(selector, label)`, as Grafana asks for it. */
async function labelValues(server: string, query: string): Promise<string[]> {
  const [, selector = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
  return get<string[]>(`${server}/api/v1/label/${label}/values?match[]=${encodeURIComponent(selector)}`);
}

async function hasSeries(server: string, expr: string): Promise<boolean> {
  const now = Date.now() / 1000;
  const range = `start=${now - 10}&end=${now}&step=5`;
  const { result } = await get<{ result: unknown[] }>(
    `${server}/api/v1/query_range?query=${encodeURIComponent(expr)}&${range}`,
  );
  return result.length > 0;
}

async function metricNames(tocsin: string, expr: string): Promise<string[]> {
  const tree = await get<object>(`${tocsin}/api/v1/parse_query?query=${encodeURIComponent(expr)}`);
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== "object") return;
    const { type, name } = node as { type?: string; name?: string };
    if ((type === "vectorSelector" || type === "matrixSelector") && name !== undefined) names.add(name);
    for (const child of Object.values(node)) visit(child);
  };
  visit(tree);
  return [...names];
}

/** Names with series, and those that a target declares without having counted anything yet. */
async function exposedNames(server: string): Promise<string[]> {
  const names = await get<string[]>(`${server}/api/v1/label/__name__/values`);
  const declared = await get<Record<string, unknown>>(`${server}/api/v1/metadata`);
  // OpenMetrics declares a counter without its suffix.
  return [...names, ...Object.keys(declared).flatMap((name) => [name, `${name}_total`, `${name}_bucket`])];
}

async function get<T>(address: string): Promise<T> {
  const answer = await fetch(address);
  const body = (await answer.json()) as { status: string; data: T; error?: string };
  if (body.status !== "success") throw new Error(`${body.error ?? answer.status} from ${decodeURIComponent(address)}`);
  return body.data;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
