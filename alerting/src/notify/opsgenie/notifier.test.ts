import { describe, expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { START } from "../../../test/scene.ts";

const opsgenie = (url: string, keys = "") =>
  notifierOf(`opsgenie_configs: [{api_url: '${url}/api', api_key: genie-key-1, ${keys}}]`);
const KEY = "f3d6947c9c15e6b3a6ec260804b8d597eb27cad181cfeb7ae7dfa22cc537fc3e";

httpNotifierContract("opsgenie", (url) => opsgenie(url), { alsoRetried: [429], secrets: ["genie-key-1"] });

const scene = sinkScene();
const asked = () => scene.sink.received.map(({ method, path }) => `${method} ${path}`);

describe("a group", () => {
  test("that fires creates an alert under its alias", async () => {
    await scene.notify(opsgenie(scene.sink.url));
    expect(asked()).toEqual(["POST /api/v2/alerts"]);
    expect(scene.sink.received[0]?.headers).toMatchObject({
      authorization: "GenieKey genie-key-1",
      "content-type": "application/json",
    });
    expect(scene.sink.bodies[0]).toEqual({
      alias: KEY,
      message: "[FIRING:1] High (page)",
      description: expect.stringContaining(" - severity = page") as string,
      source: "http://am.example/#/alerts?receiver=team",
      details: { alertname: "High", severity: "page" },
    });
  });

  test("that has ended closes it", async () => {
    await scene.notify(opsgenie(scene.sink.url), { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] });
    expect(asked()).toEqual([`POST /api/v2/alerts/${KEY}/close?identifierType=alias`]);
    expect(scene.sink.bodies[0]).toEqual({ source: "http://am.example/#/alerts?receiver=team" });
  });

  test("updates message and description of the open alert with update_alerts", async () => {
    await scene.notify(opsgenie(scene.sink.url, "update_alerts: true, message: m, description: d"));
    expect(asked()).toEqual([
      "POST /api/v2/alerts",
      `PUT /api/v2/alerts/${KEY}/message?identifierType=alias`,
      `PUT /api/v2/alerts/${KEY}/description?identifierType=alias`,
    ]);
    expect(scene.sink.bodies.slice(1)).toEqual([{ message: "m" }, { description: "d" }]);
  });
});

test("everything is a template, a message is cut at 130 characters", async () => {
  await scene.notify(
    opsgenie(
      scene.sink.url,
      `message: '${"m".repeat(140)}', details: {env: '{{ .Status }}'}, entity: e, note: n, priority: P1, tags: 'a,,{{ .Status }}', actions: 'x,y',
       responders: [{name: 'a,b', type: teams}, {username: '{{ .CommonLabels.none }}', type: user}, {id: '7', type: Schedule}]`,
    ),
  );
  expect(scene.sink.bodies[0]).toMatchObject({
    message: `${"m".repeat(129)}…`,
    details: { alertname: "High", env: "firing" },
    entity: "e",
    note: "n",
    priority: "P1",
    tags: ["a", "firing"],
    actions: ["x", "y"],
    responders: [
      { name: "a", type: "team" },
      { name: "b", type: "team" },
      { id: "7", type: "schedule" },
    ],
  });
});

test("the key of the global section is taken over", async () => {
  await scene.notify(
    notifierOf("opsgenie_configs: [{}]", { global: `{opsgenie_api_url: '${scene.sink.url}', opsgenie_api_key: g}` }),
  );
  expect(scene.sink.received[0]).toMatchObject({ path: "/v2/alerts", headers: { authorization: "GenieKey g" } });
});

test.each([
  ["{}", "no api_key"],
  ["{api_key: a, api_key_file: b}", "at most one of api_key and api_key_file"],
  ["{api_key: a, responders: [{type: user}]}", "at least one of id, username and name"],
  ["{api_key: a, responders: [{name: x, type: group}]}", "must be one of team, teams, user, escalation, schedule"],
])("%s is refused", (block, message) => expect(() => notifierOf(`opsgenie_configs: [${block}]`)).toThrow(message));
