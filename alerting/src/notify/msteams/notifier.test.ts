import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { START } from "../../../test/scene.ts";

const teams = (url: string, keys = "") =>
  notifierOf(`msteams_configs: [{webhook_url: '${url}/webhookb2/hook-token-1', ${keys}}]`);

httpNotifierContract("msteams", (url) => teams(url), { secrets: ["hook-token-1"] });

const scene = sinkScene();

test("a message is a MessageCard, red while it fires, green when it has ended", async () => {
  await scene.notify(teams(scene.sink.url));
  await scene.notify(teams(scene.sink.url), { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] });
  expect(scene.sink.bodies[0]).toEqual({
    "@context": "http://schema.org/extensions",
    "@type": "MessageCard",
    type: "MessageCard",
    title: "[FIRING:1] High (page)",
    summary: "[FIRING:1] High (page)",
    text: expect.stringMatching(/^# Firing \(1\)\n\nLabels:\n {2}- alertname = High\n/) as string,
    themeColor: "8C1A1A",
  });
  expect(scene.sink.bodies[1]).toMatchObject({ title: "[RESOLVED] High ", themeColor: "2DC72D" });
});

test("a webhook is needed", () =>
  expect(() => notifierOf("msteams_configs: [{}]")).toThrow("exactly one of webhook_url and webhook_url_file"));
