import { mkdtemp, rm, unlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { systemClock } from "@tocsin/platform";
import { ManualClock } from "@tocsin/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WriteRequest } from "@tocsin/model";
import { startCollector, type RunningCollector } from "../../testing/start-collector.ts";
import { PrometheusConfig } from "./config.ts";

/** An endpoint to scrape; the test says what it answers. */
class FakeTarget {
  readonly requests: { url: string; headers: IncomingHttpHeaders }[] = [];
  body = "";
  respond: (response: ServerResponse) => void = (response) => response.end(this.body);
  readonly #server = createServer((request, response) => {
    this.requests.push({ url: request.url ?? "", headers: request.headers });
    this.respond(response);
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

let target: FakeTarget;
let clock: ManualClock;
beforeEach(async () => {
  target = new FakeTarget();
  await target.start();
  clock = new ManualClock(1_763_726_400_000);
});
afterEach(() => target.stop());

const INTERVAL_MS = 10_000;
type ScrapeInput = Record<string, unknown>;

function receivers(...scrapes: ScrapeInput[]) {
  const scrape_configs = scrapes.map((scrape, i) => ({
    job_name: `job${i}`,
    static_configs: [{ targets: [target.address] }],
    ...scrape,
  }));
  return {
    otlp_http: { enabled: false },
    otlp_grpc: { enabled: false },
    prometheus: { global: { scrape_interval: "10s" }, scrape_configs },
  };
}

const start = (first: ScrapeInput = {}, ...more: ScrapeInput[]) =>
  startCollector({ receivers: receivers(first, ...more) }, clock);

function lastSamples({ bus }: RunningCollector): WriteRequest {
  return bus.samples.at(-1) ?? { series: [] };
}

/** Lets one interval pass and returns what the next scrape handed on. */
async function nextScrape(running: RunningCollector): Promise<WriteRequest> {
  const { bus } = running;
  const before = bus.messages.length;
  await clock.advance(INTERVAL_MS);
  await expect.poll(() => bus.messages.length, { interval: 2, timeout: 10_000 }).toBeGreaterThan(before);
  return lastSamples(running);
}

/** Series as text → value, without those every scrape adds. */
function values({ series }: WriteRequest, withReports = false): Record<string, number | "stale"> {
  const shown = series.map(({ labels, samples }) => {
    const text = Object.entries(labels)
      .filter(([name]) => !["__name__", "job", "instance"].includes(name))
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join(",");
    const sample = samples[0];
    return [`${labels["__name__"]}{${text}}`, sample?.stale ? "stale" : (sample?.value ?? Number.NaN)] as const;
  });
  return Object.fromEntries(shown.filter(([text]) => withReports || !/^(up|scrape_)/.test(text)));
}

describe("a scrape", () => {
  test("hands on every sample with the target's labels, and reports on itself", async () => {
    target.body = '# HELP a_total what it counts\n# TYPE a_total counter\na_total{x="1"} 5\nb 2 1763726399000\n';
    await using running = await start({ static_configs: [{ targets: [target.address], labels: { env: "test" } }] });
    const request = await nextScrape(running);
    const at = request.series.find(({ labels }) => labels["__name__"] === "up")?.samples[0]?.timestampMs;
    const own = { job: "job0", instance: target.address, env: "test" };
    expect(request.series.slice(0, 3)).toEqual([
      { labels: { __name__: "a_total", x: "1", ...own }, samples: [{ timestampMs: at, value: 5 }] },
      { labels: { __name__: "b", ...own }, samples: [{ timestampMs: 1_763_726_399_000, value: 2 }] },
      { labels: { __name__: "up", ...own }, samples: [{ timestampMs: at, value: 1 }] },
    ]);
    expect(values(request, true)).toMatchObject({
      "scrape_samples_scraped{env=test}": 2,
      "scrape_samples_post_metric_relabeling{env=test}": 2,
      "scrape_series_added{env=test}": 2,
    });
    expect(request.metadata).toEqual([{ metric: "a_total", type: "counter", unit: "", help: "what it counts" }]);
    expect(values(await nextScrape(running), true)).toMatchObject({ "scrape_series_added{env=test}": 0 });
  });

  test("happens once per interval, at a place of the target's own", async () => {
    await using running = await start({}, { job_name: "other", metrics_path: "/other" });
    await clock.advance(INTERVAL_MS * 3);
    await expect.poll(() => running.bus.messages.length).toBe(6);
    const offsets = new Set(
      running.bus.samples.map(({ series }) => (series[0]?.samples[0]?.timestampMs ?? 0) % INTERVAL_MS),
    );
    expect(offsets.size).toBe(2);
  });

  test("takes OpenMetrics with exemplars when the target offers it", async () => {
    target.respond = (response) => {
      response.setHeader("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
      response.end(
        '# TYPE r counter\nr_total 3 # {trace_id="5b8efff798038103d269b633813fc60c"} 1 1763726399.5\n# EOF\n',
      );
    };
    await using running = await start();
    const { series, metadata } = await nextScrape(running);
    expect(series[0]?.exemplars).toEqual([
      { labels: { trace_id: "5b8efff798038103d269b633813fc60c" }, value: 1, timestampMs: 1_763_726_399_500 },
    ]);
    expect(metadata).toEqual([{ metric: "r", type: "counter", unit: "", help: "" }]);
    expect(target.requests[0]?.headers["accept"]).toContain("application/openmetrics-text;version=1.0.0");
  });

  test("asks as configured", async () => {
    await using running = await start({
      metrics_path: "/probe",
      params: { module: ["http_2xx"], collect: ["cpu", "mem"] },
      basic_auth: { username: "u", password: "p" },
    });
    await nextScrape(running);
    const [request] = target.requests;
    expect(new URL(request?.url ?? "", "http://x").searchParams.getAll("collect").sort()).toEqual(["cpu", "mem"]);
    expect(request?.url).toMatch(/^\/probe\?.*module=http_2xx/);
    expect(request?.headers.authorization).toBe(`Basic ${btoa("u:p")}`);
    expect(request?.headers["x-prometheus-scrape-timeout-seconds"]).toBe("10");
  });

  test("unzips", async () => {
    target.respond = (response) => response.setHeader("content-encoding", "gzip").end(gzipSync("a 1\n"));
    await using running = await start();
    expect(values(await nextScrape(running))).toEqual({ "a{}": 1 });
  });

  test("keeps scraped labels that clash as exported_, or lets them win", async () => {
    target.body = 'a{job="theirs",exported_job="older"} 1\n';
    await using running = await start({}, { honor_labels: true });
    await clock.advance(INTERVAL_MS);
    await expect.poll(() => running.bus.messages.length).toBe(2);
    const labels = running.bus.samples
      .map(({ series }) => series[0]?.labels)
      .sort((a, b) => ((a?.["job"] ?? "") < (b?.["job"] ?? "") ? -1 : 1));
    expect(labels).toEqual([
      { __name__: "a", job: "job0", exported_job: "older", exported_exported_job: "theirs", instance: target.address },
      { __name__: "a", job: "theirs", exported_job: "older", instance: target.address },
    ]);
  });

  test("relabels samples and leaves out what that drops", async () => {
    target.body = "go_a 1\ngo_b 2\nkeep 3\n";
    await using running = await start({
      metric_relabel_configs: [
        { source_labels: ["__name__"], regex: "go_a", action: "drop" },
        { source_labels: ["__name__"], regex: "go_(.*)", target_label: "__name__", replacement: "node_$1" },
      ],
    });
    expect(values(await nextScrape(running), true)).toMatchObject({
      "node_b{}": 2,
      "keep{}": 3,
      "scrape_samples_scraped{}": 3,
      "scrape_samples_post_metric_relabeling{}": 2,
    });
  });

  test("takes a sample that is given twice once", async () => {
    target.body = "a 1\na 2\n";
    await using running = await start();
    const { series } = await nextScrape(running);
    expect(series.filter(({ labels }) => labels["__name__"] === "a")).toMatchObject([{ samples: [{ value: 1 }] }]);
  });
});

describe("the end of a series is marked", () => {
  test("when it vanishes from the target, once", async () => {
    target.body = "a 1\nb 2\n";
    await using running = await start();
    await nextScrape(running);
    target.body = "b 3\n";
    expect(values(await nextScrape(running))).toEqual({ "b{}": 3, "a{}": "stale" });
    expect(values(await nextScrape(running))).toEqual({ "b{}": 3 });
  });

  test("not when only the order of its labels changes", async () => {
    target.body = 'a{x="1",y="2"} 1\n';
    await using running = await start();
    await nextScrape(running);
    target.body = 'a{y="2",x="1"} 2\n';
    expect(values(await nextScrape(running))).toEqual({ "a{x=1,y=2}": 2 });
  });

  test("not where the target gives timestamps, unless asked to", async () => {
    target.body = "a 1 1763726399000\n";
    await using running = await start();
    await nextScrape(running);
    target.body = "";
    expect(values(await nextScrape(running))).toEqual({});

    target.body = "a 1 1763726399000\n";
    await using tracking = await start({ track_timestamps_staleness: true });
    await nextScrape(tracking);
    target.body = "";
    expect(values(await nextScrape(tracking))).toEqual({ "a{}": "stale" });
  });

  test.each<[string, (response: ServerResponse) => void, string]>([
    [
      "answers with an error",
      (response) => response.writeHead(500).end(),
      "server returned HTTP status 500 Internal Server Error",
    ],
    ["answers nonsense", (response) => response.end("c 1\n<html>\n"), 'line 2: no value after "<html>"'],
    ["is not UTF-8", (response) => response.end(Buffer.from([0x61, 0xff])), "the body is not valid UTF-8"],
    ["hangs up", (response) => response.destroy(), "other side closed"],
    ["says too much", (response) => response.end(`# ${"x".repeat(2000)}\n`), "body size limit of 1024 bytes exceeded"],
    ["has too many samples", (response) => response.end("c 1\nd 2\ne 3\n"), "sample limit exceeded (limit: 2)"],
    [
      "has too many labels",
      (response) => response.end('c{d="1",e="2"} 1\n'),
      "label_limit exceeded (metric: c, number of labels: 5, limit: 4)",
    ],
  ])("when the target %s", async (_, respond, reason) => {
    target.body = "a 1\nb 1\n";
    await using running = await start({ body_size_limit: "1KiB", sample_limit: 2, label_limit: 4 });
    await nextScrape(running);
    target.respond = respond;
    expect(values(await nextScrape(running), true)).toMatchObject({
      "a{}": "stale",
      "b{}": "stale",
      "up{}": 0,
      "scrape_samples_scraped{}": 0,
    });
    expect(running.collector.scrapes?.targets().active).toMatchObject([{ health: "down", lastError: reason }]);
    const again = values(await nextScrape(running), true);
    expect([again["a{}"], again["c{}"], again["up{}"]]).toEqual([undefined, undefined, 0]);
    target.respond = (response) => response.end("a 2\n");
    expect(values(await nextScrape(running), true)).toMatchObject({ "a{}": 2, "up{}": 1 });
  });

  test("when the target does not answer in time", async () => {
    target.body = "a 1\n";
    await using running = await start({ scrape_timeout: "2s" });
    await nextScrape(running);
    target.respond = () => {};
    const asked = target.requests.length;
    const before = running.bus.messages.length;
    await clock.advance(INTERVAL_MS);
    await expect.poll(() => target.requests.length).toBe(asked + 1);
    await clock.advance(2000);
    await expect.poll(() => running.bus.messages.length).toBe(before + 1);
    expect(values(lastSamples(running), true)).toMatchObject({ "a{}": "stale", "up{}": 0 });
    expect(running.collector.scrapes?.targets().active[0]?.lastError).toBe("the target did not answer within 2s");
  });

  test("with the target's own when the job goes, and a job that stays is left alone", async () => {
    target.body = "a 1\n";
    await using running = await start({}, { job_name: "stays", metrics_path: "/other" });
    await clock.advance(INTERVAL_MS);
    await expect.poll(() => running.bus.messages.length).toBe(2);
    const { scrapes } = running.collector;
    await scrapes?.apply(PrometheusConfig.parse(receivers({ job_name: "stays", metrics_path: "/other" }).prometheus));
    expect(running.bus.messages).toHaveLength(3);
    expect(values(lastSamples(running), true)).toEqual({
      "a{}": "stale",
      "up{}": "stale",
      "scrape_duration_seconds{}": "stale",
      "scrape_samples_scraped{}": "stale",
      "scrape_samples_post_metric_relabeling{}": "stale",
      "scrape_series_added{}": "stale",
    });
    expect(scrapes?.pools()).toEqual(["stays"]);
    expect(scrapes?.targets().active[0]?.health).toBe("up");
  });

  test("but not when the collector stops", async () => {
    target.body = "a 1\n";
    const running = await start();
    await nextScrape(running);
    await running.collector.stop();
    expect(running.bus.messages).toHaveLength(1);
    await clock.advance(INTERVAL_MS * 3);
    expect(target.requests).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe("targets", () => {
  test("can be relabelled and dropped", async () => {
    await using running = await start({
      static_configs: [{ targets: [target.address, "drop.example:1"], labels: { __meta_zone: "z1" } }],
      relabel_configs: [
        { source_labels: ["__address__"], regex: "drop.*", action: "drop" },
        { source_labels: ["__meta_zone"], target_label: "zone" },
        { target_label: "__metrics_path__", replacement: "/relabelled" },
        { target_label: "__param_q", replacement: "1" },
      ],
    });
    const { active, dropped } = running.collector.scrapes?.targets() ?? { active: [], dropped: [] };
    expect(active).toEqual([
      {
        discoveredLabels: {
          __address__: target.address,
          __meta_zone: "z1",
          __metrics_path__: "/metrics",
          __scheme__: "http",
          __scrape_interval__: "10s",
          __scrape_timeout__: "10s",
          job: "job0",
        },
        labels: { job: "job0", instance: target.address, zone: "z1" },
        scrapePool: "job0",
        scrapeUrl: `http://${target.address}/relabelled?q=1`,
        globalUrl: `http://${target.address}/relabelled?q=1`,
        lastError: "",
        lastScrape: "0001-01-01T00:00:00Z",
        lastScrapeDuration: 0,
        health: "unknown",
        scrapeInterval: "10s",
        scrapeTimeout: "10s",
      },
    ]);
    expect(dropped).toMatchObject([{ scrapePool: "job0", discoveredLabels: { __address__: "drop.example:1" } }]);
  });

  test("come from files, and go with them", async () => {
    const dir = await mkdtemp(join(tmpdir(), "file-sd-"));
    const file = join(dir, "shop.yml");
    try {
      await writeFile(file, `- targets: ["${target.address}"]\n  labels: {team: shop}\n`);
      // The files are watched for real, so this clock is real too.
      await using running = await startCollector(
        {
          receivers: receivers({
            static_configs: [],
            file_sd_configs: [{ files: [join(dir, "*.yml"), join(dir, "more.json")] }],
          }),
        },
        systemClock,
      );
      const labels = () =>
        running.collector.scrapes
          ?.targets()
          .active.map((active) => active.labels["team"])
          .sort();
      expect(labels()).toEqual(["shop"]);
      expect(running.collector.scrapes?.targets().active[0]?.discoveredLabels["__meta_filepath"]).toBe(file);
      await writeFile(join(dir, "more.json"), JSON.stringify([{ targets: ["127.0.0.1:1"], labels: { team: "sms" } }]));
      await expect.poll(labels).toEqual(["shop", "sms"]);
      await writeFile(file, "- targets: {");
      await writeFile(join(dir, "more.json"), JSON.stringify([{ targets: ["127.0.0.1:1"], labels: { team: "mail" } }]));
      await expect.poll(labels).toEqual(["mail", "shop"]);
      await unlink(file);
      await expect.poll(labels).toEqual(["mail"]);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe("when there is no room for the samples", () => {
  test("they are offered again until the next scrape is due", async () => {
    target.body = "a 1\n";
    await using running = await start();
    running.bus.answer = { status: "retry", afterMs: 1000, error: "full" };
    while (target.requests.length === 0) await clock.advance(100);
    await expect.poll(() => running.bus.messages.length).toBe(1);
    running.bus.answer = { status: "ok" };
    await clock.advance(1000);
    await expect.poll(() => running.bus.messages.length).toBe(2);
    await clock.advance(5000);
    expect(running.bus.messages).toHaveLength(2);
    expect(running.bus.messages[0]?.value).toEqual(running.bus.messages[1]?.value);
  });
});

describe("a configuration", () => {
  const config = (scrape: object, global = {}) =>
    PrometheusConfig.safeParse({ global, scrape_configs: [{ job_name: "a", ...scrape }] });
  test.each([
    [config({ job_nme: "x" }), "scrape_configs.0: Unrecognized key"],
    [
      config({ scrape_interval: "5s", scrape_timeout: "6s" }),
      "scrape_configs.0.scrape_timeout: is above the scrape interval of 5s",
    ],
    [config({ basic_auth: {}, authorization: {} }), "scrape_configs.0: at most one of basic_auth and authorization"],
    [config({ file_sd_configs: [{ files: ["x.txt"] }] }), "ends in .json, .yml or .yaml"],
    [
      config({ relabel_configs: [{ regex: "(" }] }),
      "scrape_configs.0.relabel_configs.0.regex: not a valid RE2 pattern",
    ],
    [
      PrometheusConfig.safeParse({ scrape_configs: [{ job_name: "a" }, { job_name: "a" }] }),
      'scrape_configs.1.job_name: there is another scrape config with job_name "a"',
    ],
  ])("that is wrong says where (%#)", (result, message) => {
    const issues = result.error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    expect(issues?.join("\n")).toContain(message);
  });

  test("takes a shorter timeout when the interval is below the global timeout", async () => {
    await using running = await start({ scrape_interval: "3s" });
    expect(running.collector.scrapes?.targets().active).toMatchObject([{ scrapeInterval: "3s", scrapeTimeout: "3s" }]);
  });
});
