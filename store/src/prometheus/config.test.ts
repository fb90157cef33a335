import { expect, test } from "vitest";
import { PrometheusStoreConfig } from "./config.ts";

test("an empty section means a Prometheus on this machine", () => {
  expect(PrometheusStoreConfig.parse({})).toMatchObject({
    url: "http://127.0.0.1:9090",
    remote_write_version: "1.0",
    queue: { shards: 4, max_samples_per_send: 2000, retry_for: 30_000 },
  });
});

test("secrets do not show themselves", () => {
  const config = PrometheusStoreConfig.parse({
    basic_auth: { username: "tocsin", password: "hunter2" },
    bearer_token: "s3cret",
  });
  expect(JSON.stringify(config)).not.toMatch(/hunter2|s3cret/);
});

test.each([[{ url: "prometheus:9090" }], [{ url: "ftp://prometheus" }], [{ queue: { shards: 0 } }], [{ quue: {} }]])(
  "%j is a mistake",
  (config) => {
    expect(PrometheusStoreConfig.safeParse(config).success).toBe(false);
  },
);
