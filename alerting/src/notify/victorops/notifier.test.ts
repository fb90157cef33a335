import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { START } from "../../../test/scene.ts";

const victorops = (url: string, keys = "routing_key: ops") =>
  notifierOf(`victorops_configs: [{api_url: '${url}/alert', api_key: rest-key-1, ${keys}}]`);

httpNotifierContract("victorops", (url) => victorops(url), { secrets: ["rest-key-1"] });

const scene = sinkScene();

test("a message goes to key and routing key, as CRITICAL while it fires and as RECOVERY when it has ended", async () => {
  const notifier = victorops(
    scene.sink.url,
    "routing_key: '{{ .GroupLabels.alertname }} 1', custom_fields: {env: '{{ .Status }}'}",
  );
  await scene.notify(notifier);
  await scene.notify(notifier, { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] });
  expect(scene.sink.received[0]?.path).toBe("/alert/rest-key-1/High%201");
  expect(scene.sink.bodies[0]).toEqual({
    message_type: "CRITICAL",
    entity_id: "f3d6947c9c15e6b3a6ec260804b8d597eb27cad181cfeb7ae7dfa22cc537fc3e",
    entity_display_name: "[FIRING:1] High (page)",
    state_message: expect.stringContaining(" - severity = page") as string,
    monitoring_tool: "Alertmanager",
    env: "firing",
  });
  expect(scene.sink.bodies[1]).toMatchObject({ message_type: "RECOVERY", env: "resolved" });
});

test.each([
  ["WARNING", "WARNING"],
  ["whatever", "CRITICAL"],
])("message_type %s is sent as %s", async (wanted, sent) => {
  await scene.notify(victorops(scene.sink.url, `routing_key: x, message_type: ${wanted}`));
  expect(scene.sink.bodies[0]).toMatchObject({ message_type: sent });
});

test("a state message is cut at 20480 characters", async () => {
  await scene.notify(victorops(scene.sink.url, `routing_key: x, state_message: '${"v".repeat(20_490)}'`));
  expect(scene.sink.bodies[0]).toMatchObject({ state_message: `${"v".repeat(20_479)}…` });
});

test.each([
  ["{api_key: x}", "routing_key"],
  ["{routing_key: x}", "no api_key"],
  ["{api_key: x, routing_key: y, custom_fields: {entity_id: z}}", "the field entity_id cannot be a custom one"],
])("%s is refused", (block, message) => expect(() => notifierOf(`victorops_configs: [${block}]`)).toThrow(message));
