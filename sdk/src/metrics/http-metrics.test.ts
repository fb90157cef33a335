import { Registry, type RegistryContentType } from "prom-client";
import { expect, test } from "vitest";
import { HttpServerMetrics } from "./http-metrics.ts";

function metrics() {
  const registry = new Registry();
  (registry as Registry<RegistryContentType>).setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const http = new HttpServerMetrics(registry);
  const page = async (): Promise<string> => {
    registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
    return registry.metrics();
  };
  return { http, page };
}

test("counts requests that matched no route together", async () => {
  const { http, page } = metrics();
  http.observe("GET", undefined, 404, 0.001);
  http.observe("GET", undefined, 404, 0.002);
  expect(await page()).toMatch(/_count\{method="GET",route="__unmatched__",status_code="404"\} 2/);
});

test("keeps 200 routes apart and counts what is beyond under __overflow__, with a warning metric", async () => {
  const { http, page } = metrics();
  for (let i = 0; i < 205; i++) http.observe("GET", `/r${i}`, 200, 0.001);
  http.observe("GET", "/r7", 200, 0.001);
  const text = await page();
  expect(text).toMatch(/_count\{method="GET",route="\/r199",status_code="200"\} 1/);
  expect(text).not.toContain('route="/r200"');
  expect(text).toMatch(/_count\{method="GET",route="__overflow__",status_code="200"\} 5/);
  expect(text).toMatch(/_count\{method="GET",route="\/r7",status_code="200"\} 2/);
  expect(text).toContain("tocsin_sdk_route_overflow_total 5");
});
