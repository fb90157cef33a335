import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const webex = (url: string, keys = "room_id: room-1") =>
  notifierOf(
    `webex_configs: [{api_url: '${url}/v1/messages', http_config: {authorization: {credentials: bot-token-1}}, ${keys}}]`,
  );

httpNotifierContract("webex", (url) => webex(url), { secrets: ["bot-token-1"] });

const scene = sinkScene();

test("a message is Markdown for a room, with the bot's token", async () => {
  await scene.notify(webex(scene.sink.url, "room_id: '{{ .CommonLabels.severity }}', message: '**{{ .Status }}**'"));
  expect(scene.sink.received[0]).toMatchObject({
    path: "/v1/messages",
    headers: { authorization: "Bearer bot-token-1" },
  });
  expect(scene.sink.bodies[0]).toEqual({ markdown: "**firing**", roomId: "page" });
});

test("a message is cut at 7439 bytes, between characters", async () => {
  await scene.notify(webex(scene.sink.url, `room_id: r, message: '${"é".repeat(4000)}'`));
  expect(scene.sink.bodies[0]).toMatchObject({ markdown: `${"é".repeat(3718)}…` });
});

test.each([
  ["{room_id: x}", "missing webex_configs.http_config.authorization"],
  ["{http_config: {authorization: {credentials: x}}}", "room_id"],
])("%s is refused", (block, message) => expect(() => notifierOf(`webex_configs: [${block}]`)).toThrow(message));
