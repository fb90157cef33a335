import { expect, test } from "vitest";
import { extraNotifierOf } from "../../../test/extra-notifier.ts";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const robot = (url: string, keys = "") =>
  extraNotifierOf(`wecom_robot_configs: [{webhook_url: '${url}/cgi-bin/webhook/send?key=robot-key-1', ${keys}}]`);

httpNotifierContract("wecom_robot", (url) => robot(url), {
  accepts: { body: '{"errcode":0,"errmsg":"ok"}', type: "application/json" },
  alsoRetried: [429],
  exceptions: { 204: "retry" },
  secrets: ["robot-key-1"],
});

const scene = sinkScene();

test("a message is Markdown with the subject in bold", async () => {
  scene.sink.answerJson({ errcode: 0 });
  await scene.notify(robot(scene.sink.url));
  expect(scene.sink.received[0]?.path).toBe("/cgi-bin/webhook/send?key=robot-key-1");
  expect(scene.sink.bodies[0]).toMatchObject({
    msgtype: "markdown",
    markdown: {
      content: expect.stringMatching(/^\*\*\[FIRING:1\] High \(page\)\*\*\n\n\*\*Firing \(1\)\*\*/) as string,
    },
  });
});

test("a text mentions members", async () => {
  scene.sink.answerJson({ errcode: 0 });
  await scene.notify(
    robot(
      scene.sink.url,
      "message_type: text, message: '{{ .Status }}', mentioned_list: ['@all'], mentioned_mobile_list: ['13800000001']",
    ),
  );
  expect(scene.sink.bodies[0]).toEqual({
    msgtype: "text",
    text: { content: "firing", mentioned_list: ["@all"], mentioned_mobile_list: ["13800000001"] },
  });
});

test("Markdown is cut at 4096 bytes, text at 2048, between characters", async () => {
  scene.sink.answerJson({ errcode: 0 });
  const long = `message: '${"企".repeat(2000)}'`;
  await scene.notify(robot(scene.sink.url, long));
  await scene.notify(robot(scene.sink.url, `${long}, message_type: text`));
  expect(scene.sink.bodies[0]).toMatchObject({ markdown: { content: `${"企".repeat(1364)}…` } });
  expect(scene.sink.bodies[1]).toMatchObject({ text: { content: `${"企".repeat(681)}…` } });
});

test.each([
  [93_000, "failed"],
  [45_009, "retry"],
])("code %d is %s", async (errcode, status) => {
  scene.sink.answerJson({ errcode, errmsg: "said" });
  expect((await scene.notify(robot(scene.sink.url))).status).toBe(status);
});

test("mentions in Markdown are refused, because they would not work", () =>
  expect(() => robot("http://x", "mentioned_list: ['@all']")).toThrow("mentions need message_type: text"));
