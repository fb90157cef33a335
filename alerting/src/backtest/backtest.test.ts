import { describe, expect, test } from "vitest";
import { ManualClock } from "@tocsin/testing";
import { historyScene, MINUTE, NOON, ruleGroups, type HistoryScene } from "../../test/history-scene.ts";
import type { Silence } from "../mute/silence.ts";
import { backtest, type BacktestOptions } from "./backtest.ts";

const ROUTING = `
route: {receiver: team, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 1h}
receivers: [{name: team, webhook_configs: [{url: "http://127.0.0.1:1/never-called"}]}]
`;
const FAILING = `
groups:
  - name: api
    rules:
      - {alert: Failing, expr: "errors > 0", for: 2m}
`;
const HOUR = 60;

/** Fails from minute 10 to 19, in minute 30, and from 40 to 44. */
const failures = (minute: number) =>
  (minute >= 10 && minute <= 19) || minute === 30 || (minute >= 40 && minute <= 44) ? 5 : 0;

function run(scene: HistoryScene, minutes: number, options: Partial<BacktestOptions> & { text?: string } = {}) {
  const { text = ROUTING, ...rest } = options;
  return backtest({
    rules: ruleGroups(FAILING),
    routing: { configFile: "/etc/alertmanager.yml", configText: text },
    fromMs: NOON,
    toMs: NOON + minutes * MINUTE,
    history: scene.history,
    clock: new ManualClock(NOON),
    ...rest,
  });
}

function failingScene(): HistoryScene {
  const scene = historyScene();
  scene.add({ __name__: "errors", job: "api" }, HOUR, failures);
  return scene;
}

describe("firings", () => {
  test("a condition that outlasts `for` fires, a shorter one is only pending", async () => {
    const { candidate } = await run(failingScene(), HOUR);
    expect(candidate.rules).toEqual([
      {
        alert: "Failing",
        group: "api",
        file: "rules.yml",
        history: { firstSampleAt: "2026-11-21T12:00:00.000Z", share: 1, missing: [] },
        firings: 2,
        pendingOnly: 1,
        firingSeconds: 660,
        longestSeconds: 480,
        first: [
          {
            labels: { alertname: "Failing", job: "api" },
            activeAt: "2026-11-21T12:10:00.000Z",
            startsAt: "2026-11-21T12:12:00.000Z",
            endsAt: "2026-11-21T12:20:00.000Z",
            seconds: 480,
            value: 5,
            atStart: false,
          },
          {
            labels: { alertname: "Failing", job: "api" },
            activeAt: "2026-11-21T12:40:00.000Z",
            startsAt: "2026-11-21T12:42:00.000Z",
            endsAt: "2026-11-21T12:45:00.000Z",
            seconds: 180,
            value: 5,
            atStart: false,
          },
        ],
        errors: [],
      },
    ]);
  });

  test("what still fires at the end has no end and counts up to it; what held at the start is said to", async () => {
    const scene = historyScene();
    scene.add({ __name__: "errors" }, HOUR, () => 1);
    const { candidate, notes } = await run(scene, HOUR);
    expect(candidate.rules[0]?.first).toMatchObject([{ endsAt: null, seconds: 58 * 60, atStart: true }]);
    expect(notes).toContain("Failing: its condition held at the start already, and may have begun earlier");
  });

  test("keep_firing_for bridges the gap between two bursts", async () => {
    const rules = ruleGroups(FAILING.replace("for: 2m", "for: 2m, keep_firing_for: 25m"));
    const { candidate } = await run(failingScene(), HOUR, { rules });
    expect(candidate.rules[0]).toMatchObject({ firings: 1, firingSeconds: 48 * 60 });
  });

  test("a recording rule of the same rules is replayed, not read from the store", async () => {
    const rules = ruleGroups(`
groups:
  - name: alerts
    rules: [{alert: Many, expr: "job:errors:sum > 8"}]
  - name: recorded
    rules: [{record: "job:errors:sum", expr: "sum by (job) (errors)"}]
`);
    const scene = failingScene();
    scene.add({ __name__: "errors", job: "api", instance: "b" }, HOUR, failures);
    scene.add({ __name__: "job:errors:sum", job: "api" }, HOUR, () => 100);
    const { candidate, notes } = await run(scene, HOUR, { rules });
    expect(candidate.rules[0]).toMatchObject({ firings: 3, pendingOnly: 0, firingSeconds: 16 * 60 });
    expect(candidate.rules[0]?.first[0]).toMatchObject({ value: 10, startsAt: "2026-11-21T12:10:00.000Z" });
    expect(candidate.rules[0]?.history).toMatchObject({ share: 1 });
    expect(notes).toEqual(["less than a day says little about nights and weekends"]);
  });

  test("a failing query is the rule's error", async () => {
    const rules = ruleGroups(FAILING.replace("errors > 0", "errors * on (x) errors > 0"));
    const scene = failingScene();
    scene.add({ __name__: "errors", job: "web" }, HOUR, failures);
    const { candidate } = await run(scene, HOUR, { rules });
    expect(candidate.rules[0]).toMatchObject({ firings: 0 });
    expect(candidate.rules[0]?.errors[0]).toContain("found duplicate series for the match group");
  });

  test("templates may query the time they are rendered for", async () => {
    const rules = ruleGroups(`
groups:
  - name: api
    rules:
      - alert: Failing
        expr: errors > 0
        labels: {width: '{{ range query "count(errors)" }}{{ .Value }}{{ end }}'}
`);
    const { candidate } = await run(failingScene(), HOUR, { rules });
    expect(candidate.rules[0]?.first[0]?.labels).toEqual({ alertname: "Failing", job: "api", width: "1" });
  });
});

describe("notifications", () => {
  test("a firing makes a message after group_wait and one of its end at the next look", async () => {
    const { candidate } = await run(failingScene(), HOUR);
    expect(candidate.receivers).toEqual([
      {
        receiver: "team",
        integration: "webhook",
        notifications: 4,
        atNight: 0,
        reasons: { "first notification": 2, "all alerts resolved": 2 },
        times: [
          "2026-11-21T12:12:30.000Z",
          "2026-11-21T12:22:30.000Z",
          "2026-11-21T12:42:30.000Z",
          "2026-11-21T12:47:30.000Z",
        ],
      },
    ]);
  });

  test("what goes on firing is repeated at the first look after repeat_interval", async () => {
    const scene = historyScene();
    scene.add({ __name__: "errors" }, 5 * HOUR, () => 1);
    const { candidate } = await run(scene, 5 * HOUR);
    expect(candidate.receivers[0]).toMatchObject({
      notifications: 5,
      reasons: { "first notification": 1, "repeat interval elapsed": 4 },
      times: [
        "2026-11-21T12:02:30.000Z",
        "2026-11-21T13:07:30.000Z",
        "2026-11-21T14:12:30.000Z",
        "2026-11-21T15:17:30.000Z",
        "2026-11-21T16:22:30.000Z",
      ],
    });
  });

  test("nights are those of the time zone", async () => {
    const scene = historyScene();
    scene.add({ __name__: "errors" }, 5 * HOUR, () => 1);
    // Noon UTC is 21:00 in Tokyo: all but the first message fall after 22:00.
    const { candidate } = await run(scene, 5 * HOUR, { timeZone: "Asia/Tokyo" });
    expect(candidate.receivers[0]).toMatchObject({ notifications: 5, atNight: 4 });
  });

  test("mute times hold messages back, and are counted with their name", async () => {
    const text = `
route:
  receiver: team
  group_wait: 30s
  routes: [{receiver: team, matchers: [alertname="Failing"], mute_time_intervals: [lunch]}]
receivers: [{name: team, webhook_configs: [{url: "http://127.0.0.1:1/"}]}]
time_intervals: [{name: lunch, time_intervals: [{times: [{start_time: "12:00", end_time: "12:30"}]}]}]
`;
    const { candidate } = await run(failingScene(), HOUR, { text });
    expect(candidate.receivers[0]?.times).toEqual(["2026-11-21T12:42:30.000Z", "2026-11-21T12:47:30.000Z"]);
    expect(candidate.muted).toEqual([{ receiver: "team", reason: "mute_time_interval", by: ["lunch"], flushes: 2 }]);
  });

  test("silences hold in their time", async () => {
    const silence: Silence = {
      id: "old",
      matchers: [{ name: "job", type: "=", value: "api" }],
      startsAt: NOON + 35 * MINUTE,
      endsAt: NOON + 44 * MINUTE,
      updatedAt: 0,
      createdBy: "ann",
      comment: "deployment",
      annotations: {},
    };
    const { candidate } = await run(failingScene(), HOUR, { silences: [silence] });
    expect(candidate.receivers[0]?.times).toEqual(["2026-11-21T12:12:30.000Z", "2026-11-21T12:22:30.000Z"]);
    expect(candidate.muted).toMatchObject([{ reason: "silence", flushes: 1 }]);
  });
});

test("the rule in force is replayed beside the candidate", async () => {
  const presentRules = ruleGroups(FAILING.replace("for: 2m", "for: 0s"));
  const { candidate, present } = await run(failingScene(), HOUR, { presentRules });
  expect(candidate.rules[0]?.firings).toBe(2);
  expect(present?.rules[0]?.firings).toBe(3);
  expect(present?.receivers[0]?.notifications).toBe(6);
});

describe("history", () => {
  test("what there was is said: since when, how much, and what never was", async () => {
    const scene = historyScene();
    scene.add({ __name__: "errors" }, HOUR, (minute) => (minute >= 30 ? 0 : undefined));
    const rules = ruleGroups(FAILING.replace("errors > 0", "errors > 0 and on () limit{kind='hard'} offset 5m"));
    const { candidate, notes } = await run(scene, HOUR, { rules });
    expect(candidate.rules[0]?.history).toEqual({
      firstSampleAt: "2026-11-21T12:30:00.000Z",
      share: 7 / 13,
      missing: ['limit{kind="hard"}'],
    });
    expect(notes).toContain("Failing: there is history for 54 % of the time, from 2026-11-21T12:30:00.000Z on");
  });

  test("none at all is no clean bill", async () => {
    const { candidate, notes } = await run(historyScene(), HOUR);
    expect(candidate.rules[0]?.history).toEqual({ firstSampleAt: null, share: 0, missing: ["errors"] });
    expect(notes).toContain("Failing: there is no history of anything it reads");
  });
});

describe("limits", () => {
  test("a range that is empty, backwards or longer than 31 days is refused", async () => {
    await expect(run(historyScene(), 0)).rejects.toThrow("from must be before to");
    await expect(run(historyScene(), 32 * 24 * HOUR)).rejects.toMatchObject({ code: "TOCSIN_TOO_LARGE" });
  });

  test("rules without an alert are refused", async () => {
    const rules = ruleGroups('groups: [{name: a, rules: [{record: "a:b", expr: "1"}]}]');
    await expect(run(historyScene(), HOUR, { rules })).rejects.toThrow("there is no alerting rule to replay");
  });

  test("an aborted backtest ends", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(run(failingScene(), HOUR, { signal })).rejects.toThrow("enough");
  });
});

test("7 days of a rule over 100 series take one query, and every firing is found", async () => {
  const scene = historyScene();
  const days = 7 * 24 * HOUR;
  // Series i fails for ten minutes of every day, at minute i * 10 of the day.
  for (let i = 0; i < 100; i++)
    scene.add({ __name__: "errors", instance: `i${i}` }, days, (minute) => {
      const ofDay = minute % (24 * HOUR);
      return ofDay >= i * 10 && ofDay < i * 10 + 10 ? 1 : 0;
    });
  const began = performance.now();
  const { candidate } = await run(scene, days);
  const tookMs = performance.now() - began;
  expect(candidate.rules[0]).toMatchObject({ firings: 700, firingSeconds: 700 * 480, longestSeconds: 480 });
  expect(scene.asked).toEqual({ range: ["errors > 0", "group(errors)"], instant: [], select: 0 });
  // A second is the goal on an idle machine; tests share theirs.
  expect(tookMs).toBeLessThan(5000);
});
