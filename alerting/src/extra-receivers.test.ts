import { expect, test } from "vitest";
import { HttpSink } from "../test/http-sink.ts";
import { openScene, Scene } from "../test/scene.ts";
import { ExtraReceivers } from "./config/extra-receivers.ts";
import { integrations } from "./notify/integrations.ts";

const CONFIG = `
route: {receiver: ops, group_wait: 0s, group_by: [alertname]}
receivers: [{name: ops}]
`;

test("a receiver of alertmanager.yml is told by what tocsin.yaml adds to it, also after a reload", async () => {
  const sink = await new HttpSink().start();
  sink.answerJson({ errcode: 0, errmsg: "ok" });
  const extraReceivers = ExtraReceivers.parse([
    {
      name: "ops",
      wecom_robot_configs: [
        { webhook_url: `${sink.url}/send?key=k`, message: "{{ .Status }} {{ .GroupLabels.alertname }}" },
      ],
    },
  ]);
  const scene = await openScene(CONFIG, { extraReceivers, integrations });
  await scene.fire("High");
  await scene.at("1s");
  await expect.poll(() => sink.bodies).toEqual([{ msgtype: "markdown", markdown: { content: "firing High" } }]);
  await scene.router.reload();
  await scene.fire("Low");
  await scene.at("2s");
  await expect.poll(() => sink.bodies.length).toBe(2);
  await scene.router.stop();
  await sink.stop();
});

test("a name that no receiver has keeps the router from starting", () => {
  const extraReceivers = ExtraReceivers.parse([{ name: "opps" }]);
  expect(() => new Scene(CONFIG, { extraReceivers })).toThrow('no receiver of alertmanager.yml has the name "opps"');
});
