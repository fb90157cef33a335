import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const mattermost = (url: string, keys = "") =>
  notifierOf(`mattermost_configs: [{webhook_url: '${url}/hooks/hook-token-1', ${keys}}]`);

httpNotifierContract("mattermost", (url) => mattermost(url), { secrets: ["hook-token-1"] });

const scene = sinkScene();

test("a message is one attachment made of the top-level keys", async () => {
  await scene.notify(
    mattermost(scene.sink.url, "channel: ops, fields: [{title: a, value: '{{ .Status }}', short: true}]"),
  );
  expect(scene.sink.received[0]?.path).toBe("/hooks/hook-token-1");
  expect(scene.sink.bodies[0]).toEqual({
    channel: "ops",
    username: "Alertmanager",
    attachments: [
      {
        title: "[FIRING:1] High (page)",
        title_link: "http://am.example/#/alerts?receiver=team",
        fallback: "[FIRING:1] High (page) | http://am.example/#/alerts?receiver=team",
        color: "danger",
        text: expect.stringMatching(/^# Firing \(1\)\n/) as string,
        fields: [{ title: "a", value: "firing", short: true }],
      },
    ],
  });
});

test("own attachments leave the text to the message; a card and a type go along", async () => {
  await scene.notify(
    mattermost(
      scene.sink.url,
      "text: '{{ .Status }}', attachments: [{title: t1}, {text: t2}], props: {card: c}, type: custom_x",
    ),
  );
  expect(scene.sink.bodies[0]).toEqual({
    username: "Alertmanager",
    text: "firing",
    type: "custom_x",
    props: { card: "c" },
    attachments: [{ title: "t1" }, { text: "t2" }],
  });
});

test("a text is cut at 16383 characters", async () => {
  await scene.notify(mattermost(scene.sink.url, `text: '${"m".repeat(16_400)}', attachments: [{title: t}]`));
  expect(scene.sink.bodies[0]).toMatchObject({ text: `${"m".repeat(16_382)}…` });
});

test.each([
  ["Urgent", { priority: "urgent", requested_ack: true, persistent_notifications: true }],
  ["important", { priority: "important", requested_ack: true }],
  ["whatever", { priority: "standard" }],
])("priority %s takes only the options that go with it", async (level, sent) => {
  await scene.notify(
    mattermost(scene.sink.url, `priority: {priority: ${level}, requested_ack: true, persistent_notifications: true}`),
  );
  expect(scene.sink.bodies[0]?.["priority"]).toEqual(sent);
});

test("the webhook of the global section is taken over; without any the block is refused", async () => {
  await scene.notify(
    notifierOf("mattermost_configs: [{}]", { global: `{mattermost_webhook_url: '${scene.sink.url}/g'}` }),
  );
  expect(scene.sink.received[0]?.path).toBe("/g");
  expect(() => notifierOf("mattermost_configs: [{}]")).toThrow("missing webhook_url or webhook_url_file");
});
