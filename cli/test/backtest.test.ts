import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { BacktestAnswer } from "@tocsin/model";
import { Registry, systemClock } from "@tocsin/platform";
import { createMetricStore, MetricStoreConfig } from "@tocsin/store";
import { runTocsin, silentLogger, startTocsin } from "@tocsin/testing";

const folder = mkdtempSync(join(tmpdir(), "tocsin-backtest-"));
const dataDir = join(folder, "data");
const rules = join(folder, "rules.yml");
const routing = join(folder, "alertmanager.yml");
const MINUTE = 60_000;
const END = Math.floor(systemClock.now() / MINUTE) * MINUTE - MINUTE;
const RULES =
  'groups: [{name: api, rules: [{alert: Failing, expr: "errors > 0", for: 2m, labels: {severity: warning}}]}]';
const RANGE = ["--from", String((END - 120 * MINUTE) / 1000), "--to", String(END / 1000), "--time-zone", "UTC"];

beforeAll(async () => {
  writeFileSync(rules, RULES);
  writeFileSync(
    routing,
    'route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: "http://127.0.0.1:1/"}]}]\n',
  );
  const store = createMetricStore({
    dataDir,
    config: MetricStoreConfig.parse({}),
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
  });
  await store.start();
  const samples = Array.from({ length: 121 }, (_, minute) => ({
    timestampMs: END - (120 - minute) * MINUTE,
    value: minute >= 30 && minute < 40 ? 3 : 0,
  }));
  await store.append({ series: [{ labels: { __name__: "errors", job: "api" }, samples }] });
  await store.stop();
});

const rows = (output: string) => output.split("\n").map((line) => line.split(/\s{2,}/));

test("the store of a Tocsin that does not run is replayed", async () => {
  const args = ["--rules", rules, "--config.file", routing, "--data-dir", dataDir, ...RANGE];
  const { code, output } = await runTocsin(["backtest", ...args]);
  expect(code, output).toBe(0);
  expect(rows(output)).toContainEqual(["Failing", "1", "8m", "8m", "0", "100 %"]);
  expect(output).toContain('Failing{job="api", severity="warning"}');
  const json = await runTocsin(["backtest", ...args, "--json"]);
  expect(BacktestAnswer.parse(JSON.parse(json.output)).candidate.receivers).toMatchObject([
    { receiver: "a", integration: "webhook", notifications: 2 },
  ]);
});

test("a running Tocsin replays posted rules beside those in force", async () => {
  const tocsin = await startTocsin({ dataDir, args: ["--no-demo", "--rules", rules, "--config.file", routing] });
  try {
    const candidate = join(folder, "candidate.yml");
    writeFileSync(candidate, RULES.replace("errors > 0", "errors > 5"));
    const url = ["--url", tocsin.address("dashboard"), ...RANGE];
    const { code, output } = await runTocsin(["backtest", "--rules", candidate, ...url]);
    expect(code, output).toBe(0);
    expect(rows(output)).toContainEqual(["Failing", "0", "-", "-", "0", "100 %"]);
    expect(rows(output)).toContainEqual(["", "in force now", "1", "8m", "8m", "0", "100 %"]);

    const unreadable = await runTocsin(["backtest", "--rules", join(folder, "none.yml"), ...url]);
    expect(unreadable).toMatchObject({ code: 1, output: expect.stringContaining("none.yml") as string });
  } finally {
    await tocsin.stop();
  }
});

test("two places to look are one too many", async () => {
  const { code, output } = await runTocsin(["backtest", "--url", "http://127.0.0.1:1", "--data-dir", dataDir]);
  expect(code).toBe(1);
  expect(output).toContain("--url and --data-dir exclude each other");
});
