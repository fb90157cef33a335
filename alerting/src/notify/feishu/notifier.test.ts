import { expect, test } from "vitest";
import { extraNotifierOf } from "../../../test/extra-notifier.ts";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed } from "../../../test/notifier.ts";
import { START } from "../../../test/scene.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { feishuSignature } from "./notifier.ts";

const feishu = (url: string, keys = "") =>
  extraNotifierOf(
    `feishu_configs: [{webhook_url: '${url}/open-apis/bot/v2/hook/hook-id-0001', secret: signing-1, ${keys}}]`,
  );

httpNotifierContract("feishu", (url) => feishu(url), {
  accepts: { body: '{"code":0,"msg":"success","data":{}}', type: "application/json" },
  alsoRetried: [429],
  exceptions: { 204: "retry" },
  secrets: ["hook-id-0001", "signing-1"],
});

const scene = sinkScene();

test("the signature is that of the documented algorithm", () => {
  // printf '' | openssl dgst -sha256 -hmac $'1599360473\nsecret' -binary | base64
  expect(feishuSignature(1_599_360_473, "secret")).toBe("q4jswNiMy51J5JuQV566yJat0/lQ/c+22kINzUgKsGU=");
});

test("a signed card: red while it fires, green when it has ended", async () => {
  scene.sink.answerJson({ code: 0, msg: "success" });
  const notifier = feishu(scene.sink.url);
  await scene.notify(notifier);
  await scene.notify(notifier, { alerts: [flushed({ alertname: "High" }, { endsAt: START + 60_000 })] });
  expect(scene.sink.received[0]?.path).toBe("/open-apis/bot/v2/hook/hook-id-0001");
  expect(scene.sink.bodies[0]).toEqual({
    timestamp: String(START / 1000),
    sign: feishuSignature(START / 1000, "signing-1"),
    msg_type: "interactive",
    card: {
      config: { wide_screen_mode: true },
      header: { title: { tag: "plain_text", content: "[FIRING:1] High (page)" }, template: "red" },
      elements: [
        {
          tag: "markdown",
          content:
            "**Firing (1)**\n\n**High**\n\nseverity=page\n\nsince 2026-11-21 12:00:00 UTC\n\n[All alerts of this receiver](http://am.example/#/alerts?receiver=team)",
        },
      ],
    },
  });
  expect(scene.sink.bodies[1]).toMatchObject({ card: { header: { template: "green" } } });
  expect(scene.sink.received[1]?.body).toContain("since 2026-11-21 12:00:00 UTC, until 2026-11-21 12:01:00 UTC");
});

test("without a secret nothing is signed", async () => {
  scene.sink.answerJson({ StatusCode: 0, StatusMessage: "success" });
  expect(await scene.notify(extraNotifierOf(`feishu_configs: [{webhook_url: '${scene.sink.url}/h'}]`))).toEqual({
    status: "sent",
  });
  expect(scene.sink.bodies[0]).not.toHaveProperty("sign");
});

test("a text is cut below what a request may have", async () => {
  scene.sink.answerJson({ code: 0 });
  await scene.notify(feishu(scene.sink.url, `message: '${"飞".repeat(7000)}'`));
  expect(Buffer.byteLength(scene.sink.received[0]?.body ?? "")).toBeLessThan(20_000);
});

test.each([
  [{ code: 19_021, msg: "sign match fail or timestamp is not within one hour" }, "failed"],
  [{ code: 11_232, msg: "frequency limited" }, "retry"],
  [{ StatusCode: 19_024, StatusMessage: "Key Words Not Found" }, "failed"],
])("%j is %s", async (answer, status) => {
  scene.sink.answerJson(answer);
  expect((await scene.notify(feishu(scene.sink.url))).status).toBe(status);
});
