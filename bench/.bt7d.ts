import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Registry, systemClock, createLogger } from "@tocsin/platform";
import { createMetricStore, MetricStoreConfig } from "@tocsin/store";
import { backtest, parseRuleFile } from "@tocsin/alerting";
const step = Number(process.argv[2]) * 1000;
const dir = mkdtempSync("/tmp/bt7d-");
const store = createMetricStore({ dataDir: dir, config: MetricStoreConfig.parse({ fsync: "never" }), clock: systemClock, logger: createLogger({ level: "error" }), registry: new Registry() });
await store.start();
const end = Math.floor(Date.now() / 60000) * 60000, start = end - 7 * 86400e3;
const N = 240;
let acc = Array.from({ length: 100 }, () => 0);
for (let t = start; t < end; t += N * step) {
  const series = acc.map((_, i) => ({ labels: { __name__: "errors_total", instance: `i${i}`, job: "app" }, samples: Array.from({ length: Math.min(N, (end - t) / step) }, (_, k) => { const ts = t + k * step; const m = ((ts - start) / 60000) % 1440; acc[i] += m >= i * 10 && m < i * 10 + 10 ? 5 : 0; return { timestampMs: ts, value: acc[i] as number }; }) }));
  await store.append({ series });
}
await new Promise((r) => setTimeout(r, 11000));
const groups = parseRuleFile("r.yml", `groups: [{name: a, rules: [{alert: E, expr: "rate(errors_total[5m]) > 0.01", for: 2m}]}]`, { evaluationIntervalMs: 60000, queryOffsetMs: 0 }).groups;
for (let i = 0; i < 4; i++) {
  const b = performance.now();
  const a = await backtest({ rules: groups, routing: { configFile: "x.yml", configText: "route: {receiver: a, group_by: [instance]}\nreceivers: [{name: a, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]" }, fromMs: start, toMs: end, history: store, clock: systemClock });
  console.log(step, Math.round(performance.now() - b), "ms", a.candidate.rules[0]?.firings, a.candidate.receivers[0]?.notifications, a.candidate.rules[0]?.history, a.notes);
}
await store.stop(); rmSync(dir, { recursive: true });
