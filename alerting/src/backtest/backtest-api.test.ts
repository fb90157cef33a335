import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BacktestAnswer, Problem } from "@tocsin/model";
import { createHttpServer } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { historyScene, MINUTE, NOON, ruleGroups } from "../../test/history-scene.ts";
import { backtestApi } from "./backtest-api.ts";
import { withoutTemplateFiles } from "./without-template-files.ts";

const ROUTING = 'route: {receiver: team}\nreceivers: [{name: team, webhook_configs: [{url: "http://127.0.0.1:1/"}]}]\n';
const RULES = 'groups: [{name: api, rules: [{alert: Failing, expr: "errors > 0"}]}]';

let app: FastifyInstance;
beforeEach(async () => {
  const scene = historyScene();
  scene.add({ __name__: "errors" }, 120, (minute) => (minute >= 60 && minute < 70 ? 1 : 0));
  app = createHttpServer({ logger: silentLogger });
  await app.register(backtestApi, {
    history: scene.history,
    rules: () => ruleGroups(RULES),
    routing: () => ({ configFile: "/etc/alertmanager.yml", configText: ROUTING }),
    silences: () => [],
    externalUrl: "http://tocsin.example",
    clock: new ManualClock(NOON + 120 * MINUTE),
  });
});
afterEach(() => app.close());

const post = (payload: object) => app.inject({ method: "POST", url: "/api/tocsin/v1/backtest", payload });
const detail = (body: string) => Problem.parse(JSON.parse(body)).detail;

test("the rules and the routing in force are the default, and need no comparison", async () => {
  const response = await post({ from: "now-2h" });
  expect(response.statusCode).toBe(200);
  const answer = BacktestAnswer.parse(response.json());
  expect(answer).toMatchObject({ from: "2026-11-21T12:00:00.000Z", to: "2026-11-21T14:00:00.000Z", present: null });
  expect(answer.candidate.rules).toMatchObject([{ alert: "Failing", firings: 1, firingSeconds: 600 }]);
  expect(answer.candidate.receivers).toMatchObject([{ receiver: "team", notifications: 2 }]);
});

test("posted rules stand beside those in force, each with its own routing", async () => {
  const rules = [RULES.replace("errors > 0", "errors > 5")];
  const routing = ROUTING.replaceAll("team", "night");
  const answer = BacktestAnswer.parse((await post({ from: "now-2h", rules, routing })).json());
  expect(answer.candidate).toMatchObject({ rules: [{ firings: 0 }], receivers: [] });
  expect(answer.present).toMatchObject({ rules: [{ firings: 1 }], receivers: [{ receiver: "team" }] });
});

test.each([
  [
    { rules: ["groups: [{name: a, rules: [{alert: X, expr: 'sum('}]}]"] },
    /^rules.0:1:\d+ groups.0.rules.0.expr: .*could not parse/,
  ],
  [{ routing: "route: {receiver: nobody}" }, /^routing:1:\d+ route.receiver: undefined receiver "nobody"/],
  [{ from: "yesterday" }, /^from: cannot parse "yesterday"/],
  [{ from: "now", to: "now-1h" }, /^from must be before to/],
  [{ timeZone: "Mars" }, /^timeZone: unknown time zone Mars/],
  [{ rule: "" }, /rule/],
])("a mistake is named: %j", async (body, message) => {
  const response = await post(body);
  expect(response.statusCode).toBe(400);
  expect(response.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  expect(detail(response.body)).toMatch(message);
});

test("a posted routing opens no file, neither by templates nor by a merge key", async () => {
  const secret = join(mkdtempSync(join(tmpdir(), "backtest-")), "secret.tmpl");
  writeFileSync(secret, "{{ broken");
  const plain = await post({ from: "now-2h", routing: `templates:\n- ${secret}\n${ROUTING}` });
  expect(plain.statusCode).toBe(200);
  const merged = await post({ from: "now-2h", routing: `<<: {templates: ["${secret}"]}\n${ROUTING}` });
  expect(merged.statusCode).toBe(400);
});

test("one backtest runs at a time", async () => {
  const [first, second] = await Promise.all([post({ from: "now-2h" }), post({ from: "now-2h" })]);
  expect(new Set([first.statusCode, second.statusCode])).toEqual(new Set([200, 503]));
  expect((await post({ from: "now-2h" })).statusCode).toBe(200);
});

test("template files go, lines stay", () => {
  expect(withoutTemplateFiles("route: {receiver: a}\ntemplates:\n  - /etc/a\n  - /etc/b\nreceivers: []\n")).toBe(
    "route: {receiver: a}\ntemplates:\n   []\n\nreceivers: []\n",
  );
  expect(withoutTemplateFiles("a: [")).toBe("a: [");
});
