import type { IncomingMessage, ServerResponse } from "node:http";
import { parseTime } from "@tocsin/model";
import { alertGroups, decisions, gettableAlerts, initialSilences, type Silence } from "./fake-alerts.ts";
import { FakeDrills } from "./fake-drills.ts";
import { inboxMessages } from "./fake-inbox.ts";
import { facets, histogram, logAt, logPage } from "./fake-logs.ts";
import { instant, LABEL_VALUES, metadata, parseError, range, rules } from "./fake-prometheus.ts";
import { graph, service, services } from "./fake-services.ts";
import { traceJson, tracePage } from "./fake-traces.ts";

interface Call {
  path: string;
  method: string;
  params: URLSearchParams;
  body: unknown;
  now: number;
  fromMs: number;
  toMs: number;
}

type Answer = { status: number; body: unknown };
type Stream = { events: (send: (event: string, data: unknown) => void) => () => void };

const ok = (body: unknown): Answer => ({ status: 200, body });
const promOk = (data: unknown): Answer => ok({ status: "success", data });
const notFound = (what: string): Answer => ({
  status: 404,
  body: { type: "about:blank", title: "Not Found", status: 404, detail: `there is no ${what}` },
});

/**
 * The platform's HTTP API with made-up data that looks like a bad afternoon: an SMS provider is down, one alert is
 * silenced, one inhibited. Answers whether the request was one for the API. Nothing is kept beyond the process.
 */
export function fakeApi(): (request: IncomingMessage, response: ServerResponse) => boolean {
  const drills = new FakeDrills();
  let silences = initialSilences(Date.now());

  const saveSilence = (body: Silence, now: number): Answer => {
    if (body.comment === "refuse") return { status: 400, body: "invalid silence: the fake refuses this comment" };
    const id = body.id ?? `00000000-0000-4000-8000-${String(silences.length).padStart(12, "0")}`;
    const state = Date.parse(body.startsAt) > now + 1000 ? "pending" : "active";
    const saved: Silence = { ...body, id, status: { state }, updatedAt: new Date(now).toISOString() };
    silences = [...silences.filter((each) => each.id !== id), saved];
    return ok({ silenceID: id });
  };
  const expireSilence = (id: string, now: number): Answer => {
    silences = silences.map((each) =>
      each.id === id ? { ...each, status: { state: "expired" as const }, endsAt: new Date(now).toISOString() } : each,
    );
    return ok({});
  };
  const drill = ({ method, now }: Call, name: string): Answer => {
    const run =
      method === "POST"
        ? drills.start(name, now)
        : method === "DELETE"
          ? drills.undo(name, now)
          : drills.run(name, now);
    return run === null ? notFound(`run of ${name}`) : { status: method === "POST" ? 202 : 200, body: run };
  };

  const routes: [RegExp, (call: Call, match: string[]) => Answer | Stream][] = [
    [/^\/api\/v2\/alerts$/, ({ now }) => ok(gettableAlerts(now))],
    [/^\/api\/v2\/alerts\/groups$/, ({ now }) => ok(alertGroups(now))],
    [
      /^\/api\/v2\/silences$/,
      ({ method, body, now }) => (method === "POST" ? saveSilence(body as Silence, now) : ok(silences)),
    ],
    [/^\/api\/v2\/silence\/(.+)$/, ({ now }, [id = ""]) => expireSilence(id, now)],
    [/^\/api\/v2\/receivers$/, () => ok([{ name: "sms-oncall" }, { name: "edge-mail" }])],
    [/^\/api\/v1\/rules$/, ({ now }) => promOk(rules(now))],
    [/^\/api\/v1\/metadata$/, () => promOk(metadata)],
    [/^\/api\/v1\/labels$/, () => promOk(Object.keys(LABEL_VALUES))],
    [/^\/api\/v1\/label\/([^/]+)\/values$/, (_, [name = ""]) => promOk(LABEL_VALUES[name] ?? [])],
    [/^\/api\/v1\/series$/, () => promOk([])],
    [/^\/api\/v1\/status\/flags$/, () => promOk({})],
    [/^\/api\/v1\/query$/, (call) => evaluate(call, (query) => instant(query, call.now))],
    [
      /^\/api\/v1\/query_range$/,
      (call) => {
        const number = (name: string) => Number(call.params.get(name));
        return evaluate(call, (query) => range(query, number("start"), number("end"), number("step")));
      },
    ],
    [
      /^\/api\/tocsin\/v1\/decisions$/,
      ({ now, params }) => {
        const print = params.get("fingerprint");
        const kinds = params.get("kind")?.split(",");
        const items = decisions(now).filter(
          (record) =>
            (print === null || JSON.stringify(record).includes(print)) && (kinds?.includes(record.kind) ?? true),
        );
        return ok({ items: items.slice(0, Number(params.get("limit") ?? 100)) });
      },
    ],
    [/^\/api\/tocsin\/v1\/inbox$/, ({ now }) => ok({ items: inboxMessages(now) })],
    [
      /^\/api\/tocsin\/v1\/inbox\/(.+)$/,
      ({ now }, [id]) =>
        found(
          inboxMessages(now).find((message) => message.id === id),
          "such message",
        ),
    ],
    [/^\/api\/tocsin\/v1\/drills$/, ({ now }) => ok(drills.list(now))],
    [/^\/api\/tocsin\/v1\/drills\/(.+)$/, (call, [name = ""]) => drill(call, name)],
    [/^\/api\/tocsin\/v1\/services$/, ({ now, fromMs, toMs }) => ok({ items: services(now, fromMs, toMs) })],
    [/^\/api\/tocsin\/v1\/services\/graph$/, () => ok(graph)],
    [
      /^\/api\/tocsin\/v1\/services\/([^/]+)$/,
      ({ now, fromMs, toMs }, [name = ""]) => found(service(name, now, fromMs, toMs), `service ${name}`),
    ],
    [
      /^\/api\/tocsin\/v1\/logs$/,
      ({ params, fromMs, toMs }) =>
        ok(logPage(params.get("q") ?? "", fromMs, toMs, limitOf(params), params.get("cursor") ?? undefined)),
    ],
    [
      /^\/api\/tocsin\/v1\/logs\/histogram$/,
      ({ params, fromMs, toMs }) =>
        ok(histogram(params.get("q") ?? "", fromMs, toMs, Number(params.get("buckets") ?? 60))),
    ],
    [
      /^\/api\/tocsin\/v1\/logs\/facets$/,
      ({ params, fromMs, toMs }) =>
        ok(facets(params.get("q") ?? "", fromMs, toMs, (params.get("fields") ?? "service,severity").split(","))),
    ],
    [
      /^\/api\/tocsin\/v1\/logs\/tail$/,
      () => ({ events: (send) => every(700, () => send("log", logAt(Math.floor(Date.now() / 700)))) }),
    ],
    [
      /^\/api\/tocsin\/v1\/traces$/,
      ({ params, fromMs, toMs }) =>
        ok(tracePage(params.get("q") ?? "", fromMs, toMs, limitOf(params), params.get("cursor") ?? undefined)),
    ],
    [/^\/api\/tocsin\/v1\/traces\/([0-9a-f]{32})$/, (_, [id = ""]) => found(traceJson(id), "such trace")],
    [
      /^\/api\/tocsin\/v1\/traces\/([0-9a-f]{32})\/logs$/,
      ({ now }, [id = ""]) =>
        ok({
          items: logPage("", now - 8000, now, 9, undefined)
            .items.map((item) => ({ ...item, traceId: id }))
            .toReversed(),
        }),
    ],
    [
      /^\/api\/tocsin\/v1\/events$/,
      () => ({
        events: (send) =>
          every(500, () => {
            for (const { run } of drills.list(Date.now()).items)
              if (run !== null && run.state !== "done") send("drill", run);
          }),
      }),
    ],
    [/^\/api\/tocsin\/v1\/pipeline$/, ({ now }) => ok(pipeline(now))],
    [/^\/api\/tocsin\/v1\/rejects$/, ({ now }) => ok({ items: rejects(now) })],
  ];

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://fake");
    const body = await read(request);
    const params = new URLSearchParams(url.search);
    if (typeof body === "string") for (const [name, value] of new URLSearchParams(body)) params.append(name, value);
    const now = Date.now();
    const call: Call = {
      path: url.pathname,
      method: request.method ?? "GET",
      params,
      body,
      now,
      fromMs: parseTime(params.get("from") ?? "now-15m", now),
      toMs: parseTime(params.get("to") ?? "now", now),
    };
    for (const [pattern, handle] of routes) {
      const match = pattern.exec(url.pathname);
      if (match === null) continue;
      const result = handle(call, match.slice(1).map(decodeURIComponent));
      return "events" in result ? stream(response, result) : send(response, result);
    }
    return send(response, notFound(`API at ${url.pathname}`));
  };

  return (request, response) => {
    if (request.url?.startsWith("/api/") !== true) return false;
    void answer(request, response).catch((error: unknown) =>
      send(response, { status: 500, body: { type: "about:blank", title: String(error), status: 500 } }),
    );
    return true;
  };
}

function evaluate({ params }: Call, run: (query: string) => unknown): Answer {
  const query = params.get("query") ?? "";
  const error = parseError(query);
  return error === undefined
    ? promOk(run(query))
    : { status: 400, body: { status: "error", errorType: "bad_data", error } };
}

const found = (body: unknown, what: string): Answer => (body === undefined ? notFound(what) : ok(body));
const limitOf = (params: URLSearchParams) => Number(params.get("limit") ?? 100);

function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  return () => clearInterval(timer);
}

function stream(response: ServerResponse, { events }: Stream): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": connected\n\n");
  const stop = events((event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  response.on("close", stop);
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const type = status >= 400 && typeof body === "object" ? "application/problem+json" : "application/json";
  response.writeHead(status, { "content-type": type }).end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return /json/.test(request.headers["content-type"] ?? "") && text !== "" ? JSON.parse(text) : text;
}

function pipeline(now: number) {
  const signal = (name: string, received: number, rejected: number) => ({
    signal: name,
    received,
    rejected,
    queued: 12,
    written: received - rejected - 40,
    deadLettered: 3,
    dropped: name === "logs" ? { queue_full: 25 } : {},
  });
  const hoursAgo = (hours: number) => new Date(now - hours * 3_600_000).toISOString();
  return {
    signals: [signal("logs", 184_220, 12), signal("traces", 402_118, 0), signal("metrics", 1_204_990, 4)],
    oldest: { logs: hoursAgo(31), traces: hoursAgo(31), metrics: null },
    bytes: 84_200_113,
  };
}

function rejects(now: number) {
  return [
    {
      at: new Date(now - 95_000).toISOString(),
      signal: "logs",
      source: "otlp-http 127.0.0.1:51344",
      reason: "resourceLogs.0.scopeLogs.0.logRecords.3.severityNumber: expected a number",
      bytes: 812,
      excerpt: '{"resourceLogs":[{"resource":{"attributes":[',
    },
    {
      at: new Date(now - 3_400_000).toISOString(),
      signal: "metrics",
      source: "otlp-grpc 127.0.0.1:40122",
      reason: "the body is not a protobuf ExportMetricsServiceRequest: field 1 runs past the end",
      bytes: 96,
      excerpt: "0a ff 02 12 1f",
    },
  ];
}
