import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const incidentio = (url: string, keys = "") =>
  notifierOf(
    `incidentio_configs: [{url: '${url}/v2/alert_events/alertmanager/1', alert_source_token: source-token-1, ${keys}}]`,
  );

httpNotifierContract("incidentio", (url) => incidentio(url), { alsoRetried: [429], secrets: ["source-token-1"] });

const scene = sinkScene();
const pair = [flushed({ alertname: "High", zone: "a" }), flushed({ alertname: "High", zone: "b" })];

test("the body is a webhook's of version 1, with the source's token", async () => {
  await scene.notify(incidentio(scene.sink.url));
  expect(scene.sink.received[0]).toMatchObject({
    path: "/v2/alert_events/alertmanager/1",
    headers: { authorization: "Bearer source-token-1" },
  });
  expect(scene.sink.bodies[0]).toMatchObject({
    version: "1",
    status: "firing",
    groupKey: '{}:{alertname="High"}',
    truncatedAlerts: 0,
    alerts: [{ labels: { alertname: "High" } }],
  });
});

test("max_alerts cuts the list and says by how many", async () => {
  await scene.notify(incidentio(scene.sink.url, "max_alerts: 1"), { alerts: pair });
  expect(scene.sink.bodies[0]).toMatchObject({ truncatedAlerts: 1, alerts: [{ labels: { zone: "a" } }] });
});

test("of more than 512 KiB only the first alert stays", async () => {
  const large = pair.map((alert) => ({ ...alert, annotations: { long: "x".repeat(300_000) } }));
  await scene.notify(incidentio(scene.sink.url), { alerts: large });
  expect(scene.sink.bodies[0]?.["alerts"]).toHaveLength(1);
});

test.each([
  ["{alert_source_token: x}", "exactly one of url and url_file"],
  ["{url: 'http://x', http_config: {}}", "alert_source_token or http_config.authorization is needed"],
  ["{url: 'http://x', alert_source_token: y, http_config: {authorization: {credentials: z}}}", "cannot be used with"],
])("%s is refused", (block, message) => expect(() => notifierOf(`incidentio_configs: [${block}]`)).toThrow(message));
