import { describe, expect, test } from "vitest";
import { openScene, START } from "../test/scene.ts";
import { memoryStorage } from "./state/state-log.ts";

const SIMPLE = `
route: {receiver: team, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 4h}
receivers: [{name: team, told_configs: [{}]}]
`;
const ONE_GROUP = SIMPLE.replace("group_by: [alertname], ", "");

describe("groups and timers", () => {
  test("creation: the first notification leaves after group_wait", async () => {
    const s = await openScene(SIMPLE);
    await s.at("10s");
    await s.fire("A", {}, { startsAt: s.iso("10s") });
    await s.at("39s");
    expect(s.news()).toEqual([]);
    await s.at("40s");
    expect(s.news()).toEqual(["40s team: A (first notification)"]);
  });

  test("creation: an alert that began before group_wait ago is flushed at once", async () => {
    const s = await openScene(SIMPLE);
    await s.at("10m");
    await s.fire("A", {}, { startsAt: s.iso("9m") });
    await s.at("10m");
    expect(s.news()).toEqual(["10m team: A (first notification)"]);
  });

  test("ticks: a later alert waits for the next group_interval", async () => {
    const s = await openScene(ONE_GROUP);
    await s.fire("A");
    await s.at("1m");
    await s.fire("B");
    await s.at("6m");
    expect(s.news()).toEqual(["30s team: A (first notification)", "5m30s team: A B (new alerts added)"]);
  });

  test("ticks: alerts are told in order of job, instance, then labels with fewer first", async () => {
    const s = await openScene(ONE_GROUP);
    await s.fire("D", { job: "b" });
    await s.fire("C", { job: "a", instance: "2" });
    await s.fire("B", { job: "a", instance: "1", zone: "x" });
    await s.fire("A", { zone: "x" });
    await s.fire("E");
    await s.at("30s");
    expect(s.news()).toEqual(["30s team: B C D E A (first notification)"]);
  });

  test("group_wait 0: the first alert is flushed alone, the rest of its batch after group_interval", async () => {
    const s = await openScene(ONE_GROUP.replace("group_wait: 30s", "group_wait: 0s"));
    const times = { startsAt: s.iso(), endsAt: s.iso("1h") };
    await s.router.postAlerts(["A", "B"].map((alertname) => ({ labels: { alertname }, ...times })));
    await s.at("5m");
    expect(s.news()).toEqual(["0s team: A (first notification)", "5m team: A B (new alerts added)"]);
  });

  test("snapshot at flush: an alert cannot turn resolved on the way to its receiver", async () => {
    const pauses = [{ status: "retry", reason: "serverError", error: "503" } as const, undefined];
    const s = await openScene(SIMPLE, { answer: () => pauses.shift() ?? { status: "sent" } });
    await s.fire("A", {}, { endsAt: s.iso("30s500ms") });
    await s.at("40s");
    expect(s.news()).toEqual(["30s500ms team: A (first notification)"]);
    expect(s.told[0]?.notification.alerts[0]).toMatchObject({ status: "firing", endsAt: undefined });
  });

  test("after success resolved alerts leave, and the emptied group begins anew with group_wait", async () => {
    const s = await openScene(SIMPLE);
    await s.fire("A");
    await s.at("1m");
    await s.resolve("A");
    await s.at("6m");
    expect(s.news()).toEqual(["30s team: A (first notification)", "5m30s team: resolved A (all alerts resolved)"]);
    expect([...s.router.groups()]).toEqual([]);
    await s.fire("A");
    await s.at("6m30s");
    expect(s.news()).toEqual(["6m30s team: A (first notification)"]);
  });

  test("after failure resolved alerts stay for the next tick", async () => {
    let up = true;
    const s = await openScene(SIMPLE, {
      answer: () => (up ? { status: "sent" } : { status: "failed", reason: "clientError", error: "400" }),
    });
    await s.fire("A");
    await s.at("1m");
    await s.resolve("A");
    up = false;
    await s.at("6m");
    up = true;
    await s.at("11m");
    expect(s.news()).toEqual(["30s team: A (first notification)", "10m30s team: resolved A (all alerts resolved)"]);
  });

  test("deadline: one run may take group_interval, then it is given up until the next tick", async () => {
    const s = await openScene(SIMPLE, {
      answer: (_told, _attempt, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ status: "retry", reason: "other", error: "no answer" }));
        }),
    });
    await s.fire("A");
    await s.at("10m31s");
    expect(s.attempts.map(({ atMs }) => atMs - START)).toEqual([30_000, 330_000, 630_000]);
    expect(await s.registry.getSingleMetricAsString("alertmanager_notifications_failed_total")).toContain(
      'integration="told",reason="contextDeadlineExceeded"} 2',
    );
  });

  test("reload: groups are built again and the notification log keeps them quiet", async () => {
    const s = await openScene(SIMPLE);
    await s.fire("A");
    await s.at("2m");
    await s.reload(SIMPLE);
    await s.at("1h");
    expect(s.news()).toEqual(["30s team: A (first notification)"]);
  });

  test("reload: an alert that moves to another receiver is told there", async () => {
    const s = await openScene(SIMPLE);
    await s.fire("A");
    await s.at("2m");
    await s.reload(SIMPLE.replaceAll("team", "crew"));
    await s.at("3m");
    expect(s.news()).toEqual(["30s team: A (first notification)", "2m crew: A (first notification)"]);
  });

  test("reload: a bad file keeps the old configuration and says so in the metric", async () => {
    const s = await openScene(SIMPLE);
    await expect(s.reload("route: {receiver: nobody}")).rejects.toThrow(
      '/etc/alertmanager.yml:1:9 route.receiver: undefined receiver "nobody"',
    );
    expect(await s.registry.getSingleMetricAsString("alertmanager_config_last_reload_successful")).toContain(
      "alertmanager_config_last_reload_successful 0",
    );
    await s.fire("A");
    await s.at("30s");
    expect(s.news()).toEqual(["30s team: A (first notification)"]);
    await s.reload(SIMPLE);
    expect(await s.registry.getSingleMetricAsString("alertmanager_config_last_reload_successful")).toContain(
      "alertmanager_config_last_reload_successful 1",
    );
  });

  test("start delay: nothing is flushed before", async () => {
    const s = await openScene(SIMPLE, { startDelayMs: 120_000 });
    await s.fire("A");
    await s.at("10m");
    expect(s.news()).toEqual(["2m team: A (first notification)"]);
  });
});

describe("deduplication", () => {
  test("repeat_interval is looked at only at ticks", async () => {
    const s = await openScene(SIMPLE.replace("repeat_interval: 4h", "repeat_interval: 12m"));
    await s.fire("A");
    await s.at("31m");
    expect(s.news()).toEqual([
      "30s team: A (first notification)",
      "15m30s team: A (repeat interval elapsed)",
      "30m30s team: A (repeat interval elapsed)",
    ]);
  });

  test("what a receiver gave back is handed to it again, until the group fires anew", async () => {
    let given = 0;
    const answer = () => ({ status: "sent" as const, receiverData: { ts: String(++given) } });
    const s = await openScene(ONE_GROUP, { answer });
    await s.fire("A");
    await s.at("1m");
    await s.fire("B");
    await s.at("6m");
    await s.resolve("A");
    await s.resolve("B");
    await s.at("11m");
    await s.fire("A");
    await s.at("21m");
    expect(s.told.map(({ notification }) => [notification.reason, notification.receiverData?.["ts"]])).toEqual([
      ["first notification", undefined],
      ["new alerts added", "1"],
      ["all alerts resolved", "2"],
      ["first notification", undefined],
    ]);
  });

  test("send_resolved: one resolved alert of several is news, with the whole group", async () => {
    const s = await openScene(ONE_GROUP);
    await s.fire("A");
    await s.fire("B");
    await s.at("1m");
    await s.resolve("B");
    await s.at("11m");
    expect(s.news()).toEqual([
      "30s team: A B (first notification)",
      "5m30s team: A, resolved B (some alerts resolved)",
    ]);
  });

  test("send_resolved false: nothing is sent at the end, but the log forgets that it fired", async () => {
    const s = await openScene(SIMPLE.replace("[{}]", "[{send_resolved: false}]"));
    await s.fire("A");
    await s.at("1m");
    await s.resolve("A");
    await s.at("6m");
    await s.fire("A");
    await s.at("7m");
    expect(s.news()).toEqual(["30s team: A (first notification)", "6m30s team: A (first notification)"]);
  });

  test("an alert that came and went between two ticks is told as resolved, if the group was told of before", async () => {
    const s = await openScene(ONE_GROUP);
    await s.fire("A");
    await s.at("1m");
    await s.fire("B");
    await s.at("2m");
    await s.resolve("B");
    await s.at("6m");
    expect(s.news()).toEqual(["30s team: A (first notification)", "5m30s team: A, resolved B (some alerts resolved)"]);
  });

  test("an alert that resolves before the first flush is not told at all", async () => {
    const s = await openScene(SIMPLE);
    await s.fire("A");
    await s.at("10s");
    await s.resolve("A");
    await s.at("10m");
    expect(s.news()).toEqual([]);
    expect([...s.router.groups()]).toEqual([]);
  });

  test("an alert without an end resolves after resolve_timeout", async () => {
    const s = await openScene(`global: {resolve_timeout: 2m}\n${SIMPLE}`);
    await s.fire("A", {}, { endsAt: "" });
    await s.at("6m");
    expect(s.news()).toEqual(["30s team: A (first notification)", "5m30s team: resolved A (all alerts resolved)"]);
  });

  test("each integration of a receiver has its own memory", async () => {
    let secondUp = false;
    const s = await openScene(SIMPLE.replace("[{}]", "[{index: 0}, {index: 1}]"), {
      answer: (_, attempt) =>
        attempt % 2 === 1 || secondUp ? { status: "sent" } : { status: "failed", reason: "clientError", error: "no" },
    });
    await s.fire("A");
    await s.at("1m");
    expect(s.news()).toHaveLength(1);
    secondUp = true;
    await s.at("11m");
    expect(s.news()).toEqual(["5m30s team: A (first notification)"]);
  });
});

describe("retry", () => {
  test("pauses start at half a second, grow by half and end at the flush's deadline", async () => {
    const s = await openScene(SIMPLE, { answer: () => ({ status: "retry", reason: "serverError", error: "503" }) });
    await s.fire("A");
    await s.at("34s");
    expect(s.attempts.map(({ atMs }) => atMs - START)).toEqual([30_000, 30_500, 31_250, 32_375]);
    await s.at("5m30s");
    expect(await s.registry.getSingleMetricAsString("alertmanager_notifications_failed_total")).toContain(
      'alertmanager_notifications_failed_total{integration="told",reason="contextDeadlineExceeded"} 1',
    );
  });

  test("a final refusal is not tried again before the next tick", async () => {
    const s = await openScene(SIMPLE, { answer: () => ({ status: "failed", reason: "clientError", error: "400" }) });
    await s.fire("A");
    await s.at("5m");
    expect(s.attempts).toHaveLength(1);
    await s.at("6m");
    expect(s.attempts).toHaveLength(2);
  });
});

describe("inhibition", () => {
  const rule = (yaml: string) => `${SIMPLE}inhibit_rules: [${yaml}]\n`;

  test("a firing source mutes the target with the same equal labels, and only that", async () => {
    const s = await openScene(
      rule(`{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [zone]}`),
    );
    await s.fire("Down", { severity: "critical", zone: "a" });
    await s.fire("Slow", { severity: "warning", zone: "a" });
    await s.fire("Late", { severity: "warning", zone: "b" });
    await s.at("30s");
    expect(s.news()).toEqual(["30s team: Down (first notification)", "30s team: Late (first notification)"]);
  });

  test("a target that resolves while muted is not told of", async () => {
    const s = await openScene(rule(`{source_matchers: [alertname="Down"], target_matchers: [alertname="Slow"]}`));
    await s.fire("Slow");
    await s.at("1m");
    await s.fire("Down");
    await s.resolve("Slow");
    await s.at("12m");
    expect(s.news()).toEqual(["30s team: Slow (first notification)", "1m30s team: Down (first notification)"]);
  });

  test("with several sources the target stays muted when one of them resolves", async () => {
    const s = await openScene(rule(`{source_matchers: [severity="critical"], target_matchers: [severity="warning"]}`));
    await s.fire("Down1", { severity: "critical" });
    await s.fire("Down2", { severity: "critical" });
    await s.fire("Slow", { severity: "warning" });
    await s.at("1m");
    await s.resolve("Down2");
    await s.at("30m");
    expect(s.lines.filter((line) => line.includes("Slow"))).toEqual([]);
  });

  test("silenced sources still inhibit", async () => {
    const s = await openScene(rule(`{source_matchers: [alertname="Down"], target_matchers: [alertname="Slow"]}`));
    await s.silence("alertname=Down", "1h");
    await s.fire("Down");
    await s.fire("Slow");
    await s.at("1m");
    expect(s.news()).toEqual([]);
  });
});

describe("silences", () => {
  test("keep an alert out of the flush but in the group", async () => {
    const s = await openScene(ONE_GROUP);
    await s.silence("alertname=A", "1h");
    await s.fire("A");
    await s.fire("B");
    await s.at("30s");
    expect(s.news()).toEqual(["30s team: B (first notification)"]);
    expect([...s.router.groups()][0]?.size).toBe(2);
  });

  test("end: the alert is told at the next tick", async () => {
    const s = await openScene(SIMPLE);
    await s.silence("alertname=A", "7m");
    await s.fire("A");
    await s.at("11m");
    expect(s.news()).toEqual(["10m30s team: A (first notification)"]);
  });

  test("hold from their start, not before", async () => {
    const s = await openScene(SIMPLE);
    await s.silence("alertname=B", "1h", "2m");
    await s.fire("B");
    await s.at("31s");
    expect(s.news()).toEqual(["30s team: B (first notification)"]);
  });
});

describe("time intervals", () => {
  const timed = (kind: string, times: string) => `
route:
  receiver: team
  routes: [{matchers: [alertname=~".+"], ${kind}_time_intervals: [now], group_wait: 30s, group_interval: 5m}]
receivers: [{name: team, told_configs: [{}]}]
time_intervals: [{name: now, time_intervals: [{times: [${times}]}]}]
`;

  test("mute_time_intervals: muted while in them, told at the first tick afterwards", async () => {
    const s = await openScene(timed("mute", "{start_time: '12:00', end_time: '12:07'}"));
    await s.fire("A");
    await s.at("6m");
    expect(s.news()).toEqual([]);
    expect([...s.router.groups()][0]?.mutedBy).toEqual(["now"]);
    await s.at("11m");
    expect(s.news()).toEqual(["10m30s team: A (first notification)"]);
    expect([...s.router.groups()][0]?.mutedBy).toEqual([]);
  });

  test("active_time_intervals: muted while in none", async () => {
    const s = await openScene(timed("active", "{start_time: '12:10', end_time: '13:00'}"));
    await s.fire("A");
    await s.at("20m");
    expect(s.news()).toEqual(["10m30s team: A (first notification)"]);
  });

  test("while muted, resolved alerts vanish unreported", async () => {
    const s = await openScene(timed("mute", "{start_time: '12:01', end_time: '12:30'}"));
    await s.fire("A");
    await s.at("1m");
    await s.resolve("A");
    await s.at("1h");
    expect(s.news()).toEqual(["30s team: A (first notification)"]);
  });
});

describe("restart", () => {
  test.each([{ crash: false }, { crash: true }])(
    "forgets no alert and repeats no notification ($crash)",
    async (how) => {
      const s = await openScene(SIMPLE);
      await s.fire("A");
      await s.at("1m");
      await s.fire("B");
      await s.restart(how);
      await s.at("20m");
      expect(s.news()).toEqual(["30s team: A (first notification)", "1m30s team: B (first notification)"]);
    },
  );

  test.each([{ crash: false }, { crash: true }])(
    "an alert that ended meanwhile is told as resolved ($crash)",
    async (how) => {
      const s = await openScene(SIMPLE);
      await s.fire("A", {}, { endsAt: s.iso("2m") });
      await s.at("1m");
      await s.restart(how);
      await s.at("20m");
      expect(s.news()).toEqual(["30s team: A (first notification)", "6m team: resolved A (all alerts resolved)"]);
    },
  );

  test("a resolved alert whose end was told is not told again", async () => {
    const s = await openScene(ONE_GROUP);
    await s.fire("A");
    await s.fire("B");
    await s.at("1m");
    await s.resolve("B");
    await s.at("6m");
    await s.fire("C");
    await s.at("11m");
    expect(s.news()).toHaveLength(3);
    await s.restart();
    await s.reload(s.config);
    await s.at("25m");
    expect(s.news()).toEqual([]);
  });

  test("a crash inside a send repeats it: at least once", async () => {
    let answered = false;
    const s = await openScene(SIMPLE, { answer: () => (answered ? { status: "sent" } : new Promise(() => {})) });
    await s.fire("A");
    await s.at("31s");
    answered = true;
    await s.restart({ crash: true });
    await s.at("20m");
    expect(s.attempts).toHaveLength(2);
    expect(s.news()).toEqual(["31s team: A (first notification)"]);
  });

  test("a log entry that cannot be written still counts until the restart", async () => {
    const inner = memoryStorage();
    const s = await openScene(SIMPLE, {
      storage: {
        open: (name) => {
          const log = inner.open(name);
          return name === "notification-log"
            ? { ...log, appendedBytes: 0, append: () => Promise.reject(new Error("disk full")) }
            : log;
        },
      },
    });
    await s.fire("A");
    await s.at("20m");
    expect(s.news()).toEqual(["30s team: A (first notification)"]);
    expect(await s.registry.getSingleMetricAsString("tocsin_router_state_write_failures_total")).toContain(
      '{state="notification-log"} 1',
    );
  });

  test("silences hold on", async () => {
    const s = await openScene(SIMPLE);
    await s.silence("alertname=A", "1h");
    await s.restart({ crash: true });
    await s.fire("A");
    await s.at("30m");
    expect(s.news()).toEqual([]);
  });

  test("an alert that resolved and was collected stays gone", async () => {
    const s = await openScene(SIMPLE);
    await s.fire("A");
    await s.resolve("A");
    await s.at("31m");
    expect([...s.router.alerts()]).toEqual([]);
    await s.restart({ crash: true });
    expect([...s.router.alerts()]).toEqual([]);
  });
});

describe("decisions", () => {
  test("a routed alert, its flush, mutes, dedup and attempts each leave one record with a sentence", async () => {
    const s = await openScene(SIMPLE);
    await s.silence("zone=b", "1h");
    await s.fire("A", { zone: "a" });
    await s.fire("A", { zone: "b" });
    await s.at("6m");
    expect(s.decisions.map(({ kind, sentence }) => `${kind}: ${sentence}`)).toEqual([
      'routed: A{zone="a"} goes to team by route {}',
      'routed: A{zone="b"} goes to team by route {}',
      'flush: looked at group {alertname="A"} for team: 2 firing, 0 resolved; next look at 12:05:30',
      'muted: A{zone="b"} not sent to team: silenced by ann until 13:00:00: maintenance',
      "dedup: sending to team (told): first notification",
      "attempt: team (told) accepted 1 alert in 0 ms",
      'flush: looked at group {alertname="A"} for team: 2 firing, 0 resolved; next look at 12:10:30',
      'muted: A{zone="b"} not sent to team: silenced by ann until 13:00:00: maintenance',
      "dedup: not sent to team (told): nothing new since 12:00:30, next repeat after 16:00:30",
    ]);
    expect(new Set(s.decisions.map(({ id }) => id)).size).toBe(9);
  });

  test("a routing is recorded once: not again at a restart, at a reload only where it changed", async () => {
    const s = await openScene(SIMPLE);
    await s.fire("A");
    await s.resolve("A");
    await s.fire("A");
    await s.restart();
    await s.reload(SIMPLE);
    const routed = () => s.decisions.filter(({ kind }) => kind === "routed").length;
    expect(routed()).toBe(1);
    await s.reload(SIMPLE.replace("group_by: [alertname]", "group_by: []"));
    expect(routed()).toBe(2);
  });

  test("the response time counts from the start of the newest alert that is news", async () => {
    const s = await openScene(ONE_GROUP);
    await s.fire("A", {}, { startsAt: s.iso("0s") });
    await s.at("10s");
    await s.fire("B", {}, { startsAt: s.iso("10s") });
    await s.at("6m");
    const attempts = s.decisions.filter((record) => record.kind === "attempt");
    expect(attempts.map(({ responseMs }) => responseMs)).toEqual([20_000]);
    expect(await s.registry.getSingleMetricAsString("tocsin_alert_response_seconds")).toContain(
      'tocsin_alert_response_seconds_sum{integration="told"} 20',
    );
  });
});

test("stopping leaves no timer behind", async () => {
  const s = await openScene(SIMPLE);
  await s.fire("A");
  await s.router.stop();
  await s.router.stop();
  expect(s.clock.pending).toBe(0);
});
