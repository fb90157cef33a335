import { describe, expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { START } from "../../../test/scene.ts";

const slack = (keys: string, global?: string) => notifierOf(`slack_configs: [{${keys}}]`, global ? { global } : {});
const webhook = (url: string, keys = "") => slack(`api_url: '${url}/services/T0/B0/hook-token-1', ${keys}`);
const app = (url: string, keys = "") =>
  slack(`app_token: xoxb-secret-token, app_url: '${url}/api/chat.postMessage', channel: '#ops', ${keys}`);

httpNotifierContract("slack by webhook", (url) => webhook(url), {
  accepts: { body: "ok" },
  exceptions: { 204: "failed" },
  secrets: ["hook-token-1"],
});
httpNotifierContract("slack by app token", (url) => app(url), {
  accepts: { body: '{"ok":true}', type: "application/json" },
  exceptions: { 204: "retry" },
  secrets: ["xoxb-secret-token"],
});

const scene = sinkScene();

describe("a message", () => {
  test("is one attachment with the defaults of Alertmanager", async () => {
    scene.sink.answer = (response) => response.end("ok");
    expect(await scene.notify(webhook(scene.sink.url, "channel: '#{{ .GroupLabels.alertname }}'"))).toEqual({
      status: "sent",
    });
    expect(scene.sink.received[0]).toMatchObject({
      path: "/services/T0/B0/hook-token-1",
      headers: { "content-type": "application/json" },
    });
    expect(scene.sink.received[0]?.headers).not.toHaveProperty("authorization");
    expect(scene.sink.bodies).toEqual([
      {
        channel: "#High",
        username: "Alertmanager",
        attachments: [
          {
            title: "[FIRING:1] High (page)",
            title_link: "http://am.example/#/alerts?receiver=team",
            text: "",
            fallback: "[FIRING:1] High (page) | http://am.example/#/alerts?receiver=team",
            callback_id: "",
            footer: "",
            color: "danger",
            mrkdwn_in: ["fallback", "pretext", "text"],
          },
        ],
      },
    ]);
  });

  test("of an end is good", async () => {
    scene.sink.answer = (response) => response.end("ok");
    await scene.notify(webhook(scene.sink.url), {
      alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })],
    });
    expect(scene.sink.bodies[0]).toMatchObject({ attachments: [{ color: "good", title: "[RESOLVED] High " }] });
  });

  test("renders fields, actions and a top-level text; a title is cut at 1024 characters", async () => {
    scene.sink.answer = (response) => response.end("ok");
    await scene.notify(
      webhook(
        scene.sink.url,
        `title: '${"é".repeat(1025)}', message_text: 'now {{ .Status }}', short_fields: true, link_names: true, mrkdwn_in: [text],
         fields: [{title: a, value: '{{ .Status }}'}, {title: b, value: x, short: false}],
         actions: [{type: button, text: Open, url: 'http://x', name: gone}, {type: button, text: Ack, name: ack, value: '{{ .Status }}', confirm: {text: sure}}]`,
      ),
    );
    expect(scene.sink.bodies[0]).toMatchObject({
      text: "now firing",
      link_names: true,
      attachments: [
        {
          title: `${"é".repeat(1023)}…`,
          mrkdwn_in: ["text"],
          fields: [
            { title: "a", value: "firing", short: true },
            { title: "b", value: "x", short: false },
          ],
          actions: [
            { type: "button", text: "Open", url: "http://x" },
            { type: "button", text: "Ack", name: "ack", value: "firing", confirm: { text: "sure" } },
          ],
        },
      ],
    });
    expect(scene.sink.received[0]?.body).not.toContain("gone");
  });
});

describe("what Slack says in a 200", () => {
  test.each([
    ["a webhook's word other than ok is final", "text/plain", "channel_not_found", "failed"],
    ["ok: false is final", "application/json", '{"ok":false,"error":"channel_not_found"}', "failed"],
    ["JSON that is none is tried again", "application/json", "<html>", "retry"],
  ])("%s", async (_, type, body, status) => {
    scene.sink.answer = (response) => response.writeHead(200, { "content-type": type }).end(body);
    const result = await scene.notify(app(scene.sink.url));
    expect(result).toMatchObject({ status, reason: "clientError" });
    if (status === "failed")
      expect(result).toMatchObject({ error: expect.stringMatching(/^channel "#ops": .*channel_not_found/) as string });
  });
});

describe("an app token", () => {
  test("is sent as Bearer to chat.postMessage; the global one is taken over", async () => {
    scene.sink.answerJson({ ok: true, ts: "1.2", channel: "C1" });
    const global = `{slack_app_token: xoxb-global, slack_app_url: '${scene.sink.url}/api/chat.postMessage'}`;
    expect(await scene.notify(slack("channel: ops", global))).toEqual({ status: "sent" });
    expect(scene.sink.received[0]).toMatchObject({
      path: "/api/chat.postMessage",
      headers: { authorization: "Bearer xoxb-global" },
    });
  });

  test("update_message keeps one message up to date until the group fires anew", async () => {
    scene.sink.answerJson({ ok: true, ts: "1.2", channel: "C1" });
    const notifier = app(scene.sink.url, "update_message: true");
    const receiverData = { threadTs: "1.2", channelId: "C1" };
    expect(await scene.notify(notifier)).toEqual({ status: "sent", receiverData });
    expect(await scene.notify(notifier, { reason: "new alerts added", receiverData })).toEqual({
      status: "sent",
      receiverData,
    });
    expect(scene.sink.received.map(({ path }) => path)).toEqual(["/api/chat.postMessage", "/api/chat.update"]);
    expect(scene.sink.bodies[0]).not.toHaveProperty("ts");
    expect(scene.sink.bodies[1]).toMatchObject({ channel: "C1", ts: "1.2" });
  });
});

describe("a block is refused", () => {
  test.each([
    ["", "no Slack API URL nor App token set"],
    ["api_url: 'http://x', api_url_file: y", "at most one of api_url and api_url_file"],
    ["api_url: 'http://x', app_token: y", "at most one of api_url/api_url_file and app_token/app_token_file"],
    ["api_url: 'http://x', update_message: true", "update_message needs an app token"],
    [
      "app_token: x, http_config: {authorization: {credentials: y}}",
      "http authorization can't be set when using Slack App tokens",
    ],
    ["api_url: 'http://x', actions: [{type: button, text: x}]", "missing name or url"],
    ["api_url: 'http://x', fields: [{title: x}]", "value"],
  ])("{%s}", (keys, message) => expect(() => slack(keys)).toThrow(message));

  test("when the global section has both an app token and a webhook", () =>
    expect(() => slack("", "{slack_app_token: x, slack_api_url: 'http://y'}")).toThrow(
      "at most one of slack_app_token",
    ));
});
