import { type LogItem, msToNano } from "@tocsin/model";
import { hex, pick, seeded } from "./random.ts";

const STEP_MS = 700;

type Line = readonly [service: string, severity: LogItem["severity"], message: string];
const USUAL: Line = ["api", "info", "request completed"];
const LINES: readonly Line[] = [
  USUAL,
  ["api", "info", "order accepted"],
  ["rate-limiter", "debug", "bucket refilled"],
  ["sms", "info", "message handed to provider alpha"],
  ["api", "info", "login code requested"],
  ["sms", "warn", "provider alpha slow, 1 840 ms"],
  ["sms", "error", "provider alpha refused the message: 503 upstream unavailable"],
  ["sms", "info", "failed over to provider beta"],
  ["rate-limiter", "info", "request turned away, bucket empty"],
  ["api", "error", "POST /orders failed: sms answered 502 Bad Gateway after 3 attempts"],
  ["api", "debug", "cache miss"],
];

const NUMBERS = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21, unset: 0 } as const;

/** The record of one slot of time; the same slot always gives the same record. */
export function logAt(slot: number): LogItem {
  const random = seeded(slot);
  const broken = slot % 1300 > 1000;
  const index = Math.floor(random() * (broken ? LINES.length : 5 + random() * 3));
  const [service, severity, message] = LINES[index] ?? USUAL;
  const timeMs = slot * STEP_MS + Math.floor(random() * STEP_MS);
  const route = pick(random, ["/orders", "/login", "/catalog", "/messages"]);
  return {
    id: `log-${slot}`,
    time: new Date(timeMs).toISOString(),
    timeUnixNano: String(msToNano(timeMs)),
    service,
    severity,
    severityNumber: NUMBERS[severity],
    message,
    attributes: {
      "http.route": route,
      "http.response.status_code": severity === "error" ? 502 : 200,
      duration_ms: Math.round(random() * 400),
      user: { id: `u-${Math.floor(random() * 900)}`, plan: pick(random, ["free", "team", "pro"]) },
    },
    resource: { "service.name": service, "service.version": "1.4.2", "host.name": "demo-1", "process.pid": 4711 },
    scope: "pino",
    traceId: hex(seeded(slot >> 2), 32),
    spanId: hex(random, 16),
  };
}

/** Newest first, `limit` at most, starting under `before` (a slot). */
export function logPage(q: string, fromMs: number, toMs: number, limit: number, cursor: string | undefined) {
  const items: LogItem[] = [];
  const last = Math.floor(fromMs / STEP_MS);
  let slot = cursor === undefined ? Math.floor(toMs / STEP_MS) : Number(cursor);
  for (; slot > last && items.length < limit; slot--) {
    const item = logAt(slot);
    if (fits(item, q)) items.push(item);
  }
  return slot > last ? { items, cursor: String(slot) } : { items };
}

export function histogram(q: string, fromMs: number, toMs: number, count: number) {
  const stepMs = Math.max(STEP_MS, Math.ceil((toMs - fromMs) / count));
  const buckets = Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, index) => ({
    startMs: fromMs + index * stepMs,
    total: 0,
    levels: {} as Record<string, number>,
  }));
  const stride = Math.max(1, Math.floor((toMs - fromMs) / STEP_MS / 4000));
  for (let slot = Math.ceil(fromMs / STEP_MS); slot * STEP_MS < toMs; slot += stride) {
    const item = logAt(slot);
    const bucket = buckets[Math.floor((Date.parse(item.time) - fromMs) / stepMs)];
    if (bucket === undefined || !fits(item, q)) continue;
    bucket.total += stride;
    bucket.levels[item.severity] = (bucket.levels[item.severity] ?? 0) + stride;
  }
  return { fromMs, toMs, stepMs, buckets };
}

export function facets(q: string, fromMs: number, toMs: number, fields: readonly string[]) {
  const { items } = logPage(q, fromMs, toMs, 3000, undefined);
  return {
    facets: fields.map((field) => {
      const counts = new Map<string, number>();
      for (const item of items) {
        const value = field === "service" ? item.service : item.severity;
        if (value !== "") counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      const values = [...counts].map(([value, count]) => ({ value, count }));
      return { field, values: values.sort((a, b) => b.count - a.count).slice(0, 10) };
    }),
  };
}

/** Words and `key:value` (with a leading `-` to exclude): enough of the search language to work on the page. */
function fits(item: LogItem, q: string): boolean {
  return (q.match(/-?(?:\S+:)?(?:"[^"]*"|\S+)/g) ?? []).every((token) => {
    const negated = token.startsWith("-");
    const [, key, value] = /^(?:([\w.]+):)?(.*)$/.exec(token.replace(/^-/, "")) ?? [];
    return negated !== fitsOne(item, key, (value ?? "").replace(/^"|"$/g, "").toLowerCase());
  });
}

function fitsOne(item: LogItem, key: string | undefined, value: string): boolean {
  switch (key) {
    case undefined:
      return item.message.toLowerCase().includes(value) || item.service.includes(value);
    case "service":
      return item.service === value;
    case "severity":
    case "level":
      return item.severity === value;
    case "trace_id":
      return item.traceId === value;
    default:
      return (
        JSON.stringify(item.attributes[key] ?? "")
          .replaceAll('"', "")
          .toLowerCase() === value
      );
  }
}
