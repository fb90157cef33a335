import type { FastifyInstance, InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpServer } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";
import { openScene, START, type Scene } from "../../test/scene.ts";
import { alertmanagerApi } from "./alertmanager-api.ts";
import { alertmanagerOperations } from "./operations.ts";

const CONFIG = `
route:
  receiver: team
  group_by: [alertname]
  labels: {tier: '{{ .GroupLabels.alertname | toLower }}'}
  routes:
    - {matchers: [team="b"], receiver: pager, mute_time_intervals: [always]}
inhibit_rules: [{source_matchers: [alertname="Down"], target_matchers: [alertname="Slow"]}]
receivers:
  - {name: team, told_configs: [{}]}
  - {name: pager, labels: {owner: ops}}
time_intervals: [{name: always, time_intervals: [{years: ['2000:2100']}]}]
`;

let scene: Scene;
let app: FastifyInstance;
beforeEach(async () => {
  scene = await openScene(CONFIG);
  app = createHttpServer({ logger: silentLogger });
  await app.register(alertmanagerApi, { router: scene.router });
  await app.register(alertmanagerOperations, { router: scene.router, registry: scene.registry });
});
afterEach(async () => {
  await app.close();
  await scene.router.stop();
});

const call = (method: InjectOptions["method"], url: string, payload?: unknown) =>
  app.inject({
    method: method ?? "GET",
    url: `/api/v2${url}`,
    ...(payload !== undefined && { headers: { "content-type": "application/json" }, payload: JSON.stringify(payload) }),
  });
const get = async <T = unknown>(url: string) => (await call("GET", url)).json<T>();
const names = async (url: string) =>
  (await get<{ labels: { alertname: string } }[]>(url)).map(({ labels }) => labels.alertname).sort();

describe("GET /status", () => {
  test("has no cluster, the compatible version, the configuration and the start time", async () => {
    expect(await get("/status")).toMatchObject({
      cluster: { status: "disabled", peers: [] },
      versionInfo: { version: "0.34.0" },
      config: { original: expect.stringContaining("receiver: team") as string },
      uptime: "2026-11-21T12:00:00.000Z",
    });
  });
});

describe("GET /receivers", () => {
  test("lists them in the file's order with their labels, filtered by receiver_matchers", async () => {
    expect(await get("/receivers")).toEqual([
      { name: "team", labels: { name: "team" } },
      { name: "pager", labels: { owner: "ops", name: "pager" } },
    ]);
    expect(await get("/receivers?receiver_matchers=owner%3D%22ops%22")).toMatchObject([{ name: "pager" }]);
  });
});

describe("POST /alerts", () => {
  test("takes alerts in and answers 200 with an empty body", async () => {
    const response = await call("POST", "/alerts", [{ labels: { alertname: "A" }, generatorURL: "" }]);
    expect([response.statusCode, response.body]).toEqual([200, ""]);
    expect(await names("/alerts")).toEqual(["A"]);
  });

  test("valid alerts of a batch are stored even when others fail; then it is 400 with a JSON string", async () => {
    const response = await call("POST", "/alerts", [
      { labels: {} },
      { labels: { alertname: "A" } },
      { labels: { alertname: "B" }, startsAt: "2026-11-22T00:00:00Z", endsAt: "2026-11-21T23:00:00Z" },
    ]);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toBe("at least one label pair required; start time must be before end time");
    expect(await names("/alerts")).toEqual(["A"]);
  });

  test.each([
    ["a missing field", [{ annotations: {} }], 422, { code: 602, message: "0.labels in body is required" }],
    ["a generatorURL that is no URI", [{ labels: { alertname: "A" }, generatorURL: "a b" }], 422, { code: 601 }],
    ["a wrong type", [{ labels: { alertname: 1 } }], 400, { code: 400 }],
    ["no list", { labels: {} }, 400, { code: 400 }],
    ["a bad date", [{ labels: { a: "b" }, endsAt: "soon" }], 400, { code: 400 }],
  ])("%s refuses the whole batch", async (_, body, status, error) => {
    const response = await call(
      "POST",
      "/alerts",
      Array.isArray(body) ? [...body, { labels: { alertname: "Good" } }] : body,
    );
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject(error);
    expect(await names("/alerts")).toEqual([]);
  });

  test("unreadable JSON is 400, another content type 415", async () => {
    const post = (type: string, payload: string) =>
      app.inject({ method: "POST", url: "/api/v2/alerts", headers: { "content-type": type }, payload });
    const unreadable = await post("application/json", "[{");
    expect([unreadable.statusCode, unreadable.json<{ code: number }>().code]).toEqual([400, 400]);
    const text = await post("text/plain", "[]");
    expect([text.statusCode, text.json()]).toEqual([
      415,
      { code: 415, message: 'unsupported media type "text/plain", only [application/json] are allowed' },
    ]);
  });
});

describe("GET /alerts", () => {
  beforeEach(async () => {
    await scene.fire("Down", { team: "a" }, { startsAt: scene.iso("0s") });
    await scene.fire("Slow", { team: "a" });
    await scene.fire("Loud", { team: "b" });
    await scene.silence("alertname=Loud", "1h");
  });

  test("shows fields, state and receivers, sorted by fingerprint, arrays never null", async () => {
    const alerts = await get<{ fingerprint: string; labels: { alertname: string } }[]>("/alerts");
    const prints = alerts.map(({ fingerprint }) => fingerprint);
    expect(prints).toEqual(prints.toSorted());
    expect(alerts.find(({ labels }) => labels.alertname === "Down")).toEqual({
      labels: { alertname: "Down", team: "a" },
      annotations: {},
      startsAt: "2026-11-21T12:00:00.000Z",
      endsAt: "2026-11-22T12:00:00.000Z",
      updatedAt: "2026-11-21T12:00:00.000Z",
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      receivers: [{ name: "team" }],
      status: { state: "active", silencedBy: [], inhibitedBy: [], mutedBy: [] },
    });
    expect(alerts.find(({ labels }) => labels.alertname === "Slow")).toMatchObject({
      status: {
        state: "suppressed",
        inhibitedBy: [alerts.find(({ labels }) => labels.alertname === "Down")?.fingerprint],
      },
    });
  });

  test.each([
    ["", ["Down", "Loud", "Slow"]],
    ["?active=false", ["Loud", "Slow"]],
    ["?silenced=false", ["Down", "Slow"]],
    ["?inhibited=no", ["Down", "Loud"]],
    ["?silenced=nonsense&inhibited=", ["Down", "Slow"]],
    ["?unprocessed=false", ["Down", "Loud", "Slow"]],
    ["?filter=team%3D%22a%22&filter=alertname!%3DSlow", ["Down"]],
    ["?filter=zone%3D%22%22", ["Down", "Loud", "Slow"]],
    ["?filter=zone!%3D%22%22", []],
    ["?receiver=pag.*", ["Loud"]],
    ["?receiver=pag", []],
    ["?receiver_matchers=owner%3Dops", ["Loud"]],
  ])("%s gives %j", async (query, expected) => {
    expect(await names(`/alerts${query}`)).toEqual(expected);
  });

  test.each([
    ["?filter=nonsense", "bad matcher format: nonsense"],
    ["?filter=%7Ba%3Db%7D", "unexpected open or close brace: {a=b}"],
  ])("%s is 400 with a JSON string", async (query, message) => {
    const response = await call("GET", `/alerts${query}`);
    expect([response.statusCode, response.json()]).toEqual([400, message]);
  });

  test("a receiver that is no regular expression is 400", async () => {
    expect((await call("GET", "/alerts?receiver=(")).statusCode).toBe(400);
  });

  test("resolved alerts are hidden as soon as their end is past", async () => {
    await scene.resolve("Down", { team: "a" });
    await scene.at("1s");
    expect(await names("/alerts")).toEqual(["Loud", "Slow"]);
  });
});

describe("GET /alerts/groups", () => {
  beforeEach(async () => {
    await scene.fire("B", { team: "b" });
    await scene.fire("B", { team: "a", instance: "2" });
    await scene.fire("B", { team: "a", instance: "1" });
    await scene.fire("A", { team: "a" });
  });
  type Group = {
    labels: { alertname: string };
    receiver: { name: string };
    alerts: { labels: Record<string, string>; status: object }[];
  };
  const groups = async (query = "") =>
    (await get<Group[]>(`/alerts/groups${query}`)).map(
      ({ labels, receiver, alerts }) => `${labels.alertname} ${receiver.name} ${alerts.length}`,
    );

  test("sorted by labels, then receiver; alerts by job and instance; route labels are rendered", async () => {
    expect(await groups()).toEqual(["A team 1", "B pager 1", "B team 2"]);
    const all = await get<Group[]>("/alerts/groups");
    expect(all[2]?.alerts.map(({ labels }) => labels["instance"])).toEqual(["1", "2"]);
    expect(all[0]).toMatchObject({ routeLabels: { tier: "a" }, receiver: { name: "team" } });
  });

  test("time-muted groups are suppressed after a flush, and dropped by muted=false", async () => {
    expect(await groups("?muted=false")).toHaveLength(3);
    await scene.at("31s");
    expect(await groups("?muted=false")).toEqual(["A team 1", "B team 2"]);
    const [muted] = (await get<Group[]>("/alerts/groups")).filter(({ receiver }) => receiver.name === "pager");
    expect(muted?.alerts[0]?.status).toEqual({
      state: "suppressed",
      silencedBy: [],
      inhibitedBy: [],
      mutedBy: ["always"],
    });
    expect(await get<{ status: { mutedBy: string[] } }[]>("/alerts?receiver=pager")).toMatchObject([
      { status: { state: "active", mutedBy: [] } },
    ]);
  });

  test("groups without remaining alerts are omitted", async () => {
    expect(await groups("?filter=instance%3D%221%22")).toEqual(["B team 1"]);
    expect(await groups("?receiver=pager")).toEqual(["B pager 1"]);
  });
});

describe("silences", () => {
  const matcher = { name: "alertname", value: "A", isRegex: false };
  const silence = (overrides: object = {}) => ({
    matchers: [matcher],
    startsAt: scene.iso(),
    endsAt: scene.iso("1h"),
    createdBy: "ann",
    comment: "x",
    ...overrides,
  });

  test("POST creates, GET shows, DELETE expires", async () => {
    const created = await call("POST", "/silences", silence({ annotations: { ticket: "7" } }));
    expect(created.statusCode).toBe(200);
    const { silenceID } = created.json<{ silenceID: string }>();
    expect(await get(`/silence/${silenceID}`)).toEqual({
      id: silenceID,
      status: { state: "active" },
      updatedAt: "2026-11-21T12:00:00.000Z",
      startsAt: "2026-11-21T12:00:00.000Z",
      endsAt: "2026-11-21T13:00:00.000Z",
      createdBy: "ann",
      comment: "x",
      matchers: [{ ...matcher, isEqual: true }],
      annotations: { ticket: "7" },
    });
    const deleted = await call("DELETE", `/silence/${silenceID}`);
    expect([deleted.statusCode, deleted.body]).toEqual([200, ""]);
    expect(await get("/silences")).toMatchObject([{ status: { state: "expired" } }]);
    expect((await call("DELETE", `/silence/${silenceID}`)).statusCode).toBe(200);
  });

  test("unknown ids are 404 with an empty body, ids that are no UUID 422", async () => {
    const unknown = "/silence/2f4c1a52-8e0b-4f6e-9d2b-000000000000";
    for (const method of ["GET", "DELETE"] as const) {
      const missing = await call(method, unknown);
      expect([missing.statusCode, missing.body]).toEqual([404, ""]);
      const bad = await call(method, "/silence/x");
      expect([bad.statusCode, bad.json()]).toEqual([
        422,
        { code: 601, message: 'silenceID in path must be of type uuid: "x"' },
      ]);
    }
    const update = await call("POST", "/silences", silence({ id: unknown.slice(9) }));
    expect([update.statusCode, update.json()]).toEqual([404, "silence not found"]);
  });

  test.each([
    ["comment", { comment: undefined }, { code: 602, message: "comment in body is required" }],
    ["createdBy", { createdBy: null }, { code: 602, message: "createdBy in body is required" }],
    ["matchers", { matchers: [] }, { code: 612, message: "matchers in body should have at least 1 items" }],
    [
      "isRegex",
      { matchers: [{ name: "a", value: "b" }] },
      { code: 602, message: "matchers.0.isRegex in body is required" },
    ],
  ])("a missing %s is 422", async (_, overrides, error) => {
    const response = await call("POST", "/silences", silence(overrides));
    expect([response.statusCode, response.json()]).toEqual([422, error]);
  });

  test.each([
    ["start ≥ end", () => ({ endsAt: scene.iso() }), "Failed to create silence: start time must be before end time"],
    [
      "an end in the past",
      () => ({ startsAt: "2020-01-01T00:00:00Z", endsAt: "2020-01-02T00:00:00Z" }),
      "Failed to create silence: end time can't be in the past",
    ],
    ["a bad regular expression", () => ({ matchers: [{ name: "a", value: "(", isRegex: true }] }), "invalid silence"],
  ])("%s is 400 with a JSON string", async (_, overrides, message) => {
    const response = await call("POST", "/silences", silence(overrides()));
    expect(response.statusCode).toBe(400);
    expect(response.json()).toContain(message);
  });

  test("comment and createdBy may be empty", async () => {
    expect((await call("POST", "/silences", silence({ comment: "", createdBy: "" }))).statusCode).toBe(200);
  });

  test("GET filters by state and by matcher, and sorts active, pending, expired", async () => {
    await scene.silence("a=1", "2h");
    await scene.silence("a=1", "1h");
    await scene.silence("b=2", "3h", "30m");
    await scene.silence("c=3", "1s");
    await scene.at("2s");
    const shown = async (query: string) =>
      (await get<{ matchers: { name: string }[]; endsAt: string }[]>(`/silences${query}`)).map(
        ({ matchers, endsAt }) => `${matchers[0]?.name} ${endsAt.slice(11, 16)}`,
      );
    expect(await shown("")).toEqual(["a 13:00", "a 14:00", "b 15:00", "c 12:00"]);
    expect(await shown("?expired=false&pending=false")).toEqual(["a 13:00", "a 14:00"]);
    expect(await shown("?active=false")).toEqual(["b 15:00", "c 12:00"]);
    expect(await shown("?filter=b%3D%222%22")).toEqual(["b 15:00"]);
    expect(await shown("?filter=b%3D~%222%22")).toEqual([]);
  });
});

describe("around the handlers", () => {
  test("answers are not stored and may be read from anywhere", async () => {
    const response = await app.inject({ url: "/api/v2/status", headers: { origin: "http://karma" } });
    expect(response.headers).toMatchObject({ "cache-control": "no-store", "access-control-allow-origin": "*" });
  });

  test("unknown paths are 404, other methods 405 with Allow", async () => {
    const unknown = await call("GET", "/nope");
    expect([unknown.statusCode, unknown.json()]).toEqual([
      404,
      { code: 404, message: "path /api/v2/nope was not found" },
    ]);
    const method = await call("PUT", "/alerts");
    expect([method.statusCode, method.headers["allow"], method.json()]).toEqual([
      405,
      "GET,POST",
      { code: 405, message: "method PUT is not allowed, but [GET,POST] are" },
    ]);
    expect((await call("POST", "/silence/2f4c1a52-8e0b-4f6e-9d2b-000000000000")).statusCode).toBe(405);
  });

  test("/-/healthy and /-/ready answer OK, /-/reload takes POST only and says what is wrong", async () => {
    expect((await app.inject("/-/ready")).body).toBe("OK");
    expect((await app.inject({ method: "HEAD", url: "/-/healthy" })).statusCode).toBe(200);
    expect((await app.inject("/-/reload")).statusCode).toBe(405);
    expect((await app.inject({ method: "POST", url: "/-/reload" })).statusCode).toBe(200);
    scene.config = "route: {receiver: nobody}";
    const bad = await app.inject({ method: "POST", url: "/-/reload" });
    expect(bad.statusCode).toBe(500);
    expect(bad.body).toContain('undefined receiver "nobody"');
  });

  test("API v1 is 410", async () => {
    const response = await app.inject("/api/v1/alerts");
    expect([response.statusCode, response.json<{ status: string }>().status]).toEqual([410, "deprecated"]);
  });

  test("a route prefix stands before everything, and / leads to it", async () => {
    const prefixed = createHttpServer({ logger: silentLogger });
    await prefixed.register(alertmanagerApi, { router: scene.router, routePrefix: "/am" });
    await prefixed.register(alertmanagerOperations, {
      router: scene.router,
      registry: scene.registry,
      routePrefix: "/am",
    });
    expect((await prefixed.inject("/am/api/v2/status")).statusCode).toBe(200);
    expect((await prefixed.inject("/am/-/healthy")).statusCode).toBe(200);
    const root = await prefixed.inject("/");
    expect([root.statusCode, root.headers.location]).toEqual([302, "/am"]);
    await prefixed.close();
  });

  test("GETs above the concurrency limit are 503", async () => {
    const limited = createHttpServer({ logger: silentLogger });
    await limited.register(alertmanagerApi, { router: scene.router, getConcurrency: 1 });
    const answers = await Promise.all([1, 2].map(() => limited.inject("/api/v2/status")));
    expect(answers.map(({ statusCode }) => String(statusCode)).sort()).toEqual(["200", "503"]);
    expect((await limited.inject("/api/v2/status")).statusCode).toBe(200);
    await limited.close();
  });

  test("an alert that could not be written down is routed, and the sender told 500", async () => {
    const failing = await openScene(CONFIG, {
      storage: {
        open: (name) => {
          const log = scene.storage.open(`failing-${name}`);
          return { ...log, appendedBytes: 0, append: () => Promise.reject(new Error("disk full")) };
        },
      },
    });
    const server = createHttpServer({ logger: silentLogger });
    await server.register(alertmanagerApi, { router: failing.router });
    const payload = [{ labels: { alertname: "A" } }];
    const response = await server.inject({ method: "POST", url: "/api/v2/alerts", payload });
    expect([response.statusCode, response.json()]).toEqual([500, "disk full"]);
    await failing.at("30s");
    expect(failing.news()).toEqual(["30s team: A (first notification)"]);
    await server.close();
  });
});

test("metrics have the names and labels that dashboards use, at 0 from the start", async () => {
  await scene.fire("A", {}, { startsAt: new Date(START).toISOString() });
  await scene.silence("alertname=A", "1h");
  const { body } = await app.inject("/metrics");
  for (const line of [
    'alertmanager_alerts{state="active"} 0',
    'alertmanager_alerts{state="suppressed"} 1',
    'alertmanager_alerts_received_total{status="firing",version="v2"} 1',
    'alertmanager_alerts_invalid_total{version="v2"} 0',
    'alertmanager_silences{state="active"} 1',
    'alertmanager_notifications_total{integration="email"} 0',
    'alertmanager_notifications_failed_total{integration="wechat",reason="rateLimited"} 0',
    'alertmanager_notification_latency_seconds_bucket{le="20",integration="webhook"} 0',
    'alertmanager_notifications_suppressed_total{reason="silence"} 0',
    "alertmanager_config_last_reload_successful 1",
    "alertmanager_dispatcher_aggregation_groups 1",
    'alertmanager_build_info{version="0.34.0"',
  ])
    expect(body).toContain(line);
});
