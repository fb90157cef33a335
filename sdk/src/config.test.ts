import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

test("sends traces and logs to the local collector when nothing is set", () => {
  const { config, warnings } = readConfig({});
  expect(config.tracesUrl).toBe("http://127.0.0.1:4318/v1/traces");
  expect(config.logsUrl).toBe("http://127.0.0.1:4318/v1/logs");
  expect(config.spans).toEqual({ maxQueueSize: 2048, maxBatchSize: 512, delayMs: 1000 });
  expect(config.metricsListen).toBeUndefined();
  expect(warnings).toEqual([]);
});

test("appends the signal's path to the endpoint, but takes a signal's own endpoint as it is", () => {
  const { config } = readConfig({
    OTEL_EXPORTER_OTLP_ENDPOINT: "https://otlp.example/base/",
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "https://logs.example/in",
  });
  expect(config.tracesUrl).toBe("https://otlp.example/base/v1/traces");
  expect(config.logsUrl).toBe("https://logs.example/in");
});

test("reads headers and resource attributes as percent-encoded pairs", () => {
  const { config } = readConfig({
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=s%3Dcret,x-tenant=acme",
    OTEL_RESOURCE_ATTRIBUTES: "service.name=from-attributes,deployment.environment.name=test",
  });
  expect(config.headers).toEqual({ "api-key": "s=cret", "x-tenant": "acme" });
  expect(config.serviceName).toBe("from-attributes");
  expect(config.resourceAttributes["deployment.environment.name"]).toBe("test");
});

test("prefers OTEL_SERVICE_NAME to the resource attribute, and treats an empty variable as unset", () => {
  const attributes = { OTEL_RESOURCE_ATTRIBUTES: "service.name=b" };
  expect(readConfig({ ...attributes, OTEL_SERVICE_NAME: "a" }).config.serviceName).toBe("a");
  expect(readConfig({ ...attributes, OTEL_SERVICE_NAME: "" }).config.serviceName).toBe("b");
});

test.each([
  [{ OTEL_BSP_MAX_QUEUE_SIZE: "many" }, "OTEL_BSP_MAX_QUEUE_SIZE=many is not a positive integer, using 2048"],
  [
    { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    "OTEL_EXPORTER_OTLP_PROTOCOL=grpc is not supported (http/protobuf, http/json), using http/protobuf",
  ],
  [
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "localhost:4317" },
    "localhost:4317 is not an http(s) address, using http://127.0.0.1:4318",
  ],
])("names a setting it cannot use and goes on with the default: %o", (env, warning) => {
  expect(readConfig(env).warnings).toEqual([warning]);
});

test.each([
  [{}, "http/protobuf", "http/protobuf"],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }, "http/json", "http/json"],
  [{ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json" }, "http/json", "http/protobuf"],
  [
    { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf" },
    "http/protobuf",
    "http/json",
  ],
])("takes a signal's own protocol before the common one: %o", (env, traces, logs) => {
  const { config, warnings } = readConfig(env);
  expect([config.tracesProtocol, config.logsProtocol]).toEqual([traces, logs]);
  expect(warnings).toEqual([]);
});

test.each(["grpc", "kafka"])("falls back to http/protobuf for a signal's protocol %s, with one warning", (protocol) => {
  const { config, warnings } = readConfig({ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol });
  expect(config.tracesProtocol).toBe("http/protobuf");
  expect(warnings).toEqual([
    `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=${protocol} is not supported (http/protobuf, http/json), using http/protobuf`,
  ]);
});

test("switches a signal off by its exporter variable", () => {
  const { config } = readConfig({
    OTEL_TRACES_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_METRICS_EXPORTER: "none",
    OTEL_EXPORTER_PROMETHEUS_PORT: "9464",
  });
  expect(config.tracesUrl).toBeUndefined();
  expect(config.logsUrl).toBeUndefined();
  expect(config.metricsRoute).toBe(false);
  expect(config.metricsListen).toBeUndefined();
});

test("never captures secret headers, even when they are on the allow-list", () => {
  const { config } = readConfig({
    OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST: "X-Request-Id, Authorization, cookie",
  });
  expect(config.captureHeaders).toEqual(["x-request-id"]);
});
