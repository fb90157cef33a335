import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const rocketchat = (url: string, keys = "") =>
  notifierOf(
    `rocketchat_configs: [{api_url: '${url}/', token: auth-token-1, token_id: user-id-1, channel: '#ops', ${keys}}]`,
  );

httpNotifierContract("rocketchat", (url) => rocketchat(url), {
  accepts: { body: '{"success":true}', type: "application/json" },
  exceptions: { 204: "retry" },
  secrets: ["auth-token-1", "user-id-1"],
});

const scene = sinkScene();

test("a message is one attachment, sent with token and user id", async () => {
  scene.sink.answerJson({ success: true });
  await scene.notify(rocketchat(scene.sink.url));
  expect(scene.sink.received[0]).toMatchObject({
    method: "POST",
    path: "/api/v1/chat.postMessage",
    headers: { "x-auth-token": "auth-token-1", "x-user-id": "user-id-1" },
  });
  expect(scene.sink.bodies[0]).toEqual({
    channel: "#ops",
    attachments: [
      { title: "[FIRING:1] High (page)", title_link: "http://am.example/#/alerts?receiver=team", color: "red" },
    ],
  });
});

test("fields and buttons are rendered, a title is cut at 1024 characters", async () => {
  scene.sink.answerJson({ success: true });
  await scene.notify(
    rocketchat(
      scene.sink.url,
      `title: '${"r".repeat(1030)}', text: '{{ .Status }}', emoji: ':x:', icon_url: 'http://i', short_fields: true,
       fields: [{title: a, value: '{{ .Status }}'}, {title: b, value: c, short: false}], actions: [{text: Open, url: 'http://o'}]`,
    ),
  );
  expect(scene.sink.bodies[0]).toMatchObject({
    emoji: ":x:",
    avatar: "http://i",
    attachments: [
      {
        title: `${"r".repeat(1023)}…`,
        text: "firing",
        fields: [
          { title: "a", value: "firing", short: true },
          { title: "b", value: "c", short: false },
        ],
        actions: [{ type: "button", text: "Open", url: "http://o", is_webview: false, msg_in_chat_window: false }],
      },
    ],
  });
});

test("success: false is final", async () => {
  scene.sink.answerJson({ success: false, error: "error-room-not-found" });
  expect(await scene.notify(rocketchat(scene.sink.url))).toEqual({
    status: "failed",
    reason: "clientError",
    error: 'channel "#ops": Rocket.Chat refused: error-room-not-found',
  });
});

test.each([
  ["{token_id: x}", "no token:"],
  ["{token: x}", "no token_id:"],
  ["{token: x, token_file: y, token_id: z}", "at most one of token and token_file"],
])("%s is refused", (block, message) => expect(() => notifierOf(`rocketchat_configs: [${block}]`)).toThrow(message));
