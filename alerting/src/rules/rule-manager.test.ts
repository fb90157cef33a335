import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fastify } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type DecisionRecord, formatLabels, type PostableAlert, type WriteRequest } from "@tocsin/model";
import { Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import type { QueryAnswer } from "../query-source.ts";
import { rulesApi } from "./api.ts";
import { slotAt } from "./rule-group.ts";
import { createRuleManager, type RuleManager, type RuleManagerOptions } from "./rule-manager.ts";

let folder: string;
let file: string;
let clock: ManualClock;
let manager: RuleManager;
let answers: Record<string, QueryAnswer | Error>;
let written: string[];
let sent: PostableAlert[];
let decisions: DecisionRecord[];
let asked: { expr: string; atMs: number }[];
let registry: Registry;

const vector = (...values: [Record<string, string>, number][]): QueryAnswer => ({
  type: "vector",
  samples: values.map(([labels, value]) => ({ labels, value, timestampMs: 0 })),
});
const NOTHING = vector();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tocsin-rules-"));
  file = join(folder, "a.yml");
  clock = new ManualClock(slotAt({ file, name: "g", intervalMs: 10_000 }, 1_000_000_000_000));
  answers = {};
  [written, sent, decisions, asked] = [[], [], [], []];
  registry = new Registry();
});

afterEach(async () => {
  const stopping = manager.stop();
  await clock.advance(10_000);
  await stopping;
  expect(clock.pending).toBe(0);
  rmSync(folder, { recursive: true });
});

function create(changes: Partial<RuleManagerOptions> = {}): RuleManager {
  manager = createRuleManager({
    files: [join(folder, "*.yml")],
    queries: {
      async instant(expr, atMs) {
        asked.push({ expr, atMs });
        const answer = answers[expr] ?? NOTHING;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    output: {
      async append(request: WriteRequest) {
        for (const { labels, samples } of request.series)
          for (const sample of samples)
            written.push(`${formatLabels(labels)} ${sample.stale ? "stale" : sample.value}`);
      },
    },
    alerts: {
      async send(alerts) {
        sent.push(...alerts);
      },
    },
    clock,
    logger: silentLogger,
    registry,
    onDecision: (decision) => decisions.push(decision),
    externalUrl: "http://tocsin/",
    newId: () => "id",
    random: () => 0.5,
    ...changes,
  });
  return manager;
}

const rules = (text: string) => writeFileSync(file, `groups:\n  - name: g\n    interval: 10s\n    rules:\n${text}`);
const taken = () => written.splice(0);

test("evaluates at the slots of the group, never at the wall clock", async () => {
  rules("      - {record: r, expr: up}");
  const slot = clock.now();
  clock.jumpTo(slot + 3000);
  await create().start();
  await clock.advance(35_000);
  expect(asked.map(({ atMs }) => atMs - slot)).toEqual([10_000, 20_000, 30_000]);
});

test("a rule sees what the rule before it wrote: each output is stored before the next query", async () => {
  rules("      - {record: r, expr: up}\n      - {record: s, expr: r}");
  answers["up"] = vector([{}, 1]);
  const order: string[] = [];
  create({
    queries: { instant: async (expr) => (order.push(`ask ${expr}`), vector([{}, 1])) },
    output: { append: async () => void order.push("write") },
  });
  await manager.start();
  await clock.advance(10_000);
  expect(order).toEqual(["ask up", "write", "ask r", "write"]);
});

test("a series that is gone gets one stale marker; a failed evaluation writes nothing", async () => {
  rules("      - {record: r, expr: up}");
  answers["up"] = vector([{ i: "a" }, 1], [{ i: "b" }, 2]);
  await create().start();
  await clock.advance(10_000);
  expect(taken()).toEqual(['{__name__="r", i="a"} 1', '{__name__="r", i="b"} 2']);
  answers["up"] = new Error("store is away");
  await clock.advance(10_000);
  expect(taken()).toEqual([]);
  answers["up"] = vector([{ i: "a" }, 3]);
  await clock.advance(20_000);
  expect(taken()).toEqual(['{__name__="r", i="a"} 3', '{__name__="r", i="b"} stale', '{__name__="r", i="a"} 3']);
  expect(decisions.map(({ kind, sentence }) => [kind, sentence])).toEqual([
    ["rule_error", "r cannot be evaluated: store is away"],
  ]);
  expect(manager.groups()[0]?.rules[0]?.health).toBe("ok");
});

test("an alert is pending, fires and is sent, is resolved; each change is recorded with its reason", async () => {
  rules("      - {alert: High, expr: up, for: 10s, labels: {severity: page}, annotations: {s: 'v={{ $value }}'}}");
  answers["up"] = vector([{ job: "x" }, 2]);
  await create().start();
  await clock.advance(10_000);
  expect(sent).toEqual([]);
  await clock.advance(10_000);
  expect(sent).toMatchObject([
    {
      labels: { alertname: "High", job: "x", severity: "page" },
      annotations: { s: "v=2" },
      generatorURL: "http://tocsin/graph?g0.expr=up&g0.tab=1",
    },
  ]);
  answers["up"] = NOTHING;
  await clock.advance(10_000);
  expect(sent).toHaveLength(2);
  expect(decisions.map(({ sentence }) => sentence)).toEqual([
    "High is pending: its condition holds (value 2), and it fires if that lasts 10s",
    "High fires: its condition has held for 10s (value 2)",
    "High is resolved: its condition no longer holds (last value 2)",
  ]);
});

test("ALERTS is written from the third evaluation after a start, and the pending series ends when it fires", async () => {
  rules("      - {alert: High, expr: up, for: 30s}");
  answers["up"] = vector([{}, 1]);
  await create().start();
  await clock.advance(20_000);
  expect(taken()).toEqual([]);
  await clock.advance(10_000);
  expect(taken().map((line) => line.replace(/ \d+$/, ""))).toEqual([
    '{__name__="ALERTS", alertname="High", alertstate="pending"}',
    '{__name__="ALERTS_FOR_STATE", alertname="High"}',
  ]);
  await clock.advance(10_000);
  expect(taken().map((line) => line.replace(/ \d+$/, ""))).toEqual([
    '{__name__="ALERTS", alertname="High", alertstate="firing"}',
    '{__name__="ALERTS_FOR_STATE", alertname="High"}',
    '{__name__="ALERTS", alertname="High", alertstate="pending"} stale',
  ]);
});

test("a restart gives a long-pending alert its waiting time back", async () => {
  rules("      - {alert: High, expr: up, for: 30m, labels: {team: core}}");
  answers["up"] = vector([{}, 1]);
  create();
  const labels = { __name__: "ALERTS_FOR_STATE", alertname: "High", team: "core" };
  const selector = 'ALERTS_FOR_STATE{alertname="High",team="core"}';
  const down = clock.now() - 60_000;
  const series = { labels, samples: [{ timestampMs: down, value: (down - 1_200_000) / 1000 }] };
  answers[`${selector}[3600000ms]`] = { type: "matrix", series: [series] };
  answers[selector] = vector([labels, 1]);
  await manager.start();
  await clock.advance(30_000);
  // It had waited 20 of 30 minutes, and the downtime does not count.
  const alert = manager.groups()[0]?.rules[0]?.alerts[0];
  const restoredAfter = (alert?.activeAtMs ?? 0) - (down - 1_200_000);
  expect(restoredAfter).toBeGreaterThanOrEqual(60_000 + 10_000);
  expect(restoredAfter).toBeLessThanOrEqual(60_000 + 30_000);
});

test("a series that had ended before the restart restores nothing", async () => {
  rules("      - {alert: High, expr: up, for: 30m}");
  answers["up"] = vector([{}, 1]);
  create();
  const labels = { __name__: "ALERTS_FOR_STATE", alertname: "High" };
  const series = { labels, samples: [{ timestampMs: clock.now() - 60_000, value: 999_000_000 }] };
  answers['ALERTS_FOR_STATE{alertname="High"}[3600000ms]'] = { type: "matrix", series: [series] };
  await manager.start();
  await clock.advance(30_000);
  expect(manager.groups()[0]?.rules[0]?.alerts[0]?.activeAtMs).toBeGreaterThanOrEqual(1_000_000_000_000);
});

test("a reload keeps alert state of rules that stay, and ends the series of those that go", async () => {
  rules("      - {alert: High, expr: up, for: 40s}\n      - {record: gone, expr: up}");
  answers["up"] = vector([{}, 1]);
  await create().start();
  await clock.advance(30_000);
  const since = manager.groups()[0]?.rules[0]?.alerts[0]?.activeAtMs;
  rules("      - {alert: High, expr: up, for: 50s}");
  await manager.reload();
  taken();
  await clock.advance(10_000);
  expect(manager.groups()[0]?.rules[0]?.alerts[0]?.activeAtMs).toBe(since);
  expect(taken()).toContain('{__name__="gone"} stale');
});

test("a bad file leaves everything running as it was", async () => {
  rules("      - {record: r, expr: up}");
  await create().start();
  await clock.advance(10_000);
  rules("      - {record: r, expr: up(}");
  await expect(manager.reload()).rejects.toThrow("could not parse expression");
  asked.length = 0;
  await clock.advance(10_000);
  expect(asked).toHaveLength(1);
  expect(await registry.getSingleMetricAsString("tocsin_rules_last_reload_successful")).toContain(" 0");
});

test("the series of a removed group end two intervals later", async () => {
  rules("      - {record: r, expr: up}");
  answers["up"] = vector([{}, 1]);
  await create().start();
  await clock.advance(10_000);
  taken();
  writeFileSync(file, "");
  await manager.reload();
  await clock.advance(19_999);
  expect(taken()).toEqual([]);
  await clock.advance(1);
  expect(taken()).toEqual(['{__name__="r"} stale']);
});

test("slots that pass during a slow evaluation are skipped and counted", async () => {
  rules("      - {record: r, expr: up}");
  let release: (answer: QueryAnswer) => void = () => undefined;
  const times: number[] = [];
  create({
    queries: {
      instant: (_, atMs) => {
        times.push(atMs);
        return times.length === 1 ? new Promise((resolve) => (release = resolve)) : Promise.resolve(NOTHING);
      },
    },
  });
  await manager.start();
  await clock.advance(10_000);
  await clock.advance(35_000);
  release(NOTHING);
  await clock.advance(1);
  expect(times.map((at) => at - (times[0] ?? 0))).toEqual([0, 30_000]);
  expect(await registry.getSingleMetricAsString("prometheus_rule_group_iterations_missed_total")).toContain("} 2");
});

test("alerts wait in the queue while the router is away, and go in batches", async () => {
  rules("      - {alert: High, expr: up}");
  answers["up"] = vector(
    ...Array.from({ length: 300 }, (_, i): [Record<string, string>, number] => [{ i: `${i}` }, 1]),
  );
  const batches: number[] = [];
  let failures = 2;
  create({
    alerts: {
      async send(alerts) {
        if (failures-- > 0) throw new Error("away");
        batches.push(alerts.length);
      },
    },
  });
  await manager.start();
  await clock.advance(10_000);
  expect(batches).toEqual([]);
  await clock.advance(1000);
  expect(batches).toEqual([256, 44]);
});

test("serves rules, alerts and alertmanagers as Prometheus does", async () => {
  rules(
    "      - {alert: High, expr: up>0, for: 5s, labels: {team: core}}\n      - {record: r, expr: up}\n      - {record: bad, expr: nope}",
  );
  answers["up > 0"] = vector([{ job: "x" }, 25]);
  answers["nope"] = new Error("boom");
  create({ alertmanagers: ["http://am/api/v2/alerts"] });
  const app = fastify();
  await app.register(rulesApi, { manager });
  const get = async (path: string) => (await app.inject(path)).json() as Record<string, never>;
  await manager.start();
  expect(await get("/api/v1/rules?type=alert")).toMatchObject({
    data: { groups: [{ rules: [{ state: "unknown", health: "unknown", lastEvaluation: "0001-01-01T00:00:00Z" }] }] },
  });
  await clock.advance(10_000);
  expect(await get("/api/v1/rules")).toMatchObject({
    status: "success",
    data: {
      groups: [
        {
          name: "g",
          file,
          interval: 10,
          limit: 0,
          rules: [
            {
              state: "pending",
              name: "High",
              query: "up > 0",
              duration: 5,
              keepFiringFor: 0,
              labels: { team: "core" },
              annotations: {},
              alerts: [{ labels: { alertname: "High", job: "x", team: "core" }, state: "pending", value: "2.5e+01" }],
              health: "ok",
              type: "alerting",
            },
            { name: "r", query: "up", health: "ok", type: "recording" },
            { name: "bad", health: "err", lastError: "boom", type: "recording" },
          ],
        },
      ],
    },
  });
  expect(await get("/api/v1/alerts")).toMatchObject({ data: { alerts: [{ state: "pending", value: "2.5e+01" }] } });
  expect(await get("/api/v1/alertmanagers")).toEqual({
    status: "success",
    data: { activeAlertmanagers: [{ url: "http://am/api/v2/alerts" }], droppedAlertmanagers: [] },
  });
  const names = async (query: string) => {
    const { data } = (await get(`/api/v1/rules?${query}`)) as unknown as {
      data: { groups: { rules: { name: string }[] }[] };
    };
    return data.groups.flatMap((group) => group.rules.map(({ name }) => name));
  };
  expect(await names("type=record")).toEqual(["r", "bad"]);
  expect(await names("rule_name[]=r&rule_name[]=High")).toEqual(["High", "r"]);
  expect(await names("match[]={team=~%22c.*%22}")).toEqual(["High"]);
  expect(await names("rule_group[]=other")).toEqual([]);
  expect(await names("file[]=" + encodeURIComponent(file))).toHaveLength(3);
  expect(await get("/api/v1/rules?type=x")).toEqual({
    status: "error",
    errorType: "bad_data",
    error: 'invalid parameter "type": not supported value "x"',
  });
  await app.close();
});

test("lists groups page by page", async () => {
  writeFileSync(
    file,
    "groups: [{name: a, rules: [{record: r, expr: up}]}, {name: b, rules: [{record: r, expr: up}]}, {name: c}]",
  );
  await create().start();
  const app = fastify();
  await app.register(rulesApi, { manager });
  const page = async (query: string) => {
    const { data } = (await app.inject(`/api/v1/rules?${query}`)).json() as {
      data: { groups: { name: string }[]; groupNextToken?: string };
    };
    return data;
  };
  const first = await page("group_limit=1");
  expect(first.groups.map(({ name }) => name)).toEqual(["a"]);
  const second = await page(`group_limit=1&group_next_token=${first.groupNextToken}`);
  expect(second.groups.map(({ name }) => name)).toEqual(["b"]);
  expect(second.groupNextToken).toBeUndefined();
  expect((await app.inject("/api/v1/rules?group_limit=1&group_next_token=x")).statusCode).toBe(400);
  await app.close();
});
