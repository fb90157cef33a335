import { msToNano, type TraceSummary } from "@tocsin/model";
import { hex, pick, seeded, seedOf } from "./random.ts";

interface FakeSpan {
  spanId: string;
  parentSpanId: string;
  name: string;
  service: string;
  kind: number;
  startMs: number;
  durationMs: number;
  error: boolean;
  attributes: Record<string, string | number | boolean>;
  events: { atMs: number; name: string; attributes: Record<string, string> }[];
}

const STEP_MS = 2600;

/** A trace id carries its slot of time in its last digits, so that the trace can be made again from the id alone. */
function traceIdOf(slot: number): string {
  return hex(seeded(slot), 20) + slot.toString(16).padStart(12, "0");
}

export function tracePage(q: string, fromMs: number, toMs: number, limit: number, cursor: string | undefined) {
  const items: TraceSummary[] = [];
  const last = Math.floor(fromMs / STEP_MS);
  let slot = cursor === undefined ? Math.floor(toMs / STEP_MS) : Number(cursor);
  for (; slot > last && items.length < limit; slot--) {
    const item = summary(slot);
    if (fits(item, q)) items.push(item);
  }
  return slot > last ? { items, cursor: String(slot) } : { items };
}

function fits(item: TraceSummary, q: string): boolean {
  return q
    .split(/\s+/)
    .filter(Boolean)
    .every((token) => {
      const slow = /^duration:>=?(\d+)/.exec(token)?.[1];
      if (slow !== undefined) return item.durationMs > Number(slow);
      if (token === "status:error") return item.errorCount > 0;
      const service = /^service:"?([^"]*)"?$/.exec(token)?.[1];
      if (service !== undefined) return item.services.includes(service);
      return item.rootName.toLowerCase().includes(token.toLowerCase());
    });
}

function summary(slot: number): TraceSummary {
  const spans = spansOf(slot);
  const [root] = spans as [FakeSpan];
  return {
    traceId: traceIdOf(slot),
    rootService: root.service,
    rootName: root.name,
    startTime: new Date(root.startMs).toISOString(),
    durationMs: root.durationMs,
    spanCount: spans.length,
    errorCount: spans.filter(({ error }) => error).length,
    services: [...new Set(spans.map(({ service }) => service))],
  };
}

function spansOf(slot: number): FakeSpan[] {
  const random = seeded(slot);
  const broken = random() < 0.18;
  const startMs = slot * STEP_MS + random() * 1000;
  const route = pick(random, ["POST /orders", "POST /login", "GET /catalog", "GET /orders/:id"]);
  const spans: FakeSpan[] = [];
  const add = (
    parent: FakeSpan | undefined,
    service: string,
    name: string,
    kind: number,
    atMs: number,
    durationMs: number,
    rest: Partial<FakeSpan> = {},
  ) => {
    const span: FakeSpan = {
      spanId: hex(random, 16),
      parentSpanId: parent?.spanId ?? "",
      name,
      service,
      kind,
      startMs: startMs + atMs,
      durationMs,
      error: false,
      attributes: {},
      events: [],
      ...rest,
    };
    spans.push(span);
    return span;
  };
  const smsMs = broken ? 2200 + random() * 500 : 160 + random() * 90;
  const total = route.startsWith("GET") ? 12 + random() * 20 : smsMs + 45 + random() * 15;
  const root = add(undefined, "api", route, 2, 0, total, {
    error: broken && !route.startsWith("GET"),
    attributes: {
      "http.request.method": route.split(" ")[0] ?? "",
      "http.route": route.split(" ")[1] ?? "",
      "http.response.status_code": broken && !route.startsWith("GET") ? 502 : 200,
      "url.path": route.split(" ")[1] ?? "",
      "user_agent.original": "load/0.1",
    },
  });
  add(root, "api", "middleware session", 1, 0.4, 1.2);
  const take = add(root, "api", "POST", 3, 2, 3.1, {
    attributes: { "server.address": "127.0.0.1", "server.port": 8083 },
  });
  add(take, "rate-limiter", "POST /take", 2, 2.6, 1.7, { attributes: { "limiter.tokens": Math.floor(random() * 20) } });
  const queries = 1 + Math.floor(random() * 4);
  for (let i = 0; i < queries; i++)
    add(root, "api", "SELECT orders", 3, 6 + i * 2.4, 2 + random(), {
      attributes: { "db.system.name": "postgresql", "db.query.text": "SELECT * FROM orders WHERE id = $1" },
    });
  if (route.startsWith("GET")) return spans;
  const call = add(root, "api", "POST", 3, 20, smsMs + 8, {
    error: broken,
    attributes: { "server.address": "127.0.0.1", "server.port": 8082 },
  });
  const sms = add(call, "sms", "POST /messages", 2, 22, smsMs, { error: broken });
  add(sms, "sms", "validate number", 1, 22.6, 0.8);
  const attempts = broken ? 3 : 1;
  for (let i = 0; i < attempts; i++)
    add(
      sms,
      "sms",
      `provider ${i < 2 && broken ? "alpha" : "beta"} send`,
      3,
      26 + (i * smsMs) / attempts,
      smsMs / attempts - 12,
      {
        error: broken && i < 2,
        attributes: { "provider.name": i < 2 && broken ? "alpha" : "beta", attempt: i + 1 },
        events:
          broken && i < 2
            ? [
                {
                  atMs: smsMs / attempts - 14,
                  name: "exception",
                  attributes: { "exception.type": "ProviderError", "exception.message": "503 upstream unavailable" },
                },
              ]
            : [],
      },
    );
  return spans;
}

/** A trace of thousands of spans, to see how the page holds up: `/trace/` and 31 zeros and a 1. */
function largeTrace(count: number): FakeSpan[] {
  const random = seeded(7);
  const startMs = Date.now() - 60_000;
  const spans: FakeSpan[] = [];
  for (let i = 0; i < count; i++) {
    const parent = i === 0 ? undefined : spans[Math.floor(random() * Math.min(i, 60)) + Math.max(0, i - 60)];
    const atMs = parent === undefined ? 0 : parent.startMs - startMs + random() * parent.durationMs * 0.5;
    spans.push({
      spanId: (i + 1).toString(16).padStart(16, "0"),
      parentSpanId: parent?.spanId ?? "",
      name: `step ${i}`,
      service: pick(random, ["api", "sms", "rate-limiter", "postgres", "mailer"]),
      kind: 1,
      startMs: startMs + atMs,
      durationMs: parent === undefined ? 4000 : parent.durationMs * (0.2 + random() * 0.3),
      error: random() < 0.01,
      attributes: { index: i },
      events: [],
    });
  }
  return spans;
}

export function traceJson(traceId: string): { resourceSpans: unknown[] } | undefined {
  const slot = Number.parseInt(traceId.slice(20), 16);
  const large = traceId === `${"0".repeat(31)}1`;
  if (!large && traceIdOf(slot) !== traceId) return undefined;
  const spans = large ? largeTrace(12_000) : spansOf(slot);
  const services = [...new Set(spans.map(({ service }) => service))];
  return {
    resourceSpans: services.map((service) => ({
      resource: {
        attributes: [
          attribute("service.name", service),
          attribute("service.version", "1.4.2"),
          attribute("host.name", "demo-1"),
          attribute("process.pid", 1000 + (seedOf(service) % 9000)),
        ],
      },
      scopeSpans: [
        {
          scope: { name: "@tocsin/sdk", version: "0.1.0" },
          spans: spans.filter((span) => span.service === service).map((span) => spanJson(traceId, span)),
        },
      ],
    })),
  };
}

function spanJson(traceId: string, span: FakeSpan) {
  const nano = (ms: number) => String(msToNano(ms));
  return {
    traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nano(span.startMs),
    endTimeUnixNano: nano(span.startMs + span.durationMs),
    attributes: Object.entries(span.attributes).map(([key, value]) => attribute(key, value)),
    events: span.events.map(({ atMs, name, attributes }) => ({
      timeUnixNano: nano(span.startMs + atMs),
      name,
      attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    })),
    status: span.error ? { code: 2, message: "503 upstream unavailable" } : {},
  };
}

function attribute(key: string, value: string | number | boolean) {
  if (typeof value === "string") return { key, value: { stringValue: value } };
  if (typeof value === "boolean") return { key, value: { boolValue: value } };
  return { key, value: Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value } };
}
