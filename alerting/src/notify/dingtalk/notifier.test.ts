import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { extraNotifierOf } from "../../../test/extra-notifier.ts";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed } from "../../../test/notifier.ts";
import { START } from "../../../test/scene.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { dingtalkSignature } from "./notifier.ts";

const dingtalk = (url: string, keys = "") =>
  extraNotifierOf(
    `dingtalk_configs: [{webhook_url: '${url}/robot/send?access_token=robot-token-1', secret: SECsigning-1, ${keys}}]`,
  );

httpNotifierContract("dingtalk", (url) => dingtalk(url), {
  accepts: { body: '{"errcode":0,"errmsg":"ok"}', type: "application/json" },
  alsoRetried: [429],
  exceptions: { 204: "retry" },
  secrets: ["robot-token-1", "SECsigning-1"],
});

const scene = sinkScene();
const accept = () => scene.sink.answerJson({ errcode: 0, errmsg: "ok" });

test("a request is signed for its moment, as the robot computes it itself", async () => {
  accept();
  await scene.notify(dingtalk(scene.sink.url));
  const asked = new URL(scene.sink.received[0]?.path ?? "", scene.sink.url);
  expect(asked.pathname).toBe("/robot/send");
  expect(asked.searchParams.get("access_token")).toBe("robot-token-1");
  expect(asked.searchParams.get("timestamp")).toBe(String(START));
  const expected = createHmac("sha256", "SECsigning-1").update(`${START}\nSECsigning-1`).digest("base64");
  expect(asked.searchParams.get("sign")).toBe(expected);
  expect(scene.sink.received[0]?.path).toMatch(/sign=[\w%.-]+$/);
});

test("the signature is that of the documented algorithm", () => {
  // printf '1577262236757\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64
  expect(dingtalkSignature(1_577_262_236_757, "this is secret")).toBe("hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=");
});

test("without a secret nothing is signed", async () => {
  accept();
  await scene.notify(
    extraNotifierOf(`dingtalk_configs: [{webhook_url: '${scene.sink.url}/robot/send?access_token=t'}]`),
  );
  expect(scene.sink.received[0]?.path).toBe("/robot/send?access_token=t");
});

describe("a message", () => {
  test("is Markdown with subject, alerts and link", async () => {
    accept();
    await scene.notify(dingtalk(scene.sink.url), {
      alerts: [
        flushed(
          { alertname: "High", severity: "page" },
          { annotations: { summary: "too high" }, generatorURL: "http://prom/graph" },
        ),
      ],
    });
    expect(scene.sink.bodies[0]).toEqual({
      msgtype: "markdown",
      markdown: {
        title: "[FIRING:1] High (page)",
        text: "### [FIRING:1] High (page)\n\n**Firing (1)**\n\n**High** too high\n\nseverity=page\n\nsince 2026-11-21 12:00:00 UTC [source](http://prom/graph)\n\n[All alerts of this receiver](http://am.example/#/alerts?receiver=team)",
      },
      at: { atMobiles: [], atUserIds: [], isAtAll: false },
    });
  });

  test("mentions members in its text too, as DingTalk demands", async () => {
    accept();
    await scene.notify(
      dingtalk(
        scene.sink.url,
        `message: hi, at_mobiles: ['13800000001'], at_user_ids: ['{{ .CommonLabels.severity }}', ''], at_all: true`,
      ),
    );
    expect(scene.sink.bodies[0]).toMatchObject({
      markdown: { text: "hi\n\n@13800000001 @page" },
      at: { atMobiles: ["13800000001"], atUserIds: ["page"], isAtAll: true },
    });
  });

  test("is cut below what a request may have", async () => {
    accept();
    await scene.notify(dingtalk(scene.sink.url, `message: '${"钉".repeat(7000)}'`));
    expect(Buffer.byteLength(scene.sink.received[0]?.body ?? "")).toBeLessThan(20_000);
    expect(scene.sink.received[0]?.body).toContain("钉…");
  });
});

test.each([
  [310_000, "failed", "clientError"],
  [130_101, "retry", "rateLimited"],
  [410_100, "retry", "rateLimited"],
  [-1, "retry", "rateLimited"],
])("code %d is %s", async (errcode, status, reason) => {
  scene.sink.answerJson({ errcode, errmsg: "sign not match" });
  expect(await scene.notify(dingtalk(scene.sink.url))).toMatchObject({
    status,
    reason,
    error: `DingTalk refused: ${errcode} sign not match`,
  });
});

test.each([
  ["{}", "exactly one of webhook_url and webhook_url_file"],
  ["{webhook_url: 'ftp://x'}", "unsupported scheme"],
  ["{webhook_url: 'http://x', secret: a, secret_file: b}", "at most one of secret and secret_file"],
  ["{webhook_url: 'http://x', secrt: a}", "unknown key"],
])("%s is refused", (block, message) => expect(() => extraNotifierOf(`dingtalk_configs: [${block}]`)).toThrow(message));
