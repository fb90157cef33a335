import { createServer, type Server } from "node:http";
import { mkdtempSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { eventually, startTocsin, type TocsinProcess } from "@tocsin/testing";

const running: TocsinProcess[] = [];
let sink: Server | undefined;
afterEach(async () => {
  await Promise.all(running.splice(0).map((tocsin) => tocsin.stop("SIGKILL")));
  sink?.close();
});

const hex = (n: number, width: number) => n.toString(16).padStart(width, "0");
const resource = { attributes: [{ key: "service.name", value: { stringValue: "crash-test" } }] };

/** Sends batch after batch of logs, spans and samples until the server is gone; returns which batches were acknowledged. */
async function sendUntilItDies(base: string, onAcknowledged: (count: number) => void): Promise<number[]> {
  const acknowledged: number[] = [];
  for (let batch = 1; ; batch++) {
    const nano = String(BigInt(Date.now()) * 1_000_000n);
    const records = Array.from({ length: 20 }, (_, i) => ({
      timeUnixNano: nano,
      severityNumber: 9,
      body: { stringValue: `batch${batch} record${i}` },
    }));
    const spans = Array.from({ length: 20 }, (_, i) => ({
      traceId: hex(batch, 32),
      spanId: hex(i + 1, 16),
      name: "work",
      kind: 2,
      startTimeUnixNano: nano,
      endTimeUnixNano: nano,
    }));
    const points = [
      {
        timeUnixNano: nano,
        asInt: String(batch),
        attributes: [{ key: "batch", value: { stringValue: String(batch) } }],
      },
    ];
    const bodies = [
      ["/v1/logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords: records }] }] }],
      ["/v1/traces", { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }],
      [
        "/v1/metrics",
        {
          resourceMetrics: [
            { resource, scopeMetrics: [{ metrics: [{ name: "crash_batch", gauge: { dataPoints: points } }] }] },
          ],
        },
      ],
    ] as const;
    try {
      const answers = await Promise.all(
        bodies.map(([path, body]) =>
          fetch(`${base}${path}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
          }),
        ),
      );
      if (!answers.every((answer) => answer.status === 200)) throw new Error("not acknowledged");
    } catch {
      return acknowledged;
    }
    acknowledged.push(batch);
    onAcknowledged(acknowledged.length);
  }
}

test("kill -9 under load: all that was acknowledged is found once after the next start", async () => {
  const first = await startTocsin({ args: ["--no-demo"] });
  running.push(first);
  let killed: Promise<unknown> | undefined;
  const acknowledged = await sendUntilItDies(first.address("otlp-http"), (count) => {
    if (count === 60) killed = first.stop("SIGKILL");
  });
  await killed;
  expect(acknowledged.length).toBeGreaterThanOrEqual(60);

  const second = await startTocsin({ args: ["--no-demo"], dataDir: first.dataDir });
  running.push(second);
  const problems: string[] = [];
  for (const batch of acknowledged) {
    const logs = await second.get<{ items: unknown[] }>(
      `/api/tocsin/v1/logs?limit=100&q=${encodeURIComponent(`"batch${batch}"`)}`,
    );
    if (logs.items.length !== 20) problems.push(`batch ${batch}: ${logs.items.length} logs`);
    const trace = await second.get<{ resourceSpans: { scopeSpans: { spans: unknown[] }[] }[] }>(
      `/api/tocsin/v1/traces/${hex(batch, 32)}`,
    );
    const spans = trace.resourceSpans.flatMap((rs) => rs.scopeSpans.flatMap((ss) => ss.spans));
    if (spans.length !== 20) problems.push(`batch ${batch}: ${spans.length} spans`);
  }
  const samples = await second.get<{ data: { result: { metric: { batch: string } }[] } }>(
    "/api/v1/query?query=crash_batch",
  );
  const found = new Set(samples.data.result.map(({ metric }) => Number(metric.batch)));
  problems.push(...acknowledged.filter((batch) => !found.has(batch)).map((batch) => `batch ${batch}: no sample`));
  expect(problems).toEqual([]);
});

test("kill -9 after an alert was taken and before it was sent: it is sent after the next start, and only once", async () => {
  const received: { groupKey: string; status: string }[] = [];
  sink = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      received.push(JSON.parse(body) as (typeof received)[number]);
      response.end();
    });
  });
  await new Promise<void>((resolve) => sink?.listen(0, "127.0.0.1", resolve));
  const config = join(mkdtempSync(join(tmpdir(), "tocsin-crash-")), "alertmanager.yml");
  const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;
  writeFileSync(
    config,
    `route:\n  receiver: a\n  group_wait: 3s\n  group_interval: 1s\nreceivers:\n  - name: a\n    webhook_configs:\n      - url: ${url}\n`,
  );
  const rules = join(config, "../rules.yml");
  writeFileSync(rules, "groups: []\n");
  const args = ["--no-demo", "--config.file", config, "--rules", rules];
  const first = await startTocsin({ args });
  running.push(first);
  const posted = await fetch(`${first.address("dashboard")}/api/v2/alerts`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify([{ labels: { alertname: "Crash" }, endsAt: new Date(Date.now() + 600_000).toISOString() }]),
  });
  expect(posted.status).toBe(200);
  await first.stop("SIGKILL");
  expect(received).toEqual([]);

  const second = await startTocsin({ args, dataDir: first.dataDir });
  running.push(second);
  await eventually("the notification arrives", 10_000, async () => received.length > 0);
  await second.stop("SIGKILL");

  const third = await startTocsin({ args, dataDir: first.dataDir });
  running.push(third);
  await eventually("several flushes pass", 10_000, async () => {
    const { items } = await third.get<{ items: { kind: string; notify?: boolean }[] }>(
      "/api/tocsin/v1/decisions?kind=dedup&limit=100",
    );
    return items.filter((item) => item.notify === false).length >= 2;
  });
  expect(received.map(({ status }) => status)).toEqual(["firing"]);
});
