import { parseConfig } from "@tocsin/platform";
import { describe, expect, test } from "vitest";
import { CollectorConfig } from "./config.ts";

const parse = (text: string) => parseConfig({ file: "tocsin.yaml", text }, CollectorConfig);

test("without a word, every receiver runs behind a memory limit and nothing leaves but to the bus", () => {
  const { receivers, processors, exporters } = parse("");
  expect(Object.entries(receivers).map(([name, { enabled }]) => [name, enabled])).toEqual([
    ["otlp_http", true],
    ["otlp_grpc", true],
    ["prometheus", true],
  ]);
  expect(receivers.otlp_http).toMatchObject({ max_body: 20 * 1024 * 1024, read_timeout: 15_000, cors_origins: [] });
  expect(receivers.prometheus.scrape_configs).toEqual([]);
  expect(processors).toEqual([{ memory_limiter: { limit: 1024 ** 3, check_interval: 1000 } }]);
  expect(exporters).toEqual({});
});

test("a part is configured under its name", () => {
  const config = parse(`
receivers:
  otlp_grpc: {enabled: false}
processors:
  - batch: {timeout: 50ms}
  - resource: {attributes: [{key: env, action: insert, value: demo}]}
exporters:
  otlp_http: {endpoint: "http://upstream:4318", headers: {x-key: secret}}
`);
  expect(config.receivers.otlp_grpc.enabled).toBe(false);
  expect(config.processors).toEqual([
    { batch: { timeout: 50, send_batch_size: 8192, send_batch_bytes: 1024 * 1024 } },
    { resource: { attributes: [{ key: "env", action: "insert", value: "demo" }] } },
  ]);
  expect(JSON.stringify(config.exporters)).not.toContain('"secret"');
});

describe("a mistake is named with its place", () => {
  test.each([
    ["receivers:\n  otlp_htp: {}", "tocsin.yaml:2:3 receivers.otlp_htp: unknown key"],
    [
      "receivers:\n  otlp_http:\n    max_body: huge",
      'tocsin.yaml:3:5 receivers.otlp_http.max_body: not a valid size: "huge"',
    ],
    [
      "processors:\n  - batch: {}\n    resource: {attributes: [{key: a, action: delete}]}",
      "tocsin.yaml:2:5 processors.0: one processor per entry",
    ],
    [
      "processors:\n  - resource: {attributes: [{key: a, action: insert}]}",
      "processors.0.resource.attributes.0.value: insert needs a value",
    ],
    [
      "processors:\n  - memory_limiter: {limit: 1MiB, recover: 2MiB}",
      "processors.0.memory_limiter.recover: is above the limit",
    ],
    ["exporters:\n  otlp_http: {endpoint: upstream}", "exporters.otlp_http.endpoint"],
    [
      "receivers:\n  prometheus:\n    scrape_configs:\n      - job_name: a\n      - job_name: a",
      "tocsin.yaml:5:9 receivers.prometheus.scrape_configs.1.job_name: there is another",
    ],
  ])("%j", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});
