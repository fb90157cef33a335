import { Counter, Gauge, Histogram, Registry, type RegistryContentType } from "prom-client";
import { expect, test } from "vitest";
import { exposition, negotiate } from "./exposition.ts";

function registryWithEverything(): Registry {
  const registry = new Registry();
  (registry as Registry<RegistryContentType>).setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  new Counter({ name: "orders_total", help: "Orders", labelNames: ["outcome"], registers }).inc({
    outcome: 'say "hi"\n',
  });
  new Gauge({ name: "queue_depth", help: "Depth\\of queue", registers }).set(Number.NaN);
  const histogram = new Histogram<string>({
    name: "latency_seconds",
    help: "Latency",
    labelNames: ["route"],
    buckets: [0.5, 1],
    enableExemplars: true,
    registers,
  });
  const exemplarLabels = { trace_id: "0af7651916cd43dd8448eb211c80319c", span_id: "b7ad6b7169203331" };
  histogram.observe({ labels: { route: "/a" }, value: 0.7, exemplarLabels });
  return registry;
}

test("writes classic text without exemplars", async () => {
  expect(await exposition([registryWithEverything()], "text")).toBe(
    [
      "# HELP orders_total Orders",
      "# TYPE orders_total counter",
      'orders_total{outcome="say \\"hi\\"\\n"} 1',
      "# HELP queue_depth Depth\\\\of queue",
      "# TYPE queue_depth gauge",
      "queue_depth NaN",
      "# HELP latency_seconds Latency",
      "# TYPE latency_seconds histogram",
      'latency_seconds_bucket{le="0.5",route="/a"} 0',
      'latency_seconds_bucket{le="1",route="/a"} 1',
      'latency_seconds_bucket{le="+Inf",route="/a"} 1',
      'latency_seconds_sum{route="/a"} 0.7',
      'latency_seconds_count{route="/a"} 1',
      "",
    ].join("\n"),
  );
});

test("writes OpenMetrics with exemplars, canonical bounds, a bare counter family and the end mark", async () => {
  const lines = (await exposition([registryWithEverything()], "openmetrics")).split("\n");
  expect(lines.slice(0, 3)).toEqual([
    "# TYPE orders counter",
    "# HELP orders Orders",
    'orders_total{outcome="say \\"hi\\"\\n"} 1',
  ]);
  expect(lines[9]).toMatch(
    /^latency_seconds_bucket\{le="1\.0",route="\/a"\} 1 # \{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"\} 0\.7 \d+(\.\d+)?$/,
  );
  expect(lines.slice(-2)).toEqual(["# EOF", ""]);
});

test("leaves the names of counters alone, whichever format was asked for before", async () => {
  const registry = registryWithEverything();
  const before = await exposition([registry], "text");
  await exposition([registry], "openmetrics");
  expect(await exposition([registry], "text")).toBe(before);
});

test("shows a metric that two registries have only once, the first registry's", async () => {
  const [first, second] = [new Registry(), new Registry()];
  new Gauge({ name: "up", help: "first", registers: [first] }).set(1);
  new Gauge({ name: "up", help: "second", registers: [second] }).set(2);
  new Gauge({ name: "other", help: "other", registers: [second] }).set(3);
  const page = await exposition([first, second], "text");
  expect(page).toContain("up 1");
  expect(page).not.toContain("up 2");
  expect(page).toContain("other 3");
});

test.each([
  ["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", "openmetrics"],
  ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
  ["application/openmetrics-text;q=0, text/plain", "text"],
  ["*/*", "text"],
  [undefined, "text"],
])("answers Accept %s with %s", (accept, format) => {
  expect(negotiate(accept)).toBe(format);
});
