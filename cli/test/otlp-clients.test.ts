import { afterAll, beforeAll, expect, test } from "vitest";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { TracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { eventually, startTocsin, type TocsinProcess } from "@tocsin/testing";

let tocsin: TocsinProcess;
beforeAll(async () => {
  tocsin = await startTocsin({ args: ["--no-demo"] });
});
afterAll(() => tocsin?.stop());

test("spans of the OpenTelemetry JS exporter are found by trace id and by search", async () => {
  const exporter = new OTLPTraceExporter({ url: `${tocsin.address("otlp-http")}/v1/traces` });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "foreign" }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const span = provider.getTracer("test").startSpan("checkout", { attributes: { "cart.items": 3 } });
  span.end();
  await provider.forceFlush();
  const { traceId } = span.spanContext();
  await eventually("the trace is found", 5000, () => tocsin.get(`/api/tocsin/v1/traces/${traceId}`));
  const page = await tocsin.get<{ items: { traceId: string; rootName: string }[] }>(
    `/api/tocsin/v1/traces?q=${encodeURIComponent("service:foreign cart.items:3")}`,
  );
  expect(page.items).toMatchObject([{ traceId, rootName: "checkout" }]);
  await provider.shutdown();
});

test("OTLP JSON as curl sends it gives logs, spans and metrics over the query API", async () => {
  const nano = String(BigInt(Date.now()) * 1_000_000n);
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "curl" } }] };
  const post = (path: string, body: object) =>
    fetch(`${tocsin.address("otlp-http")}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const answers = await Promise.all([
    post("/v1/logs", {
      resourceLogs: [
        {
          resource,
          scopeLogs: [
            {
              logRecords: [{ timeUnixNano: nano, severityNumber: 17, body: { stringValue: "paper jam in tray two" } }],
            },
          ],
        },
      ],
    }),
    post("/v1/metrics", {
      resourceMetrics: [
        {
          resource,
          scopeMetrics: [
            {
              metrics: [
                {
                  name: "queue.length",
                  unit: "1",
                  gauge: { dataPoints: [{ timeUnixNano: nano, asDouble: 4.5 }] },
                },
                {
                  name: "jobs",
                  sum: {
                    isMonotonic: true,
                    aggregationTemporality: 2,
                    dataPoints: [{ timeUnixNano: nano, asInt: "7" }],
                  },
                },
              ],
            },
          ],
        },
      ],
    }),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  const logs = await tocsin.get<{ items: { message: string; service: string; severity: string }[] }>(
    `/api/tocsin/v1/logs?q=${encodeURIComponent("jam service:curl severity:error")}`,
  );
  expect(logs.items).toMatchObject([{ message: "paper jam in tray two", service: "curl", severity: "error" }]);
  const query = (text: string) =>
    tocsin.get<{ data: { result: { metric: Record<string, string>; value: [number, string] }[] } }>(
      `/api/v1/query?query=${encodeURIComponent(text)}`,
    );
  expect((await query("jobs_total")).data.result).toMatchObject([
    { metric: { job: "curl" }, value: [expect.any(Number), "7"] },
  ]);
  expect((await query("queue_length_ratio")).data.result.map(({ value }) => value[1])).toEqual(["4.5"]);
});
